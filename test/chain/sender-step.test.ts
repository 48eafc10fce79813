// The sender's state machine, event by event: alarms that last as long as their reason, and what nodes and callers may say.

import { describe, expect, it } from 'vitest'
import type { SendOutcome } from '../../src/chain/send-outcome.js'
import { restoreSender } from '../../src/chain/sender-restore.js'
import {
  hashesToAsk,
  type Job,
  type Receipt,
  type SenderEffect,
  type SenderEvent,
  type SenderRules,
  type SenderState,
  type Sight,
  standingOf,
} from '../../src/chain/sender-state.js'
import { stepSender } from '../../src/chain/sender-step.js'
import { rulesOf } from './anvil-sender.js'

const gas = 21_000n
const limits = { perGasMax: 100n, tipMin: 1n, tipMax: 10n, perTransactionMax: 10n ** 12n, perHourMax: 10n ** 12n }
const baseRules = rulesOf('0xa1', { balanceMinWei: 1n, confirmations: 3, finalityBlocks: 10, limits })
const job = (id: string, priority = 0): Job => ({ id, to: '0xb1', data: '0xc1', gasLimit: gas, priority })

/** A state that events are fed to, with all that was asked for. */
class Script {
  state: SenderState = restoreSender([])
  readonly rules: SenderRules
  readonly chain: Map<string, Receipt> = new Map()
  effects: SenderEffect[] = []
  #signed = 0
  sight: Sight = {
    number: 1,
    hash: '0x1',
    count: 0,
    balance: 10n ** 9n,
    baseFeePerGas: 10n,
    tipPerGas: 1n,
    receipts: new Map(),
  }

  constructor(own: Partial<SenderRules> = {}) {
    this.rules = { ...baseRules, ...own }
  }

  /** One event; what it asks to be signed is signed at once. */
  feed(event: SenderEvent): void {
    const { state, effects } = stepSender(this.rules, this.state, event, 1000)
    this.state = state
    this.effects.push(...effects)
    for (const effect of effects) {
      if (effect.kind !== 'sign') continue
      const { nonce, fees, isFiller } = effect
      const hash = `0x${nonce}-${this.#signed++}`
      this.feed({ kind: 'signed', nonce, attempt: { hash, raw: hash, fees, isFiller } })
    }
  }

  /** The next head, with the receipts that the chain has. */
  see(change: Partial<Sight> = {}): void {
    const number = change.number ?? this.sight.number + 1
    const { newest, older } = hashesToAsk(this.state)
    const receipts = new Map([...newest, ...older].map((hash) => [hash, this.chain.get(hash) ?? null]))
    this.sight = { ...this.sight, ...change, number, receipts: change.receipts ?? receipts }
    this.feed({ kind: 'seen', sight: this.sight })
  }

  submit(...jobs: readonly Job[]): void {
    for (const one of jobs) this.feed({ kind: 'submitted', job: one })
  }

  answer(nonce: number, answer: SendOutcome): void {
    const hash = this.state.flights.find((flight) => flight.nonce === nonce)!.attempts.at(-1)!.hash
    this.feed({ kind: 'answered', nonce, hash, answer })
  }

  /** Puts the attempt `tries` at `nonce` into a block. */
  mine(nonce: number, blockNumber: number, tries = -1, isSuccess = true): void {
    const { hash } = this.state.flights.find((flight) => flight.nonce === nonce)!.attempts.at(tries)!
    this.chain.set(hash, { hash, blockNumber, blockHash: `0xb${blockNumber}`, isSuccess, gasUsed: gas, paidWei: 7n })
  }

  /** What was told since the last call. */
  told(): readonly string[] {
    const told = this.effects.flatMap((effect) => {
      if (effect.kind !== 'tell') return []
      const { news } = effect
      if (news.kind === 'alarm') return [`${news.isRaised ? '+' : '-'}${news.code}`]
      if (news.kind === 'ended') return [`${news.outcome.id} ${news.outcome.end}`]
      return [`${news.kind === 'sent' ? news.job.id : news.id} ${news.kind} ${news.nonce}`]
    })
    this.effects = []
    return told
  }

  sends(): number {
    return this.effects.filter(({ kind }) => kind === 'send').length
  }
}

