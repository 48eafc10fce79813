// RedStone's rows: its consumer base and multi-feed adapter from npm, with keys of ours.

import { concat, encodeBytes32String, keccak256, toBeHex } from 'ethers'
import { type Chain, type Deployed, intrinsicGas, type Measured } from './chain.js'
import { type Artifact, compile } from './compile.js'
import type { Row } from './row.js'
import { benchSigners, corrupt, type Signer } from './signer.js'

/** The ten feeds, in the order of peers/RedstonePull.sol. */
const feedNames = ['BTC', 'ETH', 'USDC', 'USDT', 'SOL', 'AVAX', 'BNB', 'LINK', 'UNI', 'AAVE'] as const

/** A value that one signer signs for one feed. */
export interface DataPoint {
  readonly feed: string
  readonly value: bigint
}

/** One signed package of RedStone's payload: one or more data points of one signer at one time. */
export function encodePackage(
  points: readonly DataPoint[],
  timeMs: number,
  sign: (digest: string) => string,
): { readonly honest: string; readonly corrupted: string } {
  const packed = points.map(({ feed, value }) => concat([encodeBytes32String(feed), toBeHex(value, 32)]))
  const signed = concat([...packed, toBeHex(timeMs, 6), toBeHex(32, 4), toBeHex(points.length, 3)])
  const signature = sign(keccak256(signed))
  return { honest: concat([signed, signature]), corrupted: concat([signed, corrupt(signature)]) }
}

/** The payload that is appended to calldata: packages, their number, no metadata, RedStone's marker. */
export function encodePayload(packages: readonly string[]): string {
  return concat([...packages, toBeHex(packages.length, 2), toBeHex(0, 3), '0x000002ed57011e0000'])
}

interface Payload {
  readonly honest: string
  readonly corrupted: string
  /** The median of each feed. */
  readonly medians: readonly bigint[]
}

/** A payload for the first `feeds` feeds by `signers`; `together` puts all feeds of a signer into one package. */
function signPayload(signers: readonly Signer[], feeds: number, timeMs: number, together: boolean): Payload {
  const names = feedNames.slice(0, feeds)
  const value = (feed: number, signer: number): bigint =>
    BigInt(timeMs % 100_000) * 1_000n + BigInt(feed * 100 + signer)
  const groups = together ? [names] : names.map((name) => [name])
  const packages = groups.flatMap((group) =>
    signers.map(({ key }, signer) =>
      encodePackage(
        group.map((feed) => ({ feed, value: value(feedNames.indexOf(feed), signer) })),
        timeMs,
        (digest) => key.sign(digest).serialized,
      ),
    ),
  )
  const honest = packages.map((one) => one.honest)
  const middle = (signers.length - 1) / 2
  return {
    // Values rise with the signer's number; of an even number the contract takes the mean of the middle two.
    medians: names.map((_, feed) => (value(feed, Math.floor(middle)) + value(feed, Math.ceil(middle))) / 2n),
    honest: encodePayload(honest),
    corrupted: encodePayload([...honest.slice(0, -1), packages.at(-1)!.corrupted]),
  }
}

