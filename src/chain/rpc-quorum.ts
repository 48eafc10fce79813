// The chain as enough endpoints agree on it: head, state at a block, receipts; and the way out for transactions.

import { keccak256 } from 'ethers'
import type { Clock } from '../base/clock.js'
import { OracleError } from '../base/errors.js'
import { type Block, type Receipt, toContents, toData, toReceipt } from './answers.js'
import { hold, sayingsOf, type Votes } from './ballot.js'
import { type ChainProfile, checkChainProfile } from './chain-profile.js'
import { createEndpoint, type EndpointConfig } from './endpoint.js'
import { tame } from './endpoint-error.js'
import { type EndpointFacts, EndpointHealth } from './endpoint-health.js'
import { createHeadWatch } from './head-watch.js'
import { type BlockRef, hex, type Question } from './questions.js'
import {
  ask,
  blockQuestion,
  countingOf,
  factsOf,
  type Member,
  noQuorum,
  noteFault,
  type Panel,
  standingOf,
} from './quorum-member.js'
import { outcomeOf, type SendOutcome } from './send-outcome.js'

/** What the endpoints said to a transaction. That one holds it is no evidence that it will be in a block. */
export interface Sent {
  readonly hash: string
  readonly accepted: boolean
  /** Why not, where nobody holds it and a quorum gives one reason; one endpoint's word is none. */
  readonly refusal: SendOutcome | null
  readonly outcomes: readonly { readonly endpoint: string; readonly outcome: SendOutcome; readonly message: string }[]
}

/** A receipt on the chain of the agreed head. */
export interface Inclusion {
  readonly receipt: Receipt
  /** 1 when it is in the head itself. */
  readonly confirmations: number
}

/** One chain through several endpoints. Each method but `facts` throws CHAIN_NO_QUORUM when too few agree. */
export interface RpcQuorum {
  readonly profile: ChainProfile
  /**
   * The highest block that a quorum confirms; asks anew at each call, and judges the endpoints. Never below an earlier
   * one of the same chain. CHAIN_SPLIT when endpoints contradict each other and no quorum decides. After either error
   * nothing is read or sent until a head is agreed on again.
   */
  head(): Promise<Block>
  /** The answer that a quorum gives at that very block. */
  read<T>(question: Question<T>, at: BlockRef): Promise<T>
  /** The block that a quorum has at that height. */
  blockAt(number: number): Promise<Block>
  /** What each counting endpoint says, at least a quorum of them: for what may differ, such as a tip or an estimate. */
  opinions<T>(question: Question<T>, at: BlockRef): Promise<readonly T[]>
  /** Gives a signed transaction to all counting endpoints. */
  send(raw: string): Promise<Sent>
  /** The inclusion of a transaction at or below `at`; null when a quorum sees none there. */
  receipt(hash: string, at: BlockRef): Promise<Inclusion | null>
  facts(): readonly EndpointFacts[]
  close(): void
}

export interface RpcQuorumParts {
  readonly endpoints: readonly EndpointConfig[]
  /** How many must agree; more than half of all that are configured, however many are lost. */
  readonly quorum: number
  readonly profile: ChainProfile
  readonly clock: Clock
  /** Told of each change of an endpoint's state. */
  readonly onHealth?: (facts: EndpointFacts) => void
  /** The deadline of one request, and the longest answer. */
  readonly timeoutMs?: number
  readonly bytesMax?: number
  /** For how long an endpoint must agree that gave a false answer which no lag or fork explains. */
  readonly liarMs?: number
}

