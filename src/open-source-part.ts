// Chooses what an oracle reads; feeds and their adapters are loaded only where the configuration has them.

import { readClock } from './base/clock.js'
import { OracleError } from './base/errors.js'
import type { Config } from './config.js'
import type { Engine } from './core/engine.js'
import { bareSource, type SourcePart } from './observe/source-part.js'
import { runSynthetic } from './observe/synthetic.js'

/**
 * The source part of `config`; a replay is connected to before this resolves, and `onWait` told while it does not
 * answer. Throws FEED_…, ADAPTER_UNKNOWN or CONFIG_INVALID before anything is asked.
 */
export async function openSourcePart(
  engine: Engine,
  config: Config,
  onWait: (sentence: string) => void,
): Promise<SourcePart> {
  const { committee, self, source } = config
  if (source.kind === 'synthetic') {
    const declared = committee.feeds.find((feed) => feed.declaration !== null)
    if (declared !== undefined) {
      const message = `${declared.name} is a declared feed, and numbers made in the process are none of its sources`
      throw new OracleError('CONFIG_INVALID', message, { path: '/source/kind' })
    }
    return {
      clock: readClock,
      close: () => undefined,
      start: bareSource((board) => runSynthetic(board, { committee, self, source })),
    }
  }
  const { openFeedSource } = await import('./feed-source.js')
  return openFeedSource({ engine, committee, self, source, onWait })
}
