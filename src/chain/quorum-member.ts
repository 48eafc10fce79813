// One endpoint as a voter: what it is asked, what is noted of its failures, and what is said of it.

import type { Clock } from '../base/clock.js'
import { OracleError } from '../base/errors.js'
import { type Block, toBlock } from './answers.js'
import type { ChainProfile } from './chain-profile.js'
import type { Endpoint } from './endpoint.js'
import { EndpointError } from './endpoint-error.js'
import type { EndpointFacts, EndpointHealth } from './endpoint-health.js'
import { type BlockRef, hex, type Question } from './questions.js'

/** An endpoint with its standing and the head it last showed. */
export interface Member {
  readonly name: string
  readonly endpoint: Endpoint
  readonly health: EndpointHealth
  /** Its chain id was seen since it last failed. */
  isOfThisChain: boolean
  latest: Block | null
  /** Steady time at which its head last changed. */
  movedAtMs: number
}

/** What the parts of one quorum share. */
export interface Panel {
  readonly members: readonly Member[]
  readonly quorum: number
  readonly profile: ChainProfile
  readonly clock: Clock
  /** For how long an endpoint must agree after an answer that nothing but a lie explains; forkMs where a fork may. */
  readonly liarMs: number
  readonly forkMs: number
}

/** Those whose word counts. */
export function countingOf({ members }: Panel): readonly Member[] {
  return members.filter(({ health }) => health.counts)
}

/**
 * The answer of one member; EndpointError where there is none, which is noted unless it is a JSON-RPC error or the
 * question may fail: a node that gives no long list of events sees heads and balances as well as any.
 */
export async function ask<T>(panel: Panel, member: Member, question: Question<T>, at: BlockRef): Promise<T> {
  try {
    return await member.endpoint.ask(question.method, question.params(at), question.parse)
  } catch (error) {
    const isExcused = question.mayFail === true && error instanceof EndpointError
    const fault = isExcused ? error : noteFault(panel, member, error)
    if (fault.fault !== 'refused' || question.refused === undefined) throw fault
    return question.refused(fault)
  }
}

/** Notes an answer that could not be used: a JSON-RPC error is no fault by itself, and a bug of ours is passed on. */
export function noteFault(panel: Panel, member: Member, error: unknown): EndpointError {
  if (!(error instanceof EndpointError)) throw error
  if (error.fault !== 'refused') fail(panel, member, error)
  return error
}

/** The endpoint does not count until it agrees again, its chain id first. */
export function fail({ clock }: Panel, member: Member, error: EndpointError): void {
  member.isOfThisChain = false
  member.health.failed(error.message, clock(), error.restMs)
}

/** The block that one member has at `number`; null where it shows none. */
export async function blockOf(panel: Panel, member: Member, number: number): Promise<Block | null> {
  try {
    return await ask(panel, member, blockQuestion(number), { number, hash: '' })
  } catch (error) {
    if (error instanceof EndpointError) return null
    throw error
  }
}

/** The block at a height, whichever it is. */
export function blockQuestion(number: number): Question<Block | null> {
  return {
    name: `block ${number}`,
    method: 'eth_getBlockByNumber',
    params: () => [hex(number), false],
    parse: (answer) => {
      const block = toBlock(answer)
      if (block !== null && block.number !== number) throw new Error('the block has another number')
      return block
    },
  }
}

/** What is shown of a member. */
export function factsOf({ name, health, latest }: Member): EndpointFacts {
  const { state, sinceMs, reason } = health
  return { name, state, sinceMs, reason, head: latest?.number ?? null }
}

/** The names of `members`, for messages. */
export function namesOf(members: readonly Member[]): string {
  return members.map(({ name }) => name).join(', ')
}

/** How all members stand, for an error. */
export function standingOf({ members }: Panel): string {
  const lines = members.map(({ name, health, latest }) => {
    if (!health.counts) return `${name}: ${health.state} (${health.reason})`
    return `${name}: counting${latest === null ? '' : ` at ${latest.number}`}`
  })
  return lines.join('; ')
}

/** CHAIN_NO_QUORUM: `what` was not agreed on, and who `said` what. */
export function noQuorum({ profile, quorum }: Panel, what: string, said: string): OracleError {
  const facts = { chain: profile.name, quorum, said }
  const message = `${profile.name}: fewer than ${quorum} endpoints agree on ${what} (${said})`
  return new OracleError('CHAIN_NO_QUORUM', message, { facts })
}
