// First values of new stores: the newest attested report of an oracle's API, packed for contracts, once it is new enough.

import { setTimeout as wait } from 'node:timers/promises'
import { OracleError } from '../base/errors.js'
import type { EmptyStore } from '../chain/deploy.js'
import { pushSelector } from '../chain/feed-view.js'
import { createClient } from '../client/create-client.js'
import { concat, fromHex, getUint } from '../core/bytes.js'
import type { Committee, Feed } from '../core/committee.js'

/** Bundles in one transaction: of 16 feeds each, some 5 million gas. */
const bundlesMax = 8
/** Where a packed report has T. */
const timeAt = 13
const patienceMs = 120_000

/** Calldata of push() with reports of `api`, for the bundles of `feeds`; waits for one that is attested late enough. */
export function firstValues(
  api: string,
  committee: Committee,
  document: unknown,
  feeds: readonly Feed[],
): (store: EmptyStore, notBeforeMs: number) => Promise<readonly Uint8Array[]> {
  const client = createClient({ url: api, committee: { document } })
  const newest = async (names: readonly string[], short: boolean, notBeforeMs: number): Promise<Uint8Array> => {
    const deadlineMs = Date.now() + patienceMs
    for (;;) {
      const packed = await client.calldata(names, { trailer: true, short })
      if (Number(getUint(packed, timeAt, 6)) >= notBeforeMs) return concat(fromHex(pushSelector, 4)!, packed)
      if (Date.now() >= deadlineMs) {
        const message = `${api} has no report attested after ${new Date(notBeforeMs).toISOString()}, when the registry began`
        throw new OracleError('CLIENT_ANSWER_UNFIT', message, { path: '/v1/reports/latest' })
      }
      await wait(Math.min(1_000, committee.timing.roundMs))
    }
  }
  return async ({ bundle }, notBeforeMs) => {
    const wanted = committee.bundles.filter((one) =>
      bundle === null ? one.feeds.some((index) => feeds.some((feed) => feed.index === index)) : one.name === bundle,
    )
    const calls: Uint8Array[] = []
    for (let i = 0; i < wanted.length; i += bundlesMax) {
      const names = wanted.slice(i, i + bundlesMax).map((one) => committee.feeds[one.feeds[0]!]!.name)
      calls.push(await newest(names, bundle !== null, notBeforeMs))
    }
    return calls
  }
}
