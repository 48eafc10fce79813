// Who may do what, for every function that the contracts have: enumerated from their ABIs, so that none is forgotten.
// I24: in 2022 a protocol was robbed by a setter of prices that anybody could call.

import { readdirSync, readFileSync } from 'node:fs'
import { Interface, type JsonFragment } from 'ethers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Chain, type Deployed, startChain } from '../../bench/gas/chain.js'
import { toHex } from '../../src/core/bytes.js'
import { four } from './hostile-report.js'

const folder = new URL('../../contracts/artifacts/', import.meta.url)

interface Artifact {
  readonly contractName: string
  readonly abi: readonly (JsonFragment & { readonly stateMutability?: string })[]
  readonly bytecode: string
}

const artifacts = readdirSync(folder)
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Artifact)
  .filter(({ bytecode }) => bytecode !== '0x')

/** Signatures of the functions that are not marked as reading only. */
function changing(name: string): string[] {
  const artifact = artifacts.find(({ contractName }) => contractName === name)!
  const face = new Interface(artifact.abi)
  const functions: string[] = []
  face.forEachFunction((each) => {
    if (!['view', 'pure'].includes(each.stateMutability)) functions.push(each.format('sighash'))
  })
  return functions.sort()
}

/**
 * The other contracts have no owners: each function that changes something, and whose affair it is: the caller's own,
 * proven by a report, or that of whom the contract itself knows. A new function has to be put here, and thought about.
 */
const elsewhere: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AggregatorConsumer: { 'deposit()': 'own', 'withdraw(uint256)': 'own' },
  AggregatorFacade: {},
  BundleStore: { 'push()': 'proven' },
  FeedStore: { 'push()': 'proven' },
  LendingMarket: {
    'borrow(uint128)': 'own',
    'deposit()': 'own',
    'isLiquidatable(address)': 'proven',
    'lend(uint128)': 'own',
    'liquidate(address,uint128)': 'proven',
    'multicall(bytes[])': 'own',
    'repay(uint128)': 'own',
    'takeBack(uint128)': 'own',
    'withdraw(uint128)': 'own',
  },
  PythConsumer: { 'buy(bytes[])': 'own' },
  PythFacade: {
    'updatePriceFeeds(bytes[])': 'proven',
    'updatePriceFeedsIfNecessary(bytes[],bytes32[],uint64[])': 'proven',
  },
  RequestHub: {
    'answer(bytes32,bytes)': 'proven',
    'cancel(bytes32)': 'the requester',
    'expire(bytes32)': 'anybody, after the deadline',
    'request(bytes,uint64,uint32)': 'own',
    'requestFrom(string[],string[],uint64,uint32)': 'own',
  },
  Requester: {
    'ask()': 'anybody, when it is time',
    'giveUp()': 'anybody, when it is time',
    'onAnswer(bytes32,bytes32,int256,uint256,uint256,bytes)': 'the hub',
    'onRefused(bytes32,uint256)': 'the hub',
    'pay(address)': 'anybody, to whom it is owed',
  },
  WeatherInsurance: {
    'buy(uint256)': 'own',
    'claim(uint256,bytes)': 'proven',
    'offer(bytes32,int64,uint40,uint40,uint104)': 'own',
    'pay(uint256)': 'anybody, to the holder',
    'reclaim(uint256)': 'the insurer',
  },
}

type Role = 'owner' | 'pendingOwner' | 'guardian' | 'member' | 'anybody' | 'verifier' | 'registry'
const roles: readonly Role[] = ['owner', 'pendingOwner', 'guardian', 'member', 'anybody', 'verifier', 'registry']

/** One function with a call that would do something, and who may make it. */
interface Row {
  readonly on: 'fresh' | 'started' | 'verifier'
  readonly args: () => readonly unknown[]
  /** What the owner or guardian has to do before, and how long it takes. */
  readonly before?: () => Promise<void>
  readonly waitS?: number
  readonly may: readonly Role[]
  /** What everybody else is told. */
  readonly refusal: string
}

const delayS = 86_400
const guardian = '0x00000000000000000000000000000000000000f1'
const pendingOwner = '0x00000000000000000000000000000000000000f2'
const anybody = '0x00000000000000000000000000000000000000f3'
const never = 2n ** 256n - 1n
const signers = four.addresses.map(toHex)
const proposal = [2, 1, signers, 0] as const

let chain: Chain
let started: Deployed
let fresh: Deployed
let verifier: Deployed
let at: Readonly<Record<Role, string>>
let snapshot: unknown