describe('a raise', () => {
  it('an attempt below the base fee of a new head is raised at once, one that a block may take waits its blocks', () => {
    const script = new Script({ raiseAfterBlocks: 2 })
    script.see({ baseFeePerGas: 10n })
    script.submit(job('a'))
    const { maxFeePerGas } = script.state.flights[0]!.attempts[0]!.fees
    // The same head again says nothing of the next block.
    script.see({ number: script.sight.number, baseFeePerGas: maxFeePerGas + 1n })
    expect(script.state.flights[0]!.attempts).toHaveLength(1)
    script.see({ baseFeePerGas: maxFeePerGas })
    expect(script.state.flights[0]!.attempts).toHaveLength(1)
    const other = new Script({ raiseAfterBlocks: 2 })
    other.see({ baseFeePerGas: 10n })
    other.submit(job('a'))
    other.see({ baseFeePerGas: maxFeePerGas + 1n })
    expect(other.state.flights[0]!.attempts).toHaveLength(2)
  })
})

describe('alarms', () => {
  it('last while a transaction under way waits at the cap, and are told twice: when it begins and when it ends', () => {
    const script = new Script()
    script.see()
    script.submit(job('a'))
    expect(script.told()).toEqual(['a sent 0'])
    for (let i = 0; i < 7; i++) script.see({ baseFeePerGas: 100n })
    expect(script.told()).toEqual(['+FEE_CAP'])
    script.see({ baseFeePerGas: 10n })
    expect(script.told()).toEqual(['-FEE_CAP', 'a sent 0'])
  })

  it('last while jobs without a nonce wait at the cap, and doubt is asked about when they could go', () => {
    const script = new Script()
    script.see({ baseFeePerGas: 100n })
    script.submit(job('a'))
    for (let i = 0; i < 7; i++) script.see()
    expect(script.told()).toEqual(['+FEE_CAP'])
    script.see({ baseFeePerGas: 10n })
    expect(script.effects.map(({ kind }) => kind)).toEqual(['ask', 'tell'])
    script.feed({ kind: 'wanted', id: 'a', isWanted: true })
    expect(script.told()).toEqual(['-FEE_CAP', 'a sent 0'])
  })

  it('speak of the balance when it is below the minimum, does not cover a job, or a node says so', () => {
    const script = new Script({ balanceMinWei: 1000n, raiseAfterBlocks: 9 })
    script.see({ balance: 999n })
    script.submit(job('a'))
    expect([script.told(), script.state.flights.length]).toEqual([['+LOW_BALANCE'], 0])
    script.see({ balance: 22n * gas })
    expect([script.told(), script.state.flights.length]).toEqual([['-LOW_BALANCE', 'a sent 0'], 1])
    script.submit(job('b'))
    expect(script.told()).toEqual(['+LOW_BALANCE'])
    script.see({ balance: 10n ** 9n })
    expect(script.told()).toEqual(['-LOW_BALANCE', 'b sent 1'])
    script.answer(1, 'funds')
    script.submit(job('c'))
    script.see()
    expect([script.told(), script.state.queue.length, standingOf(script.state, script.rules)]).toEqual([
      ['+LOW_BALANCE'],
      1,
      'poor',
    ])
    script.see({ balance: 10n ** 9n + 1n })
    expect([...script.told()].sort()).toEqual(['-LOW_BALANCE', 'c sent 2'])
  })

  it('say that the journal fails until a line is written, and the nonce stays free', () => {
    const script = new Script()
    script.see()
    const { state } = stepSender(script.rules, script.state, { kind: 'submitted', job: job('a') }, 0)
    script.state = state
    script.feed({ kind: 'unsigned', nonce: 0, code: 'JOURNAL_WRITE_FAILED' })
    expect([script.told(), script.state.flights, script.state.queue.length]).toEqual([['+JOURNAL_WRITE_FAILED'], [], 1])
    script.see()
    expect([...script.told()].sort()).toEqual(['-JOURNAL_WRITE_FAILED', 'a sent 0'])
  })
})