/** A quorum over `endpoints`; CHAIN_CONFIG_INVALID where it could not be one. Asks nothing until it is asked. */
export function createRpcQuorum(parts: RpcQuorumParts): RpcQuorum {
  const { profile, quorum, clock, liarMs = 3_600_000 } = parts
  checkChainProfile(profile)
  checkEndpoints(parts)
  const members = parts.endpoints.map((config) => createMember(parts, config, () => !isClosed))
  const forkMs = Math.max(3, profile.confirmations) * profile.blockMs
  const panel: Panel = { members, quorum, profile, clock, liarMs, forkMs }
  const watch = createHeadWatch(panel)
  let halt: OracleError | null = null
  let watching: Promise<Block> | null = null
  let isClosed = false

  async function watchHead(): Promise<Block> {
    try {
      const block = await watch()
      halt = null
      return block
    } catch (error) {
      if (error instanceof OracleError) halt = error
      throw error
    } finally {
      watching = null
    }
  }

  /** The endpoints whose word counts; throws when they are too few or the chain is halted. */
  function voters(what: string): readonly Member[] {
    if (halt !== null) throw halt
    const able = countingOf(panel)
    if (able.length < quorum) throw noQuorum(panel, what, standingOf(panel))
    return able
  }

  /** The quorum's answer; `onVotes` gets all of them when the last one has come, whoever waits for it. */
  async function decide<T>(
    question: Question<T>,
    at: BlockRef,
    onVotes: (votes: Votes<Member, T>, answer: { readonly value: T; readonly key: string }) => void,
  ): Promise<T> {
    const { winner, votes } = hold(voters(question.name), quorum, (member) => ask(panel, member, question, at))
    const answer = await winner
    if (answer === null) throw noQuorum(panel, `${question.name}, block ${at.number}`, sayingsOf(await votes))
    void votes.then((all) => onVotes(all, answer))
    return answer.value
  }

  async function read<T>(question: Question<T>, at: BlockRef): Promise<T> {
    const value = await decide(question, at, ({ answers }, { key }) => {
      for (const answer of answers) {
        if (answer.key === key) continue
        const reason = `${question.name}, block ${at.number}: it says ${tame(answer.key, 80)}, others ${tame(key, 80)}`
        // By number a fork explains a difference, at a hash nothing does.
        accuse(answer.members, reason, question.isByNumber === true ? forkMs : liarMs)
      }
    })
    if (question.isByNumber !== true) return value
    const { hash } = await blockAt(at.number)
    if (hash === at.hash) return value
    throw noQuorum(panel, `${question.name}, block ${at.hash}`, `block ${at.number} is ${hash} by now`)
  }

  async function blockAt(number: number): Promise<Block> {
    const block = await decide(blockQuestion(number), { number, hash: '' }, () => {})
    if (block === null) throw noQuorum(panel, `block ${number}`, 'they have none')
    return block
  }

  function accuse(who: readonly Member[], reason: string, outMs: number): void {
    for (const { health } of who) health.out('lying', reason, clock(), outMs)
  }

  async function receipt(hash: string, at: BlockRef): Promise<Inclusion | null> {
    const found = await decide(receiptQuestion(hash), at, (votes, { value }) => {
      judgeReceipts(votes, value, at).catch((error: unknown) => {
        // Nobody is named when too few can say what the block holds.
        if (!(error instanceof OracleError)) throw error
      })
    })
    if (found === null || found.blockNumber > at.number) return null
    const { hash: blockHash } = await blockAt(found.blockNumber)
    if (blockHash !== found.blockHash) return null
    return { receipt: found, confirmations: at.number - found.blockNumber + 1 }
  }

  /** A receipt that others lack may be early, and a missing one late; false is one that the agreed block does not hold. */
  async function judgeReceipts(
    { answers }: Votes<Member, Receipt | null>,
    agreed: Receipt | null,
    at: BlockRef,
  ): Promise<void> {
    for (const { value, key, members: who } of answers) {
      if (value === null || value === agreed || value.blockNumber > at.number) continue
      let held = 'otherwise'
      if (value.blockHash !== agreed?.blockHash) {
        const contents = await decide(contentsQuestion(value.blockNumber), at, () => {})
        if (contents?.hash === value.blockHash && contents.transactions.includes(value.transactionHash)) continue
        held = 'that the block does not hold it'
      }
      accuse(who, `receipt of ${value.transactionHash}: it says ${tame(key, 80)}, others ${held}`, liarMs)
    }
  }

  async function give(member: Member, raw: string, hash: string): Promise<Sent['outcomes'][number]> {
    const endpoint = member.name
    try {
      const told = await member.endpoint.ask('eth_sendRawTransaction', [raw], (answer) => toData(answer, 32))
      if (told === hash) return { endpoint, outcome: 'taken', message: '' }
      accuse([member], `it calls transaction ${hash} ${told}`, liarMs)
      return { endpoint, outcome: 'gone', message: 'it gave another hash' }
    } catch (error) {
      const { fault, message } = noteFault(panel, member, error)
      return { endpoint, outcome: fault === 'refused' ? outcomeOf(message) : 'gone', message }
    }
  }

  return {
    profile,
    head() {
      watching ??= watchHead()
      return watching
    },
    read,
    blockAt,
    receipt,
    async opinions(question, at) {
      const able = voters(question.name)
      const all = await hold(able, quorum, (member) => ask(panel, member, question, at)).votes
      const values = all.answers.flatMap(({ value, members: who }) => who.map(() => value))
      if (values.length < quorum) throw noQuorum(panel, question.name, sayingsOf(all))
      return values
    },
    async send(raw) {
      const hash = keccak256(raw)
      const outcomes = await Promise.all(voters('sending').map((member) => give(member, raw, hash)))
      const kinds = outcomes.map(({ outcome }) => outcome)
      const accepted = kinds.some((kind) => kind === 'taken' || kind === 'known')
      const shared = kinds.find((kind) => kind !== 'gone' && kinds.filter((other) => other === kind).length >= quorum)
      return { hash, accepted, refusal: accepted ? null : (shared ?? null), outcomes }
    },
    facts: () => members.map(factsOf),
    close() {
      isClosed = true
      for (const { endpoint } of members) endpoint.close()
    },
  }
}

