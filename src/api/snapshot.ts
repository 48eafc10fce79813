// One stored report with everything the API says of it, each piece made at most once and only when asked for.

import { toHex } from '../core/bytes.js'
import { canonicalJson } from '../core/canonical.js'
import { openPacked } from '../core/layout.js'
import type { Slot } from '../core/messages.js'
import { buildReport, type ReportJson } from '../core/report-json.js'
import type { StoredReport } from '../store/report-store.js'
import { keptBytesMax } from './limits.js'
import type { NodeView } from './node-view.js'
import { bundlesOf, type ReadingFacts, readingFacts } from './reading-facts.js'

/** Bytes that never change, with the strong ETag of their hash. */
export interface Body {
  readonly bytes: Buffer
  readonly etag: string
}

/** What a reader of the stream asked for: feeds by index, and whether as whole reports. */
export interface Choice {
  readonly feeds: readonly number[]
  readonly asReport: boolean
}

export interface Snapshot extends Slot {
  readonly attestedAtMs: number
  /** The facts of one feed. */
  facts(feed: number): ReadingFacts
  /** report.json without seals, with the leaves that hold `feeds`; all of them when null. */
  report(feeds: readonly number[] | null): Body
  /** report.json with the seals that the store has now; not kept. */
  sealed(feeds: readonly number[] | null): Body
  /** The body of GET /v1/feeds/:name; `ageMs` is the one number in it that changes. */
  feedBody(feed: number, ageMs: number | null): Buffer
  /** An event of the stream, framed. */
  event(choice: Choice): Buffer
}

/** A body and its ETag; the hash is what makes the ETag true for another oracle's signatures as well. */
export function bodyOf(view: Pick<NodeView, 'engine'>, bytes: Uint8Array): Body {
  const etag = `"${toHex(view.engine.keccak256(bytes)).slice(2, 34)}"`
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), etag }
}

/** The snapshot of `stored`, whose values were checked before they were stored; it keeps `bytesMax` of each kind of answer. */
export function createSnapshot(view: NodeView, stored: StoredReport, bytesMax: number = keptBytesMax): Snapshot {
  const { committee, engine, kernel } = view
  const { seals, ...parts } = stored
  const { epoch, round, attestedAtMs } = stored
  const packed = openPacked(kernel.layout, stored.values)

  // One tree for all leaves and proofs, made when the first proof is asked for.
  let whole: ReportJson | null = null
  const wholeReport = (): ReportJson => {
    whole ??= JSON.parse(new TextDecoder().decode(buildReport(engine, committee, kernel, parts))) as ReportJson
    return whole
  }
  const reportText = (feeds: readonly number[] | null): string => {
    const report = wholeReport()
    if (feeds === null) return canonicalJson(report)
    return canonicalJson({ ...report, leaves: bundlesOf(committee, feeds).map((bundle) => report.leaves[bundle]!) })
  }

  const reports = keeper<string, Body>(bytesMax, (body) => body.bytes.length)
  const around = keeper<number, readonly [string, string]>(bytesMax, ([head, tail]) => 2 * (head.length + tail.length))
  const events = keeper<string, Buffer>(bytesMax, (event) => event.length)

  const snapshot: Snapshot = {
    epoch,
    round,
    attestedAtMs,
    facts: (feed) => readingFacts(view, packed, feed),
    report: (feeds) =>
      reports(feeds === null ? '' : bundlesOf(committee, feeds).join(), () =>
        bodyOf(view, Buffer.from(reportText(feeds))),
      ),
    sealed: (feeds) => {
      const bundles = feeds === null ? undefined : bundlesOf(committee, feeds)
      const held = view.store.bySlot(stored)?.seals ?? seals
      return bodyOf(
        view,
        buildReport(engine, committee, kernel, held === null ? parts : { ...parts, seals: held }, bundles),
      )
    },
    feedBody: (index, ageMs) => {
      const [head, tail] = around(index, () => {
        const feed = committee.feeds[index]!
        const { value, status, observedAtMs, validUntilMs, groups, spreadPpm } = snapshot.facts(index)
        const { name, feedId, unit, decimals } = feed
        const report = wholeReport()
        const leaf = report.leaves[bundlesOf(committee, [index])[0]!]!
        const signers = stored.signers.map((signer) => committee.members[signer]!.name)
        const signatures = { bitmap: report.bitmap, signers, attestations: report.attestations }
        const early = { name, feedId, unit, decimals, value, status, observedAtMs, attestedAtMs }
        const late = {
          validUntilMs,
          groups,
          spreadPpm,
          epoch,
          round,
          bundle: leaf.bundle,
          proof: leaf.proof,
          signatures,
        }
        return [`${JSON.stringify(early).slice(0, -1)},"ageMs":`, `,${JSON.stringify(late).slice(1, -1)},"report":`]
      })
      // The report is put in as it is, in its canonical form.
      return Buffer.concat([Buffer.from(`${head}${ageMs}${tail}`), snapshot.report([index]).bytes, closing])
    },
    event: ({ feeds, asReport }) =>
      events(`${asReport}/${feeds.join()}`, () => {
        const text = asReport ? snapshot.report(feeds).bytes.toString() : eventText(view, snapshot, feeds)
        // Canonical and stringified JSON have no line breaks, so one line carries it.
        return Buffer.from(`event: report\nid: ${epoch}/${round}\ndata: ${text}\n\n`)
      }),
  }
  return snapshot
}

function eventText({ committee }: NodeView, snapshot: Snapshot, feeds: readonly number[]): string {
  const { epoch, round, attestedAtMs } = snapshot
  const told = feeds.map((index) => {
    const { name, feedId } = committee.feeds[index]!
    const { value, status, observedAtMs } = snapshot.facts(index)
    return { name, feedId, value, status, observedAtMs }
  })
  return JSON.stringify({ epoch, round, attestedAtMs, feeds: told })
}

const closing = Buffer.from('}')

/** Keeps what `make` makes by key, as long as all of it stays within a bound; the rest is made anew each time. */
function keeper<K, V>(bytesMax: number, bytesOf: (value: V) => number): (key: K, make: () => V) => V {
  const kept = new Map<K, V>()
  let bytes = 0
  return (key, make) => {
    const found = kept.get(key)
    if (found !== undefined) return found
    const made = make()
    if (bytes + bytesOf(made) <= bytesMax) {
      kept.set(key, made)
      bytes += bytesOf(made)
    }
    return made
  }
}
