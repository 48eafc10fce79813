// What a committee document pins of a feed: its meaning, its validity, and the digest of its declaration.

import type { Feed } from '../core/committee.js'
import type { FeedDeclaration } from './declaration.js'

/** An entry of a committee document's feeds. */
export interface CommitteeFeed extends Omit<Feed, 'index' | 'feedId' | 'declaration'> {
  /** Digest of the declaration that every member must hold. */
  readonly declaration: string
}

/** The entry of `feed`. */
export function committeeFeedOf({ meaning, freshness, triggers, digest }: FeedDeclaration): CommitteeFeed {
  const { name, schema, unit, decimals, fields } = meaning
  const { validForS } = freshness
  return { name, schema, unit, decimals, fields, validForS, streamPpm: triggers.streamPpm, declaration: digest }
}