/** Contracts compiled for one committee: RedStone's signers and threshold are code. */
function contracts(threshold: number, signers: readonly Signer[]): Readonly<Record<string, Artifact>> {
  const branches = signers.map(({ address }, index) => `if (signer == ${address}) { return ${index}; }`).join(' else ')
  const made = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.17;
import {RedstoneConsumerNumericBase} from
    "@redstone-finance/evm-connector/contracts/core/RedstoneConsumerNumericBase.sol";
abstract contract Signers is RedstoneConsumerNumericBase {
    function getUniqueSignersThreshold() public view virtual override returns (uint8) { return ${threshold}; }
    function getAuthorisedSignerIndex(address signer) public view virtual override returns (uint8) {
        ${branches} else { revert SignerNotAuthorised(signer); }
    }
}`
  return compile('redstone', ['peers/RedstonePull.sol', 'peers/RedstonePush.sol'], { 'made/Signers.sol': made })
}

const terms = { bench: 'gas', system: 'redstone', rotation: false, pause: false, validityWindow: true } as const
const keysInCode = 'keys are code: another committee is another contract'
const separately = 'a package a signer and feed, as its gateways serve'
const together = 'one package a signer holds all feeds'

/** Every row of RedStone. */
export async function redstoneRows(chain: Chain): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const [threshold, signers] of [
    [2, 5],
    [3, 5],
    [11, 31],
  ] as const) {
    const committee = benchSigners(signers)
    const artifacts = contracts(threshold, committee)
    const signing = committee.slice(0, threshold)
    rows.push(...(await pullRows(chain, artifacts, signing, signers)))
    if (signers === 5) rows.push(...(await pushRows(chain, artifacts, signing, signers)))
  }
  return rows
}

async function pullRows(
  chain: Chain,
  artifacts: Readonly<Record<string, Artifact>>,
  signing: readonly Signer[],
  signers: number,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  const inline = await chain.deploy(artifacts['RedstonePull'])
  const consumer = await chain.deploy(artifacts['RedstoneThroughConsumer'], inline.address)
  const add = async (target: Deployed, feeds: number, one: boolean): Promise<void> => {
    const payload = signPayload(signing, feeds, chain.now() * 1000, one)
    const method = feeds === 1 ? 'price' : 'prices'
    const call = target.interface.encodeFunctionData(method)
    const transaction = {
      to: target.address,
      data: concat([call, payload.honest]),
      corrupted: concat([call, payload.corrupted]),
      returns: target.interface.encodeFunctionResult(method, [feeds === 1 ? payload.medians[0] : payload.medians]),
    }
    const note = target === inline ? keysInCode : `${keysInCode}; payload forwarded by its ProxyConnector`
    rows.push({
      ...terms,
      what: 'pull',
      feeds,
      signatures: one ? signing.length : signing.length * feeds,
      signers,
      hop: target === inline ? 'inline' : 'consumer',
      ...(await chain.measure(transaction)),
      note: feeds === 1 ? note : `${note}; ${one ? together : separately}`,
    })
  }
  for (const target of [inline, consumer]) {
    await add(target, 1, false)
    // Eleven signers and ten feeds in 110 packages is beyond what anyone sends.
    if (signing.length <= 3) await add(target, 10, false)
    await add(target, 10, true)
  }
  return rows
}

async function pushRows(
  chain: Chain,
  artifacts: Readonly<Record<string, Artifact>>,
  signing: readonly Signer[],
  signers: number,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  const adapter = await chain.deploy(artifacts['RedstonePush'])
  const update = (feeds: number, one: boolean): Measured => {
    const payload = signPayload(signing, feeds, chain.now() * 1000, one)
    const ids = feedNames.slice(0, feeds).map((name) => encodeBytes32String(name))
    const call = adapter.interface.encodeFunctionData('updateDataFeedsValuesPartial', [ids])
    return {
      to: adapter.address,
      data: concat([call, payload.honest]),
      corrupted: concat([call, payload.corrupted]),
    }
  }
  const warm = update(10, true)
  await chain.send(warm.to, warm.data)
  for (const [feeds, one] of [
    [1, false],
    [10, false],
    [10, true],
  ] as const) {
    rows.push({
      ...terms,
      what: 'push',
      feeds,
      signatures: one ? signing.length : signing.length * feeds,
      signers,
      hop: 'direct',
      ...(await chain.measure(update(feeds, one))),
      note: `MultiFeedAdapterWithoutRounds without its proxy${feeds === 1 ? '' : `; ${one ? together : separately}`}`,
    })
  }
  if (signing.length !== 3) return rows
  const feed = await chain.deploy(artifacts['RedstoneFeed'], adapter.address)
  for (const [hop, reader, args, note] of [
    ['consumer', await chain.deploy(artifacts['RedstoneReader'], adapter.address), [encodeBytes32String('BTC')], ''],
    ['proxy', await chain.deploy(artifacts['RedstoneFeedReader'], feed.address), [], ' through its price feed'],
  ] as const) {
    const data = reader.interface.encodeFunctionData('read', args)
    const gas = (await chain.send(reader.address, data)) - intrinsicGas(data)
    const read = { what: 'read', feeds: 1, signatures: 0, signers, hop, corrupted: 'unsigned' } as const
    rows.push({ ...terms, ...read, gas, note: `the adapter${note}; neither behind its upgrade proxy` })
  }
  return rows
}
