// `assay chain rotate`: the next generation of a committee is proposed, waits, and is activated; or is taken back.

import { OracleError } from '../base/errors.js'
import { generationAction, type LineageFacts, registryFace, requireNext, rotationArgs } from '../chain/lineage.js'
import { toHex } from '../core/bytes.js'
import type { Committee } from '../core/committee.js'
import { isoTime } from '../core/iso-time.js'
import { committeeAt } from './chain-context.js'
import { writeDeployment } from './chain-deployment.js'
import {
  type Called,
  calledText,
  deadlineOf,
  type OpenedRegistry,
  type RegistryOptions,
  scheduledFrom,
  stateOf,
  withRegistry,
} from './chain-registry.js'
import type { Talk } from './chain-talk.js'

export interface RotateOptions extends RegistryOptions {
  /** How long the generation before still counts, s. */
  readonly overlap: number
  readonly cancel?: boolean
  readonly replace?: boolean
}

/** What signers a rotation takes out and brings in, as addresses. */
interface Change {
  readonly stay: readonly string[]
  readonly go: readonly string[]
  readonly come: readonly string[]
}

/** Does what is due of the rotation to the committee in `path`; 0 unless it is refused. */
export function rotate(path: string | undefined, options: RotateOptions, talk: Talk): Promise<number> {
  return withRegistry(options, talk, async (registry) => {
    if (options.cancel === true) return cancel(registry, talk)
    if (path === undefined) throw unfit('name the new committee document')
    const { committee } = await committeeAt(path)
    const { lineage, chain, call } = registry
    const change = changeOf(lineage, committee)
    if (lineage.generation === committee.generation && lineage.verifier?.salt === toHex(committee.salt)) {
      await remember(registry, committee, options)
      talk.result({ state: 'active', generation: lineage.generation }, `Generation ${lineage.generation} is active.`)
      return 0
    }
    requireNext(lineage, committee)
    const action = await generationAction(chain.quorum, chain.head, lineage.registry, committee, options.overlap)
    const { generation: waiting } = lineage.scheduled
    const state = stateOf(waiting, chain.head)
    const isOther = waiting !== null && waiting.action !== action
    if (isOther && state !== 'over' && options.replace !== true)
      throw unfit('another proposal waits (other signers, or another --overlap): --cancel it, or --replace it')
    const args = rotationArgs(committee, options.overlap)
    if (state === 'due' && !isOther) {
      const called = await call(registryFace.encodeFunctionData('activate', args))
      if (called.sent) await remember(registry, committee, options)
      return tell(talk, 'active', committee, change, called, null)
    }
    if (state === 'waits' && !isOther) return tell(talk, 'waits', committee, change, null, waiting!.fromS)
    const deadline = deadlineOf(chain.head, options)
    const called = await call(registryFace.encodeFunctionData('propose', [...args, deadline]))
    return tell(talk, 'proposed', committee, change, called, await scheduledFrom(registry, called))
  })
}

async function cancel({ lineage, call }: OpenedRegistry, talk: Talk): Promise<number> {
  const waiting = lineage.scheduled.generation
  if (waiting === null) {
    talk.result({ state: 'none', called: null }, 'No generation is proposed: there is nothing to cancel.')
    return 0
  }
  const called = await call(registryFace.encodeFunctionData('cancel', [waiting.action]))
  const now = called.sent ? { state: 'cancelled' } : { state: 'unsigned', means: 'cancelled' }
  talk.result({ ...now, action: waiting.action, called }, `${called.sent ? 'Cancelled. ' : ''}${calledText(called)}`)
  return 0
}

/** The deployment file follows, so that status holds the signers against the committee of now. */
async function remember({ deployment }: OpenedRegistry, committee: Committee, options: RotateOptions): Promise<void> {
  const { generation, salt } = committee
  await writeDeployment(options.deployment, { ...deployment, generation, salt: toHex(salt) })
}

function changeOf({ verifier }: LineageFacts, { members }: Committee): Change {
  const before = verifier?.signers ?? []
  const after = members.map(({ address }) => address)
  return {
    stay: after.filter((address) => before.includes(address)),
    go: before.filter((address) => !after.includes(address)),
    come: after.filter((address) => !before.includes(address)),
  }
}

function tell(
  talk: Talk,
  state: 'proposed' | 'waits' | 'active',
  committee: Committee,
  change: Change,
  called: Called | null,
  fromS: number | null,
): number {
  const { generation, members, thresholds } = committee
  const nameOf = (address: string): string => members.find((member) => member.address === address)?.name ?? ''
  const list = (sign: string, addresses: readonly string[]): string[] =>
    addresses.map((address) => `  ${sign} ${address} ${nameOf(address)}`.trimEnd())
  const words = {
    proposed: 'is proposed',
    waits: 'waits',
    active: 'is active',
  } as const
  const lines = [
    talk.bold(`Generation ${generation} ${called?.sent === false ? 'is ready to be signed' : words[state]}`),
    `${members.length} signers, f = ${thresholds.f}: ${change.stay.length} stay, ${change.go.length} go, ${change.come.length} come`,
    ...list('-', change.go),
    ...list('+', change.come),
    ...(called === null ? [] : [calledText(called)]),
    ...(fromS === null
      ? []
      : [`Run the same command again from ${isoTime(fromS * 1000)} on, within a week, to activate it.`]),
  ]
  const from = fromS === null ? null : isoTime(fromS * 1000)
  // Until somebody has signed it nothing has changed.
  const now = called?.sent === false ? { state: 'unsigned', means: state } : { state }
  talk.result({ ...now, generation, change, called, activateFrom: from, activateFromS: fromS }, lines.join('\n'))
  return 0
}

function unfit(message: string): OracleError {
  return new OracleError('ROTATION_UNFIT', message, { path: '/generation' })
}
