// Sees every signature, delivery and step of a run, and says which invariant is broken first (I-1 to I-6, P5–P12).

import { equalBytes } from '../../src/core/bytes.js'
import { compareSlots, type Draft, type Slot } from '../../src/core/messages.js'
import type { AttestedReport } from '../../src/core/report.js'
import type { SealSet, State } from '../../src/core/state.js'
import type { Stage } from './stage.js'
import { judgeReader } from './witness-reader.js'
import { judgeValues, type Observed } from './witness-values.js'

/** The report of a schedule that is also judged as its readers would. */
const readReport = 5

export interface Violation {
  /** The invariant or protocol step. */
  readonly code: string
  readonly text: string
  readonly atMs: number
}

/** One digest that somebody attested to. Masks have one bit a member. */
interface ReportBook {
  readonly digest: Uint8Array
  readonly attestedAtMs: number
  honest: number
  all: number
  sealed: number
  isCertifiable: boolean
}

/** Everything signed in one slot. */
interface SlotBook extends Slot {
  readonly observed: (Observed | null)[]
  readonly observations: (Uint8Array | null)[]
  readonly proposals: (Uint8Array | null)[]
  readonly attestations: (Uint8Array | null)[]
  readonly reports: ReportBook[]
  begunInLife: number | null
  delivered: Uint8Array | null
}

/** What a signer was like when it signed. */
export interface Signer {
  readonly member: number
  readonly wallMs: number
  /** Null while the process has not finished its start. */
  readonly state: State | null
  readonly isAstray: boolean
  /** Its wall clock jumped a moment ago. */
  readonly isShaken: boolean
}

export class Witness {
  readonly #stage: Stage
  readonly #codes: readonly string[] | null
  readonly #n: number
  readonly #f: number
  /** ⌊(n+f)/2⌋+1, computed here: the checker does not believe the code under test. */
  readonly #quorum: number
  readonly #slots = new Map<bigint, SlotBook>()
  readonly #lastAttested: { slot: Slot; timeMs: number }[]
  readonly #wishes: number[]
  /** The highest epoch each member signed in, and the one at or below which it must not sign again. */
  readonly #signedIn: number[]
  readonly #bound: number[]
  #highestEpoch = 0
  readonly #identities: readonly (readonly number[])[]
  /** Members that do not count as honest: byzantine, or two machines with one key. */
  readonly faulty: Set<number> = new Set()
  violation: Violation | null = null
  /** Slots delivered to an honest member, and the true time of the newest. */
  reports = 0
  lastReportAtMs = -1

