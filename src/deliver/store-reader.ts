// What a store on chain has, and whether it would take a push, by the word of a quorum of endpoints.

import { OracleError } from '../base/errors.js'
import { revertOf } from '../chain/abi-read.js'
import { IFeedStore__factory } from '../chain/generated/factories/IFeedStore__factory.js'
import { callOf } from '../chain/questions.js'
import type { RpcQuorum } from '../chain/rpc-quorum.js'
import type { StoredFeed, StoredView } from './facts.js'
import type { Target } from './target.js'

/** The reading half of a transmitter's ports. */
export interface StoreReader {
  readStored(target: Target, feedIds: readonly string[]): Promise<StoredView>
  whyReverts(target: Target, data: string): Promise<string | null>
}

/** 0x and eight words: the struct Reading. */
const readingHexChars = 2 + 8 * 64
const store = IFeedStore__factory.createInterface()

/** A reader of the stores of one chain: all feeds at one block, the newest that the quorum agrees on. */
export function createStoreReader(rpc: Pick<RpcQuorum, 'head' | 'read'>): StoreReader {
  return {
    readStored: async (target, feedIds) => {
      const head = await rpc.head()
      const feeds = await Promise.all(
        feedIds.map(async (feedId): Promise<readonly [string, StoredFeed | null]> => {
          const call = callOf(target.store, store.encodeFunctionData('tryRead', [feedId]))
          const { reverted, data } = await rpc.read(call, head)
          if (reverted || data.length !== readingHexChars)
            throw new OracleError('TARGET_INVALID', `${target.store} is no store`, { path: '/store' })
          return [feedId, storedOf(data)]
        }),
      )
      return { blockNumber: head.number, feeds: new Map(feeds) }
    },
    whyReverts: async (target, data) => {
      const answer = await rpc.read(callOf(target.store, data), await rpc.head())
      return answer.reverted ? revertOf(store, answer.data) : null
    },
  }
}

function storedOf(data: string): StoredFeed | null {
  const [reading] = store.decodeFunctionResult('tryRead', data)
  const attestedAtMs = Number(reading.attestedAtMs)
  if (attestedAtMs === 0) return null
  return {
    value: reading.value,
    attestedAtMs,
    observedAtMs: Number(reading.observedAtMs),
    validUntilMs: Number(reading.validUntilMs),
    status: Number(reading.status),
    kind: Number(reading.kind),
  }
}
