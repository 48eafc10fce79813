// Chooses what an oracle reads; feeds and their adapters are loaded only where the configuration has them.

import { readClock } from './base/clock.js'
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
  if (source.kind === 'synthetic')
    return {
      clock: readClock,
      close: () => undefined,
      start: bareSource((board) => runSynthetic(board, { committee, self, source })),
    }
  const { openFeedSource } = await import('./feed-source.js')
  return openFeedSource({ engine, committee, self, source, onWait })
}
