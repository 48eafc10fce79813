// What `chain deploy` prints for config.json: turns that are long enough on chains of any speed, and no key of an endpoint.

import { describe, expect, it } from 'vitest'
import { readClock } from '../../src/base/clock.js'
import { type ChainName, chainProfile, chainProfiles } from '../../src/chain/chain-profile.js'
import { createRpcQuorum } from '../../src/chain/rpc-quorum.js'
import { configEntry } from '../../src/cli/chain-config-entry.js'
import type { Deployment } from '../../src/cli/chain-deployment.js'

const address = `0x${'1'.repeat(40)}`
const deployment = {
  deployed: { store: address, bundles: { majors: address }, hub: address, fromBlock: 7 },
  feeds: [{ name: 'btc-usd', store: address }],
} as unknown as Deployment

function entryOn(name: ChainName, url: string): Readonly<Record<string, unknown>> {
  const profile = chainProfile(name)
  const quorum = createRpcQuorum({ endpoints: [{ name: 'one', url }], quorum: 1, profile, clock: readClock })
  const head = { number: 1, hash: '', parentHash: '', timestampMs: 0, baseFee: null }
  const entry = configEntry({ quorum, profile, head }, [url], deployment)
  quorum.close()
  return entry
}

describe('configEntry', () => {
  it.each(Object.keys(chainProfiles) as ChainName[])('gives each member 8 s or more on %s', (name) => {
    const { blockMs } = chainProfiles[name]
    const { stores, requests } = entryOn(name, 'http://127.0.0.1:1')
    const paces = [...(stores as readonly { stageMs: number; landBlocks: number }[]), requests as never]
    expect(paces).toHaveLength(3)
    for (const { stageMs, landBlocks } of paces) {
      expect(stageMs).toBe(Math.max(8_000, 2 * landBlocks * blockMs))
    }
  })

  it('names an endpoint whose URL may hold a key by a file', () => {
    const bare = 'http://127.0.0.1:1'
    expect(entryOn('local', bare)['endpoints']).toEqual([{ name: 'one', url: bare }])
    for (const keyed of [`${bare}/v2/KEY`, `${bare}?apikey=KEY`, 'http://user:KEY@127.0.0.1:1'])
      expect(JSON.stringify(entryOn('local', keyed))).not.toContain('KEY')
  })
})