describe('nonces', () => {
  it('that a failed replacement leaves keep what was sent before', () => {
    const script = new Script()
    script.see()
    script.submit(job('a'))
    script.answer(0, 'underpriced')
    const signing = stepSender(
      script.rules,
      script.state,
      { kind: 'seen', sight: { ...script.sight, number: 2, receipts: new Map([['0x0-0', null]]) } },
      0,
    )
    expect(signing.effects.map(({ kind }) => kind)).toEqual(['sign'])
    script.state = signing.state
    script.feed({ kind: 'unsigned', nonce: 0, code: null })
    expect(script.state.flights[0]).toMatchObject({ nonce: 0, signing: null, attempts: [{ hash: '0x0-0' }] })
    expect(script.state.queue).toEqual([])
  })

  it('are raised at the next sight when a node says too little, not before their time otherwise', () => {
    for (const [answer, tries] of [
      ['taken', 1],
      ['known', 1],
      ['gone', 1],
      ['nonceTooLow', 1],
      ['underpriced', 2],
      ['feeTooLow', 2],
    ] as const) {
      const script = new Script()
      script.see()
      script.submit(job('a'))
      script.answer(0, answer)
      script.see()
      expect(script.state.flights[0]!.attempts.length, answer).toBe(tries)
      expect(standingOf(script.state, script.rules), answer).toBe(tries > 1 ? 'stuck' : 'free')
    }
  })

  it('behind the first in line are handed out again, and raised only when no block could take them', () => {
    const script = new Script()
    script.see()
    script.submit(job('a'), job('b'))
    script.effects = []
    for (let i = 0; i < 2; i++) script.see()
    expect(script.sends()).toBe(2)
    expect(script.state.flights.map(({ attempts }) => attempts.length)).toEqual([2, 1])
    for (let i = 0; i < 2; i++) script.see({ baseFeePerGas: 40n })
    expect(script.state.flights.map(({ attempts }) => attempts.length)).toEqual([3, 2])
  })

  it('never number more than allowed at once, but for gaps', () => {
    const script = new Script({ flightsMax: 2 })
    script.see()
    script.submit(job('a'), job('b', 1), job('c', 2))
    expect(script.state.flights.length).toBe(2)
    expect(standingOf(script.state, script.rules)).toBe('full')
    // A chain that has forgotten more than it ever should: the nonces below those under way are filled up.
    script.state = {
      ...script.state,
      flights: script.state.flights.map((flight) => ({ ...flight, nonce: flight.nonce + 2 })),
    }
    script.see()
    expect(script.state.flights.map(({ nonce, job: { id } }) => [nonce, id])).toEqual([
      [0, 'c'],
      [1, 'filler/1'],
      [2, 'a'],
      [3, 'b'],
    ])
  })

  it('count the age of an attempt anew when a reorganisation lowers the head', () => {
    const script = new Script()
    script.see({ number: 50 })
    script.submit(job('a'))
    for (const number of [48, 49]) script.see({ number })
    expect(script.state.flights[0]!.attempts.length).toBe(1)
    script.see({ number: 50 })
    expect(script.state.flights[0]!.attempts.length).toBe(2)
  })

  it('taken by another are believed lost only after the depth, and silence about a receipt proves nothing', () => {
    const script = new Script()
    script.see()
    script.submit(job('a'))
    script.told()
    for (let i = 0; i < 9; i++) script.see({ count: 1, receipts: new Map() })
    expect([script.told(), script.state.flights.length]).toEqual([[], 1])
    script.see({ receipts: new Map([['0x0-0', null]]) })
    script.see({ receipts: new Map([['0x0-0', null]]) })
    expect([script.told(), script.state.flights.length]).toEqual([['+NONCE_TAKEN'], 1])
    script.see({ receipts: new Map([['0x0-0', null]]) })
    expect([script.state.flights.length, script.state.doubted.map(({ id }) => id)]).toEqual([0, ['a']])
    script.effects = []
    script.see()
    expect(script.effects.filter(({ kind }) => kind === 'ask').length).toBe(1)
    script.feed({ kind: 'wanted', id: 'a', isWanted: false })
    expect(script.told()).toContain('a superseded')
  })
})

