// A chain as transmitters see it, in memory: one store that takes pushed reports as FeedStore does, blocks, and who paid.

import type { Job, Outcome } from '../../src/chain/sender-state.js'
import { fromHex, getU48, toHex } from '../../src/core/bytes.js'
import type { StoredFeed, StoredView } from '../../src/deliver/facts.js'

/** A feed of a push, out of its calldata. */
interface PushedFeed {
  readonly feedId: string
  readonly fact: StoredFeed
  readonly validForS: number
}

/** A transaction that was mined. */
export interface Mined {
  readonly member: number
  readonly job: string
  readonly atMs: number
  readonly blockNumber: number
  /** T of its report. */
  readonly attestedAtMs: number
  /** Feeds that changed; none: it reverted. */
  readonly stored: readonly string[]
  /** What these feeds were before. */
  readonly before: ReadonlyMap<string, StoredFeed | null>
}

interface Waiting {
  readonly member: number
  readonly job: Job
  readonly done: (outcome: Outcome) => void
}

const gasUsed = 54_000n
const gasPrice = 3_000_000_001n

/** The chain; time is the caller's. */
export class ModelChain {
  readonly mined: Mined[] = []
  blockNumber = 0
  #feeds = new Map<string, StoredFeed>()
  #pool: Waiting[] = []
  readonly #after: (delayMs: number, run: () => void) => void
  readonly #confirmMs: number

  constructor(after: (delayMs: number, run: () => void) => void, confirmMs: number) {
    this.#after = after
    this.#confirmMs = confirmMs
  }

  view(): StoredView {
    const feeds = new Map(this.#feeds)
    const known = { get: (feedId: string) => feeds.get(feedId) ?? null }
    return { blockNumber: this.blockNumber, feeds: known as ReadonlyMap<string, StoredFeed | null> }
  }

  stored(feedId: string): StoredFeed | null {
    return this.#feeds.get(feedId) ?? null
  }

  enter(member: number, job: Job, done: (outcome: Outcome) => void): void {
    this.#pool.push({ member, job, done })
  }

  mine(nowMs: number): void {
    this.blockNumber++
    const pool = this.#pool
    this.#pool = []
    for (const { member, job, done } of pool) {
      const { attestedAtMs, feeds } = readPush(job.data)
      const newer = feeds.filter(
        ({ feedId, validForS }) =>
          (this.#feeds.get(feedId)?.attestedAtMs ?? 0) < attestedAtMs && attestedAtMs + 1000 * validForS >= nowMs,
      )
      const before = new Map(newer.map(({ feedId }) => [feedId, this.stored(feedId)]))
      for (const { feedId, fact } of newer) this.#feeds.set(feedId, fact)
      const { blockNumber } = this
      const stored = newer.map(({ feedId }) => feedId)
      this.mined.push({ member, job: job.id, atMs: nowMs, blockNumber, attestedAtMs, stored, before })
      const isSuccess = newer.length > 0
      const hash = `0x${this.mined.length.toString(16).padStart(64, '0')}`
      const receipt = { hash, blockNumber, blockHash: hash, isSuccess, gasUsed, paidWei: gasUsed * gasPrice }
      const end = isSuccess ? ('done' as const) : ('reverted' as const)
      this.#after(this.#confirmMs, () => done({ id: job.id, nonce: 0, end, receipt, atMs: nowMs }))
    }
  }

  /** Takes back all that was stored, as a reorganisation does; the head goes on. */
  revert(): void {
    this.#feeds = new Map()
  }

  /** Why a push of `data` would revert now. */
  whyReverts(data: string): string | null {
    const { attestedAtMs, feeds } = readPush(data)
    const isNewer = feeds.some(({ feedId }) => (this.#feeds.get(feedId)?.attestedAtMs ?? 0) < attestedAtMs)
    return isNewer ? null : 'NothingNewer'
  }
}

/** The full form of the wire format (docs/contracts.md), as far as what it says of feeds. */
function readPush(calldata: string): { readonly attestedAtMs: number; readonly feeds: readonly PushedFeed[] } {
  const data = fromHex(calldata)!
  if (toHex(data.subarray(-2)) !== '0xa55a') throw new Error('no report is appended')
  const report = data.subarray(4)
  const view = new DataView(report.buffer, report.byteOffset, report.byteLength)
  const attestedAtMs = getU48(report, 13)
  const feeds: PushedFeed[] = []
  let at = 24
  for (let bundle = 0; bundle < report[23]!; bundle++) {
    const count = report[at]!
    at += 33
    for (let i = 0; i < count; i++, at += 96) {
      const meta = at + 64
      const kind = report[meta + 17]!
      const word = BigInt(toHex(report.subarray(at + 32, at + 64)))
      const observedAtMs = Number(view.getBigUint64(meta + 24))
      const validForS = view.getUint32(meta + 20)
      const fact = {
        value: kind === 1 ? word >> 80n : BigInt.asIntN(176, word),
        attestedAtMs,
        observedAtMs,
        validUntilMs: observedAtMs + 1000 * validForS,
        status: report[meta + 19]!,
        kind,
      }
      feeds.push({ feedId: toHex(report.subarray(at, at + 32)), fact, validForS })
    }
    at += 1 + 32 * report[at]!
    for (let merges = report[at++]!; merges > 0; merges--) at += 1 + 32 * report[at]!
  }
  return { attestedAtMs, feeds }
}
