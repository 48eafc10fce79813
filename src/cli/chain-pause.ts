// `assay chain pause`: stops belief in a whole lineage at once; with --end, schedules the end of it, then ends it.

import { registryFace } from '../chain/lineage.js'
import { isoTime } from '../core/iso-time.js'
import {
  type Called,
  calledText,
  deadlineOf,
  type RegistryOptions,
  scheduledFrom,
  stateOf,
  withRegistry,
} from './chain-registry.js'
import type { Talk } from './chain-talk.js'

export interface PauseOptions extends RegistryOptions {
  readonly end?: boolean
}

/** unsigned: a call that somebody has to sign before anything changes. */
type PauseState = 'paused' | 'vetoed' | 'scheduled' | 'waits' | 'ended' | 'none' | 'unsigned'

/** Does what is due; 0 unless it is refused. */
export function pause(options: PauseOptions, talk: Talk): Promise<number> {
  return withRegistry(options, talk, async (registry) => {
    const { lineage, chain, call } = registry
    const { paused, scheduled } = lineage
    const tell = (
      state: PauseState,
      words: string,
      called: Called | null = null,
      fromS: number | null = null,
    ): number => {
      if (called?.sent === false) {
        talk.result({ state: 'unsigned', means: state, called }, calledText(called))
        return 0
      }
      const from = fromS === null ? null : isoTime(fromS * 1000)
      const lines = [talk.bold(words), ...(called === null ? [] : [calledText(called)])]
      if (from !== null) lines.push(`Run the same command again from ${from} on, within a week, to end the pause.`)
      talk.result({ state, called, endFrom: from, endFromS: fromS }, lines.join('\n'))
      return 0
    }
    if (options.end !== true) {
      if (paused && scheduled.unpause === null) return tell('paused', 'It is paused already.')
      const called = await call(registryFace.encodeFunctionData('pause'))
      if (paused) return tell('vetoed', 'It stays paused: the end that was scheduled is taken back.', called)
      return tell(
        'paused',
        'Paused: no report of this lineage is believed any more. What stores keep stays readable until it is too old.',
        called,
      )
    }
    if (!paused) return tell('none', 'It is not paused.')
    const state = stateOf(scheduled.unpause, chain.head)
    if (state === 'waits') return tell('waits', 'The end of the pause waits.', null, scheduled.unpause!.fromS)
    if (state === 'due')
      return tell('ended', 'The pause is over.', await call(registryFace.encodeFunctionData('unpause')))
    const called = await call(registryFace.encodeFunctionData('proposeUnpause', [deadlineOf(chain.head, options)]))
    return tell('scheduled', 'The end of the pause is scheduled.', called, await scheduledFrom(registry, called))
  })
}