describe('a job with two nonces, since a crash came before the loss of the first was on disk', () => {
  it('is not sent a third time when the first is found lost again', () => {
    const script = new Script()
    const attempt = (nonce: number) => ({
      hash: `0xa${nonce}`,
      raw: '',
      fees: { maxFeePerGas: 30n, maxPriorityFeePerGas: 1n },
      isFiller: false,
    })
    const entries = [0, 1].map((nonce) => ({ kind: 'attempt', nonce, job: job('a'), attempt: attempt(nonce) }) as const)
    script.state = restoreSender(entries)
    for (let i = 0; i < 5; i++) script.see({ count: 1 })
    expect(script.state.flights.map(({ nonce }) => nonce)).toEqual([1])
    expect([script.state.doubted, script.effects.filter(({ kind }) => kind === 'ask')]).toEqual([[], []])
  })
})

describe('ends', () => {
  it('are told at the depth, once, as the chain has them', () => {
    const script = new Script()
    script.see({ number: 1 })
    script.submit(job('a'), job('b'))
    script.mine(0, 2)
    script.mine(1, 2, -1, false)
    script.told()
    for (const number of [2, 3]) script.see({ number, count: 2 })
    expect(script.told()).toEqual([])
    for (const number of [4, 5, 6]) script.see({ number })
    expect(script.told()).toEqual(['a done', 'b reverted'])
    script.submit(job('a'))
    expect(script.told()).toEqual(['a done'])
    script.see({ number: 11 })
    expect([script.state.flights, script.effects.map(({ kind }) => kind)]).toEqual([[], ['write', 'write']])
    script.submit(job('b'))
    expect([script.told(), script.state.flights]).toEqual([['b reverted'], []])
  })

  it('are taken back by a reorganisation, and told anew when another attempt is in', () => {
    const script = new Script({ raiseAfterBlocks: 1 })
    script.see({ number: 1 })
    script.submit(job('a'))
    script.see({ number: 2 })
    expect(script.state.flights[0]!.attempts.length).toBe(2)
    script.mine(0, 3)
    for (const number of [3, 4, 5]) script.see({ number, count: 1 })
    script.told()
    script.chain.clear()
    script.see({ number: 5, count: 0 })
    expect([script.told(), script.state.outcomes.size]).toEqual([['a undone 0'], 0])
    script.mine(0, 6, 0)
    for (const number of [6, 7]) script.see({ number, count: 1 })
    expect(script.told()).toEqual([])
    script.see({ number: 8 })
    expect(script.told()).toEqual(['a done'])
    // The same transaction in another block, with another end.
    script.mine(0, 6, 0, false)
    script.see({ number: 9 })
    expect(script.told()).toEqual(['a undone 0', 'a reverted'])
  })

  it('in several blocks are all taken back at the first sight after a reorganisation', () => {
    const script = new Script({ confirmations: 1 })
    script.see({ number: 1 })
    script.submit(job('a'), job('b'), job('c'))
    for (const nonce of [0, 1, 2]) script.mine(nonce, 2 + nonce)
    for (const number of [2, 3, 4]) script.see({ number, count: number - 1 })
    expect(hashesToAsk(script.state)).toEqual({ newest: ['0x2-2'], older: ['0x0-0', '0x1-1'] })
    script.told()
    script.chain.clear()
    script.see({ number: 4, count: 0 })
    expect(script.told()).toEqual(['a undone 0', 'b undone 1', 'c undone 2'])
  })

  it('of a job that nodes refuse come with the filler at its nonce, or with what took that', () => {
    for (const isStolen of [false, true]) {
      const script = new Script()
      script.see({ number: 1 })
      script.submit(job('a'))
      script.answer(0, 'refused')
      script.see({ number: 2 })
      expect(script.state.flights[0]!.attempts.map(({ isFiller }) => isFiller)).toEqual([false, true])
      expect(script.told().filter((text) => text.endsWith('JOB_REFUSED'))).toEqual(['+JOB_REFUSED'])
      if (!isStolen) script.mine(0, 3)
      for (const number of [3, 4, 5]) script.see({ number, count: 1 })
      expect(script.told()).toContain('a refused')
      script.see({ number: 6 })
      expect([...script.state.alarms]).toEqual([])
    }
  })
})