  /** `codes`: the violations to look for, all when null. */
  constructor(stage: Stage, codes: readonly string[] | null = null) {
    this.#stage = stage
    this.#codes = codes
    const { committee } = stage.cast.now
    const { n, f } = committee.thresholds
    this.#n = n
    this.#f = f
    this.#quorum = Math.floor((n + f) / 2) + 1
    this.#lastAttested = Array.from({ length: n }, () => ({ slot: { epoch: 0, round: 0 }, timeMs: -1 }))
    this.#wishes = Array(n).fill(0)
    this.#signedIn = Array(n).fill(-1)
    this.#bound = Array(n).fill(-1)
    this.#identities = committee.feeds.map((feed) =>
      feed.fields.flatMap((field, i) => (field.combine === 'identity' ? [i] : [])),
    )
  }

  /** Records the first violation; later ones follow from it. */
  accuse(code: string, text: string): void {
    if (this.#codes !== null && !this.#codes.includes(code)) return
    this.violation ??= { code, text, atMs: this.#stage.queue.nowMs }
  }

  /** An honest leader's begin left it, in its `life`-th life: a slot is begun in one life only (P9). */
  began(member: number, slot: Slot, life: number): void {
    const book = this.#book(slot)
    if (book.begunInLife !== null && book.begunInLife !== life)
      this.accuse('P9', `${member} began slot ${slot.epoch}/${slot.round} before and after a restart`)
    book.begunInLife = life
  }

  /** A member starts without a provable record: what it signed so far must bind it by the claims of others (P9). */
  unproven(member: number): void {
    this.#bound[member] = this.#signedIn[member]!
  }

  /** A signature of a faulty member on a report header. */
  attestedByFaulty(member: number, slot: Slot, digest: Uint8Array, attestedAtMs: number): void {
    this.#attested(this.#book(slot), member, digest, attestedAtMs, false)
  }

  /** A signature of an honest key, before it is handed out. */
  signed(signer: Signer, draft: Draft, digest: Uint8Array): void {
    const { member, state } = signer
    if (state?.halted && draft.kind !== 'disown') this.accuse('P9', `${draft.kind} of ${member}: signed while halted`)
    if (this.faulty.has(member)) {
      if (draft.kind === 'attestation') this.attestedByFaulty(member, draft, digest, draft.attestedAtMs)
      return
    }
    const at = `${draft.kind} of ${member} in slot ${draft.epoch}/${draft.round}`
    if (state === null) return this.accuse('P9', `${at}: signed during start`)
    if (draft.kind === 'disown') {
      if (state.halted !== 'KEY_IN_USE_ELSEWHERE') this.accuse('P9', `${at}: disowned and went on`)
      return
    }
    if (state.standing !== 'sound') this.accuse('P9', `${at}: signed while ${state.standing}`)
    if (state.closed.length > 0) this.accuse('P9', `${at}: signed while closed by ${state.closed[0]!.by}`)
    const book = this.#book(draft)
    if (draft.kind === 'seal') return this.#sealed(book, member, draft.reportDigest, at)
    if (draft.epoch !== state.epoch) this.accuse('P7', `${at}: signed in epoch ${state.epoch}`)
    if (draft.epoch <= this.#bound[member]!)
      this.accuse('P9', `${at}: it may have signed in that epoch before its loss`)
    this.#signedIn[member] = Math.max(this.#signedIn[member]!, draft.epoch)
    const { durable } = state
    const timeMs = draft.kind === 'attestation' ? draft.attestedAtMs : 0
    if (compareSlots(draft, durable.floor) > 0 || timeMs > durable.floorMs)
      this.accuse('P9', `${at}: above the durable floor`)
    const held =
      draft.kind === 'observation' ? book.observations : draft.kind === 'proposal' ? book.proposals : book.attestations
    if (held[member]) this.accuse('S3', `${at}: signed twice${equalBytes(held[member], digest) ? '' : ', differently'}`)
    held[member] = digest
    if (draft.kind === 'observation') this.#observed(book, signer, draft, at)
    else if (draft.kind === 'attestation') this.#attests(book, signer, digest, draft.attestedAtMs, at)
    else this.#proposes(draft, at)
  }

  #observed(book: SlotBook, signer: Signer, draft: Extract<Draft, { kind: 'observation' }>, at: string): void {
    const { clockMs, readings } = draft
    book.observed[signer.member] = { clockMs, readings, isAstray: signer.isAstray }
    const leader = this.#leaderOf(draft.epoch)
    if (!this.faulty.has(leader) && book.begunInLife === null)
      this.accuse('P5', `${at}: the leader ${leader} began no such round`)
  }

  #proposes(draft: Extract<Draft, { kind: 'proposal' }>, at: string): void {
    const members = new Set(draft.observations.map((observation) => observation.member))
    if (members.size < this.#n - this.#f) this.accuse('P6', `${at}: only ${members.size} observations`)
  }

  #attests(book: SlotBook, signer: Signer, digest: Uint8Array, attestedAtMs: number, at: string): void {
    const { member } = signer
    const last = this.#lastAttested[member]!
    if (compareSlots(book, last.slot) <= 0) this.accuse('S3', `${at}: after ${last.slot.epoch}/${last.slot.round}`)
    if (attestedAtMs <= last.timeMs) this.accuse('I-4', `${at}: T ${attestedAtMs} after ${last.timeMs}`)
    this.#lastAttested[member] = { slot: book, timeMs: attestedAtMs }
    const { skewMs, slotMs } = this.#stage.cast.now.committee.timing
    if (!signer.isShaken && Math.abs(attestedAtMs - signer.wallMs) > skewMs + slotMs)
      this.accuse('P7', `${at}: T is ${attestedAtMs - signer.wallMs} ms off its clock`)
    const leader = this.#leaderOf(book.epoch)
    if (!this.faulty.has(leader) && !book.proposals[leader]) this.accuse('P7', `${at}: nothing was proposed`)
    this.#attested(book, member, digest, attestedAtMs, true)
  }

  #attested(book: SlotBook, member: number, digest: Uint8Array, attestedAtMs: number, isHonest: boolean): void {
    let report = book.reports.find((known) => equalBytes(known.digest, digest))
    if (report === undefined) {
      report = { digest, attestedAtMs, honest: 0, all: 0, sealed: 0, isCertifiable: false }
      book.reports.push(report)
    }
    report.all |= 1 << member
    if (isHonest) report.honest |= 1 << member
    // The faulty can add their signatures at any time.
    if (report.isCertifiable || bits(report.honest) + this.faulty.size < this.#quorum) return
    report.isCertifiable = true
    this.#certifiable(book, report)
  }

  /** I-1 and I-4 over all that could be shown a quorum for. */
  #certifiable(book: SlotBook, report: ReportBook): void {
    this.#highestEpoch = Math.max(this.#highestEpoch, book.epoch)
    if (book.reports.some((other) => other !== report && other.isCertifiable))
      this.accuse('I-1', `two reports can be certified in slot ${book.epoch}/${book.round}`)
    for (const other of this.#slots.values()) {
      const order = compareSlots(other, book)
      if (order === 0) continue
      for (const known of other.reports) {
        if (known.isCertifiable && Math.sign(known.attestedAtMs - report.attestedAtMs) !== order)
          this.accuse('I-4', `T of ${other.epoch}/${other.round} and ${book.epoch}/${book.round} are out of order`)
      }
    }
  }

  #sealed(book: SlotBook, member: number, reportDigest: Uint8Array, at: string): void {
    const report = book.reports.find((known) => equalBytes(known.digest, reportDigest))
    if (report === undefined || bits(report.all) < this.#quorum) return this.accuse('P11', `${at}: no quorum attested`)
    report.sealed |= 1 << member
  }

  /** An honest member hands a report to its store. */
  delivered(member: number, report: AttestedReport): void {
    const book = this.#book(report)
    const at = `report ${report.epoch}/${report.round} at ${member}`
    const known = book.reports.find((candidate) => equalBytes(candidate.digest, report.digest))
    const distinct = report.signers.reduce((mask, signer) => mask | (1 << signer), 0)
    const isGenuine = known !== undefined && (distinct & ~known.all) === 0
    if (bits(distinct) < this.#quorum || bits(distinct) !== report.signers.length || !isGenuine)
      this.accuse('I-5', `${at}: signers ${report.signers.join(' ')} are no quorum that attested`)
    if (book.delivered !== null) {
      if (!equalBytes(book.delivered, report.digest)) this.accuse('I-1', `${at}: another one was delivered`)
      return
    }
    book.delivered = report.digest
    this.reports++
    this.lastReportAtMs = this.#stage.queue.nowMs
    const { engine, now, keys } = this.#stage.cast
    report.signers.forEach((signer, i) => {
      const address = engine.recover(report.digest, report.signatures[i]!)
      if (address === null || !equalBytes(address, engine.addressOf(keys[signer]!)))
        this.accuse('I-5', `${at}: the signature of ${signer} does not verify`)
    })
    const { kernel, digestOf } = now.contexts[member]!
    if (!equalBytes(digestOf(report), report.digest) || !equalBytes(kernel.root(report.values), report.root))
      this.accuse('I-3', `${at}: its values are not those signed`)
    const honest = book.observed.filter((observed) => observed !== null)
    if (honest.length === 0) return this.accuse('I-2', `${at}: no honest member observed`)
    const fault = judgeValues(kernel.layout, this.#identities, report, honest)
    if (fault !== null) this.accuse('I-2', `${at}: ${fault}`)
    // A reader's whole check is dear: one report a schedule.
    const misled = this.reports === readReport ? judgeReader(this.#stage, report) : null
    if (misled !== null) this.accuse('I-6', `${at}: ${misled}`)
  }

  /** An honest member hands on f+1 seals. */
  deliveredSeals(member: number, seals: SealSet): void {
    const book = this.#book(seals)
    const report = book.reports.find((known) => equalBytes(known.digest, seals.reportDigest))
    const honest = seals.signers.filter((signer) => !this.faulty.has(signer))
    if (
      new Set(seals.signers).size <= this.#f ||
      !report ||
      honest.some((signer) => (report.sealed & (1 << signer)) === 0)
    )
      this.accuse('I-5', `seals of ${seals.epoch}/${seals.round} at ${member}: not of f+1 members`)
  }

  /** An honest member's wish leaves it: on disk before, and never further ahead than honest members lead (P12). */
  wished(member: number, epoch: number, state: State | null): void {
    if (this.faulty.has(member) || epoch <= this.#wishes[member]!) return
    if (state !== null && epoch > state.durable.wish) this.accuse('P12', `wish ${epoch} of ${member} is not on disk`)
    const ahead = Math.max(...this.#wishes, this.#highestEpoch)
    if (epoch > ahead + 1) this.accuse('P12', `${member} wishes ${epoch} where honest members wish ${ahead} at most`)
    this.#wishes[member] = epoch
  }

  /** A member whose record was lost takes what others claimed (P9): its wish follows from theirs. */
  adopted(member: number, wish: number): void {
    this.#wishes[member] = Math.max(this.#wishes[member]!, wish)
  }

  /** A step of an honest member is over: what it holds is bounded and genuine, and follows from honest wishes. */
  stepped(member: number, before: State | null, after: State): void {
    if (before?.halted && after.halted !== before.halted) this.accuse('P9', `${member} goes on after a halt`)
    if (before !== null && after.epoch > before.epoch) this.#entered(member, after.epoch)
    if (before?.gatherings !== after.gatherings) this.#gathered(member, before, after)
    const { early, pending, lead } = after
    if (early.length > 2 || pending.length > 32 || (lead !== null && lead.collecting.length > 3))
      this.accuse(
        'P14',
        `${member} holds ${early.length} early, ${pending.length} pending, ${lead?.collecting.length} open`,
      )
  }

  #entered(member: number, epoch: number): void {
    const wishing = this.#wishes.filter((wish, other) => !this.faulty.has(other) && wish >= epoch).length
    if (wishing + this.faulty.size < 2 * this.#f + 1 && this.#highestEpoch < epoch)
      this.accuse('P12', `${member} enters epoch ${epoch}, which ${wishing} honest members wish for`)
  }

  #gathered(member: number, before: State | null, after: State): void {
    // Four slots a member may hold open, four passed, and what it answered and proposed of late.
    if (after.gatherings.length > 4 * this.#n + 16)
      this.accuse('P14', `${member} holds ${after.gatherings.length} slots open`)
    for (const gathering of after.gatherings) {
      if (before?.gatherings.includes(gathering)) continue
      const book = this.#book(gathering)
      for (const attestation of gathering.attestations) {
        if (attestation === null || this.faulty.has(attestation.member)) continue
        const own = book.attestations[attestation.member]
        if (!own || !equalBytes(own, attestation.digest))
          this.accuse('I-3', `${member} counts an attestation that ${attestation.member} never made`)
      }
      for (const observation of gathering.proposal?.observations ?? []) {
        if (this.faulty.has(observation.member)) continue
        const own = book.observations[observation.member]
        if (!own || !equalBytes(own, observation.digest))
          this.accuse('I-3', `${member} accepts an observation that ${observation.member} never made`)
      }
    }
  }

  #leaderOf(epoch: number): number {
    return this.#stage.cast.now.contexts[0]!.leaderOf(epoch)
  }

  #book(slot: Slot): SlotBook {
    // Liars name any slot: rounds take all of 32 bits.
    const key = BigInt(slot.epoch) * 0x1_0000_0000n + BigInt(slot.round)
    let book = this.#slots.get(key)
    if (book === undefined) {
      const none = (): null[] => Array(this.#n).fill(null)
      book = {
        epoch: slot.epoch,
        round: slot.round,
        observed: none(),
        observations: none(),
        proposals: none(),
        attestations: none(),
        reports: [],
        begunInLife: null,
        delivered: null,
      }
      this.#slots.set(key, book)
    }
    return book
  }
}

function bits(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}
