// The declarations that a committee agreed on: those on disk, held against the digests in its document.

import { OracleError } from '../base/errors.js'
import type { Committee } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import type { Adapter } from '../observe/adapter.js'
import type { FeedDeclaration } from './declaration.js'
import { checkFeeds, loadFeeds } from './load-feeds.js'

/**
 * The declaration under `path` of each feed of the committee, in its order. Throws FEED_INVALID or FEED_LINT for the first
 * error in a file, FEED_MISMATCH with the feed's place in the document where one is missing, unpinned or another one.
 */
export function agreedFeeds(
  engine: Engine,
  committee: Committee,
  path: string,
  adapters: readonly Adapter[],
): readonly FeedDeclaration[] {
  const { declarations, findings } = loadFeeds(engine, path, adapters)
  checkFeeds(findings)
  const byName = new Map(declarations.map((declaration) => [declaration.name, declaration]))
  return committee.feeds.map((feed) => {
    const place = `/feeds/${feed.index}`
    const found = byName.get(feed.name)
    if (found === undefined)
      throw new OracleError('FEED_MISMATCH', `${path} declares no feed ${feed.name}`, { path: place })
    if (feed.declaration === null)
      throw new OracleError('FEED_MISMATCH', `the committee document pins no declaration of ${feed.name}`, {
        path: place,
      })
    if (feed.declaration !== found.digest) {
      const facts = { agreed: feed.declaration, found: found.digest }
      throw new OracleError('FEED_MISMATCH', `the declaration of ${feed.name} is not the one agreed on`, {
        path: place,
        facts,
      })
    }
    return found
  })
}
