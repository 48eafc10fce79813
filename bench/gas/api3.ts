// API3's rows: Api3ServerV1 and its reader proxy from npm, with airnode keys of ours.

import {
  AbiCoder,
  concat,
  encodeBytes32String,
  getBytes,
  hashMessage,
  id,
  keccak256,
  solidityPackedKeccak256,
  toBeHex,
} from 'ethers'
import { type Chain, type Deployed, intrinsicGas, type Measured } from './chain.js'
import { compile } from './compile.js'
import type { Row } from './row.js'
import { benchSigners, corrupt, type Signer } from './signer.js'

const base = '@api3/contracts/'
const server = `${base}api3-server-v1/Api3ServerV1.sol`
const extension = `${base}api3-server-v1/Api3ServerV1OevExtension.sol`
const registry = `${base}access/AccessControlRegistry.sol`
const factory = `${base}api3-server-v1/proxies/Api3ReaderProxyV1Factory.sol`

/** One beacon: a value that one airnode signs under one template. */
interface Beacon {
  readonly airnode: Signer
  readonly template: string
}

const beaconId = ({ airnode, template }: Beacon): string =>
  solidityPackedKeccak256(['address', 'bytes32'], [airnode.address, template])

const terms = { bench: 'gas', system: 'api3', pause: false, validityWindow: false } as const
const noAge = 'refuses data from an hour ahead, not old data'

/** Every row of API3. */
export async function api3Rows(chain: Chain): Promise<readonly Row[]> {
  const artifacts = compile('api3-server', [server, extension, registry, 'peers/Api3Readers.sol'])
  const [manager] = (await chain.provider.send('eth_accounts', [])) as readonly string[]
  const roles = await chain.deploy(artifacts['AccessControlRegistry'])
  const store = await chain.deploy(artifacts['Api3ServerV1'], roles.address, 'server admin', manager)
  const oev = ['OEV admin', manager, store.address] as const
  const extended = await chain.deploy(artifacts['Api3ServerV1OevExtension'], roles.address, ...oev)

  const airnodes = benchSigners(10)
  const dapi = airnodes.slice(0, 7).map((airnode): Beacon => ({ airnode, template: id('BTC/USD') }))
  const many = airnodes.map((airnode, index): Beacon => ({ airnode, template: id(`feed ${index}`) }))
  const setId = keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32[]'], [dapi.map(beaconId)]))
  const aggregate = store.interface.encodeFunctionData('updateBeaconSetWithBeacons', [dapi.map(beaconId)])

  const one = (): Measured => updates(store, chain.now(), many.slice(0, 1), [])
  const seven = (): Measured => updates(store, chain.now(), dapi, [aggregate])
  const ten = (): Measured => updates(store, chain.now(), many, [])
  for (const warm of [seven, ten]) {
    const { to, data } = warm()
    await chain.send(to, data)
  }
  const push = { ...terms, what: 'push', hop: 'direct', rotation: false } as const
  const rows: Row[] = [
    {
      ...push,
      feeds: 1,
      signatures: 1,
      signers: 1,
      ...(await chain.measure(one())),
      note: `one beacon, its one key; ${noAge}`,
    },
    {
      ...push,
      feeds: 1,
      signatures: 7,
      signers: 7,
      ...(await chain.measure(seven())),
      note: `a dAPI: seven beacons and their median, in one multicall; ${noAge}`,
    },
    {
      ...push,
      feeds: 10,
      signatures: 10,
      signers: 10,
      ...(await chain.measure(ten())),
      note: `ten beacons of one key each, in one multicall; ${noAge}`,
    },
  ]

  const name = encodeBytes32String('BTC/USD')
  await chain.invoke(store, 'setDapiName', name, setId)
  const proxies = compile('api3-proxy', [factory])
  const makes = await chain.deploy(proxies['Api3ReaderProxyV1Factory'], manager, extended.address)
  const [proxy] = await chain.call(makes, 'computeApi3ReaderProxyV1Address', name, 1, '0x')
  await chain.invoke(makes, 'deployApi3ReaderProxyV1', name, 1, '0x')
  const reader = await chain.deploy(artifacts['Api3Reader'], store.address)
  const proxyReader = await chain.deploy(artifacts['Api3ProxyReader'], proxy)
  for (const [contract, method, args, hop, rotation, note] of [
    [reader, 'read', [setId], 'consumer', false, 'the server by data feed id'],
    [reader, 'readByName', [keccak256(name)], 'consumer', true, 'the server by dAPI name'],
    [proxyReader, 'read', [], 'proxy', true, 'Api3ReaderProxyV1, as its docs ask: OEV feed looked at too'],
  ] as const) {
    const data = contract.interface.encodeFunctionData(method, args)
    const gas = (await chain.send(contract.address, data)) - intrinsicGas(data)
    const read = { what: 'read', feeds: 1, signatures: 0, signers: 7, hop, corrupted: 'unsigned' } as const
    rows.push({ ...terms, ...read, rotation, gas, note })
  }
  return rows
}

/** Updates of `beacons` at `time`, then the calls `more`, in one multicall if there are several calls. */
function updates(store: Deployed, time: number, beacons: readonly Beacon[], more: readonly string[]): Measured {
  const calls = beacons.map(({ airnode, template }, index) => {
    const data = toBeHex(BigInt(time % 100_000) * 10n ** 15n + BigInt(index), 32)
    const digest = keccak256(concat([template, toBeHex(time, 32), data]))
    const signature = airnode.key.sign(hashMessage(getBytes(digest))).serialized
    const call = (signed: string): string =>
      store.interface.encodeFunctionData('updateBeaconWithSignedData', [airnode.address, template, time, data, signed])
    return { honest: call(signature), corrupted: call(corrupt(signature)) }
  })
  const whole = (parts: readonly string[]): string =>
    parts.length === 1 ? parts[0]! : store.interface.encodeFunctionData('multicall', [parts])
  const honest = calls.map((call) => call.honest)
  return {
    to: store.address,
    data: whole([...honest, ...more]),
    corrupted: whole([...honest.slice(0, -1), calls.at(-1)!.corrupted, ...more]),
  }
}