const by = (method: string, ...args: readonly unknown[]) => chain.invoke(started, method, ...args)
const rows: Readonly<Record<string, Row>> = {
  'start(uint32,uint8,address[])': {
    on: 'fresh',
    args: () => [1, 1, signers],
    may: ['owner'],
    refusal: 'OwnableUnauthorizedAccount',
  },
  'propose(uint32,uint8,address[],uint256,uint256)': {
    on: 'started',
    args: () => [...proposal, never],
    may: ['owner'],
    refusal: 'OwnableUnauthorizedAccount',
  },
  'activate(uint32,uint8,address[],uint256)': {
    on: 'started',
    before: async () => void (await by('propose', ...proposal, never)),
    waitS: delayS,
    args: () => proposal,
    may: roles,
    refusal: '',
  },
  'cancel(bytes32)': {
    on: 'started',
    before: async () => void (await by('proposeGuardian', anybody, never)),
    args: () => [guardianAction],
    may: ['owner'],
    refusal: 'OwnableUnauthorizedAccount',
  },
  'pause()': { on: 'started', args: () => [], may: ['owner', 'guardian'], refusal: 'OnlyGuardian' },
  'proposeUnpause(uint256)': {
    on: 'started',
    before: async () => void (await by('pause')),
    args: () => [never],
    may: ['owner'],
    refusal: 'OwnableUnauthorizedAccount',
  },
  'unpause()': {
    on: 'started',
    before: async () => {
      await by('pause')
      await by('proposeUnpause', never)
    },
    waitS: delayS,
    args: () => [],
    may: roles,
    refusal: '',
  },
  'proposeGuardian(address,uint256)': {
    on: 'started',
    args: () => [anybody, never],
    may: ['owner'],
    refusal: 'OwnableUnauthorizedAccount',
  },
  'changeGuardian(address)': {
    on: 'started',
    before: async () => void (await by('proposeGuardian', anybody, never)),
    waitS: delayS,
    args: () => [anybody],
    may: roles,
    refusal: '',
  },
  'transferOwnership(address)': {
    on: 'started',
    args: () => [anybody],
    may: ['owner'],
    refusal: 'OwnableUnauthorizedAccount',
  },
  'acceptOwnership()': {
    on: 'started',
    args: () => [],
    may: ['pendingOwner'],
    refusal: 'OwnableUnauthorizedAccount',
  },
  // Reads only, by its mark, but would end all rotation if it did what it is called.
  'renounceOwnership()': { on: 'started', args: () => [], may: [], refusal: 'CannotRenounce' },
  'setWindow(uint40,uint40,bool)': {
    on: 'verifier',
    args: () => [0, 2 ** 40 - 1, false],
    may: ['registry'],
    refusal: 'OnlyRegistry',
  },
}
let guardianAction: string

beforeAll(async () => {
  chain = await startChain()
  const { provider } = chain
  const owner = ((await provider.send('eth_accounts', [])) as string[])[0]!
  const artifact = (name: string) => artifacts.find(({ contractName }) => contractName === name)
  const make = () => chain.deploy(artifact('CommitteeRegistry'), toHex(four.lineage), owner, guardian, delayS)
  started = await make()
  fresh = await make()
  await chain.invoke(started, 'start', 1, 1, signers)
  for (const registry of [started, fresh]) await chain.invoke(registry, 'transferOwnership', pendingOwner)
  const [address] = await chain.call(started, 'verifierOf', 1)
  verifier = { address: address as string, interface: new Interface(artifact('ReportVerifier')!.abi) }
  guardianAction = (await chain.call(started, 'guardianAction', anybody))[0] as string
  at = {
    owner,
    pendingOwner,
    guardian,
    member: signers[0]!,
    anybody,
    verifier: verifier.address,
    registry: started.address,
  }
  snapshot = await provider.send('evm_snapshot', [])
})
afterAll(() => chain?.stop())
beforeEach(async () => {
  await chain.provider.send('evm_revert', [snapshot])
  snapshot = await chain.provider.send('evm_snapshot', [])
})

/** What `role` is told when it calls: an error's name, or null when it may. */
async function refusalOf(target: Deployed, data: string, role: Role, timeS: number): Promise<string | null> {
  const call = { from: at[role], to: target.address, data }
  const response = await fetch(chain.provider._getConnection().url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'eth_call',
      params: [call, 'latest', {}, { time: `0x${timeS.toString(16)}` }],
    }),
  })
  const { error } = (await response.json()) as { error?: { message: string; data?: string } }
  if (error === undefined) return null
  return target.interface.parseError(error.data ?? '0x')?.name ?? error.message
}

describe('I24: every function of the ABI', () => {
  it('that changes something is in a table', () => {
    const tabled = Object.entries(rows).filter(([name]) => name !== 'renounceOwnership()')
    const of = (...on: Row['on'][]) => tabled.filter(([, row]) => on.includes(row.on)).map(([name]) => name)
    expect(changing('CommitteeRegistry')).toEqual(of('fresh', 'started').sort())
    expect(changing('ReportVerifier')).toEqual(of('verifier'))
    const found = artifacts.map(({ contractName }) => contractName)
    const others = found.filter((name) => name !== 'CommitteeRegistry' && name !== 'ReportVerifier')
    expect(Object.fromEntries(others.map((name) => [name, changing(name)]))).toEqual(
      Object.fromEntries(Object.entries(elsewhere).map(([name, functions]) => [name, Object.keys(functions).sort()])),
    )
  })

  it.each(Object.keys(rows))('%s does what it says for its roles, and nothing for others', async (name) => {
    const row = rows[name]!
    await row.before?.()
    const target = { fresh, started, verifier }[row.on]
    const data = target.interface.encodeFunctionData(name, row.args())
    const timeS = chain.now() + (row.waitS ?? 0)
    const told = await Promise.all(roles.map(async (role) => [role, await refusalOf(target, data, role, timeS)]))
    expect(told).toEqual(roles.map((role) => [role, row.may.includes(role) ? null : row.refusal]))
  })
})
