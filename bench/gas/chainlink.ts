// Chainlink's rows: Data Streams' VerifierProxy and Verifier from npm, with oracle keys of ours and no fees.

import { AbiCoder, concat, id, keccak256, toBeHex, ZeroAddress, ZeroHash } from 'ethers'
import type { Chain, Deployed, Measured } from './chain.js'
import { type Artifact, compile } from './compile.js'
import type { Row } from './row.js'
import { benchSigners, corrupt, type Signer } from './signer.js'

const abi = AbiCoder.defaultAbiCoder()
const reportTypes = ['bytes32', 'uint32', 'uint32', 'uint192', 'uint192', 'uint32', 'int192', 'int192', 'int192']
const payloadTypes = ['bytes32[3]', 'bytes', 'bytes32[]', 'bytes32[]', 'bytes32']

/** The id of the feed at `index`: two bytes of schema version, then bytes that mean nothing. */
const feedId = (index: number): string =>
  toBeHex((3n << 240n) + ((BigInt(id('Assay gas bench, feed')) >> 24n) << 8n) + BigInt(index), 32)

/** How one release is configured: v0.3 for each feed, v0.5 once for all feeds. */
interface Release {
  readonly version: '0.3.0' | '0.5.0'
  readonly note: string
  configure(chain: Chain, verifier: Deployed, addresses: readonly string[], f: number): Promise<readonly string[]>
}

const feedsMost = 10
const releases: readonly Release[] = [
  {
    version: '0.3.0',
    note: 'Verifier 1.2.0, a configuration a feed',
    configure: async (chain, verifier, addresses, f) => {
      const digests: string[] = []
      for (let index = 0; index < feedsMost; index++) {
        await chain.invoke(verifier, 'setConfig', feedId(index), addresses, [], f, '0x', 1, '0x', [])
        const [, , digest] = await chain.call(verifier, 'latestConfigDetails', feedId(index))
        digests.push(String(digest))
      }
      return digests
    },
  },
  {
    version: '0.5.0',
    note: 'Verifier 2.0.0, one configuration for all feeds',
    configure: async (chain, verifier, addresses, f) => {
      // Here the operator chooses the digest; two bytes of prefix as in Data Streams.
      const digest = toBeHex((6n << 240n) + (BigInt(id(`f = ${f}`)) >> 16n), 32)
      await chain.invoke(verifier, 'setConfig', digest, addresses, f, [])
      return Array.from({ length: feedsMost }, () => digest)
    },
  },
]

/** Every row of Chainlink. */
export async function chainlinkRows(chain: Chain): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const release of releases) {
    const folder = `@chainlink/contracts/src/v0.8/llo-feeds/v${release.version}`
    const units = [`${folder}/VerifierProxy.sol`, `${folder}/Verifier.sol`, 'peers/ChainlinkConsumer.sol']
    const artifacts = compile('chainlink', units)
    for (const f of [1, 10]) rows.push(...(await committeeRows(chain, artifacts, release, f)))
  }
  return rows
}

async function committeeRows(
  chain: Chain,
  artifacts: Readonly<Record<string, Artifact>>,
  release: Release,
  f: number,
): Promise<readonly Row[]> {
  const signers = benchSigners(3 * f + 1)
  const signing = signers.slice(0, f + 1)
  const proxy = await chain.deploy(artifacts['VerifierProxy'], ZeroAddress)
  const verifier = await chain.deploy(artifacts['Verifier'], proxy.address)
  await chain.invoke(proxy, 'initializeVerifier', verifier.address)
  const addresses = signers.map(({ address }) => address)
  const digests = await release.configure(chain, verifier, addresses, f)
  const consumer = await chain.deploy(artifacts['ChainlinkConsumer'], proxy.address, feedId(0))

  const rows: Row[] = []
  for (const feeds of [1, feedsMost]) {
    const transaction = (): Measured => {
      const payloads = digests.slice(0, feeds).map((digest, index) => signReport(digest, index, chain.now(), signing))
      const method = feeds === 1 ? 'price' : 'prices'
      const encode = (signed: readonly string[]): string =>
        consumer.interface.encodeFunctionData(method, [feeds === 1 ? signed[0] : signed])
      const prices = payloads.map(({ price }) => price)
      const honest = payloads.map((payload) => payload.honest)
      return {
        to: consumer.address,
        data: encode(honest),
        corrupted: encode([...honest.slice(0, -1), payloads.at(-1)!.corrupted]),
        returns: consumer.interface.encodeFunctionResult(method, [feeds === 1 ? prices[0] : prices]),
      }
    }
    // The first report of an epoch writes the epoch; what is measured is a later one of the same epoch.
    const first = transaction()
    await chain.send(first.to, first.data)
    rows.push({
      bench: 'gas',
      system: 'chainlink',
      what: 'pull',
      feeds,
      signatures: signing.length * feeds,
      signers: signers.length,
      hop: 'consumer',
      rotation: true,
      pause: true,
      validityWindow: true,
      ...(await chain.measure(transaction())),
      note: `${release.note}; no fees; report v3, its window checked by the consumer${feeds === 1 ? '' : '; verifyBulk'}`,
    })
  }
  return rows
}

/** A report of schema v3 for the feed at `index`, signed by `signing` under the configuration `digest`. */
function signReport(
  digest: string,
  index: number,
  time: number,
  signing: readonly Signer[],
): { readonly honest: string; readonly corrupted: string; readonly price: bigint } {
  const price = BigInt(time % 100_000) * 10n ** 15n + BigInt(index)
  const fees = [3n * 10n ** 14n, 7n * 10n ** 16n]
  const values = [feedId(index), time - 60, time - 2, ...fees, time + 86_400, price, price - 5n, price + 5n]
  const report = abi.encode(reportTypes, values)
  // Epoch 7, round of this second: the epoch stays, so that no report writes it.
  const context = [digest, toBeHex((7n << 8n) | BigInt(time % 256), 32), ZeroHash]
  const hash = keccak256(concat([keccak256(report), ...context]))
  const encode = (signatures: readonly string[]): string => {
    const part = (from: number, to: number): readonly string[] =>
      signatures.map((signature) => `0x${signature.slice(2 + from * 2, 2 + to * 2)}`)
    const vs = concat(part(64, 65).map((v) => toBeHex(Number(v) - 27, 1))).slice(2)
    return abi.encode(payloadTypes, [context, report, part(0, 32), part(32, 64), `0x${vs.padEnd(64, '0')}`])
  }
  const signatures = signing.map(({ key }) => key.sign(hash).serialized)
  const corrupted = encode([...signatures.slice(0, -1), corrupt(signatures.at(-1)!)])
  return { honest: encode(signatures), corrupted, price }
}