function createMember(parts: RpcQuorumParts, config: EndpointConfig, isOpen: () => boolean): Member {
  const { profile, clock, timeoutMs = 4_000, bytesMax = 8_000_000 } = parts
  const endpoint = createEndpoint(config, profile.chainId, { timeoutMs, bytesMax })
  const tell = (): void => {
    // What fails because it was closed is nobody's fault.
    if (isOpen()) parts.onHealth?.(factsOf(member))
  }
  const health = new EndpointHealth(profile.blockMs, clock(), tell)
  const member: Member = { name: config.name, endpoint, health, isOfThisChain: false, latest: null, movedAtMs: 0 }
  return member
}

function checkEndpoints({ endpoints, quorum }: RpcQuorumParts): void {
  const names = new Set(endpoints.map(({ name }) => name))
  const urls = new Set(endpoints.map(({ url }) => url))
  if (names.size !== endpoints.length || urls.size !== endpoints.length) {
    const message = 'Two RPC endpoints share a name or a URL, so that one would vote twice'
    throw new OracleError('CHAIN_CONFIG_INVALID', message, { path: '/endpoints' })
  }
  if (Number.isInteger(quorum) && quorum * 2 > endpoints.length && quorum <= endpoints.length) return
  const message = `A quorum of ${quorum} is not more than half of ${endpoints.length} endpoints, or more than all`
  throw new OracleError('CHAIN_CONFIG_INVALID', message, { path: '/quorum' })
}

function receiptQuestion(hash: string): Question<Receipt | null> {
  return {
    name: `the receipt of ${hash}`,
    method: 'eth_getTransactionReceipt',
    params: () => [hash],
    parse: (answer) => toReceipt(answer, hash),
  }
}

function contentsQuestion(number: number): Question<ReturnType<typeof toContents>> {
  const params = (): readonly unknown[] => [hex(number), false]
  return { name: `transactions of block ${number}`, method: 'eth_getBlockByNumber', params, parse: toContents }
}
