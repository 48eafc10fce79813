// What an operator puts under "chains" in config.json for a deployment, ready but for his own keys, caps and endpoints.

import { type ChainName, chainProfiles } from '../chain/chain-profile.js'
import type { OpenedChain } from './chain-context.js'
import type { Deployment } from './chain-deployment.js'

/** Caps to begin with, wei: 200 gwei for a unit of gas, a twentieth of an ETH in an hour. */
const fees = { perGasMax: '200000000000', perHourMax: '50000000000000000' } as const
/** A transaction that pays twice the base fee lands in the next block; where blocks are quick, the way there takes one more. */
const slowBlockMs = 6_000
/**
 * The shortest turn: before another member may send the same, this one has to look, have the call tried by a quorum, sign,
 * hand it out and see it in a block that a quorum has. Each of it is a round trip to a provider, however quick blocks are.
 */
const stageMinMs = 8_000

/** One entry of `chains`; an endpoint whose URL may hold a key is named by a file that is to hold it. */
export function configEntry(
  { profile, quorum }: OpenedChain,
  urls: readonly string[],
  { deployed, feeds }: Deployment,
): Readonly<Record<string, unknown>> {
  const { store, bundles, hub, fromBlock } = deployed!
  const landBlocks = profile.blockMs >= slowBlockMs ? 1 : 2
  // Half a stage is for landing.
  const pace = { landBlocks, stageMs: Math.max(stageMinMs, 2 * landBlocks * profile.blockMs) }
  const endpoints = quorum.facts().map(({ name }, i) => {
    const url = urls[i]
    return url !== undefined && isBare(url) ? { name, url } : { name, urlFile: `endpoint-${i + 1}.url` }
  })
  const kept = feeds.filter((feed) => feed.store === store).map(({ name }) => ({ name }))
  const stores = [
    ...(store === null || kept.length === 0 ? [] : [{ address: store, kind: 'feeds', ...pace, feeds: kept }]),
    ...Object.entries(bundles).map(([bundle, address]) => ({ address, kind: 'bundle', ...pace, bundle })),
  ]
  const isUsual = profile.chainId === chainProfiles[profile.name as ChainName]?.chainId
  return {
    chain: profile.name,
    ...(isUsual ? {} : { profile: { chainId: profile.chainId } }),
    endpoints,
    senders: [{ keystore: 'payer.json' }],
    fees,
    ...(stores.length === 0 ? {} : { stores }),
    ...(hub === null
      ? {}
      : {
          requests: {
            hub,
            fromBlock,
            senders: [{ keystore: 'answerer.json' }],
            fees,
            ...pace,
          },
        }),
  }
}

/** Whether a URL is a host and a port and nothing that could be a key. */
function isBare(url: string): boolean {
  const { username, password, pathname, search, hash } = new URL(url)
  return `${username}${password}${search}${hash}` === '' && pathname === '/'
}
