// What a consumer imports: attested values of a committee that it pinned, verified, or a refusal. Runs in a browser.

import { OracleError } from '../base/errors.js'
import { toHex } from '../core/bytes.js'
import { type Committee, type CommitteeKeys, keysOf, parseCommittee } from '../core/committee.js'
import { type CalldataOptions, toCalldata } from '../core/report-calldata.js'
import type { Status } from '../core/status.js'
import { type VerifiedFeed, type VerifiedReport, verifyReport } from '../core/verify-report.js'
import { ask, type Reach } from './ask.js'
import { engineNoble } from './engine-noble.js'
import { eventStream } from './event-stream.js'
import { type Accept, type FeedResult, judgeFeed, type ProvenFeed } from './judge-feed.js'

/** Whom the caller trusts: a committee document it holds, its keys, or its salt S as 0x hex (32 bytes). */
export type Trust = { readonly document: unknown } | { readonly keys: CommitteeKeys } | { readonly salt: string }

export interface ClientOptions {
  /** Of any member's API: whom it belongs to does not matter, since nothing is believed that is not proven. */
  readonly url: string
  readonly committee: Trust
  readonly fetch?: typeof fetch
  /** The reader's clock, ms since 1970. */
  readonly nowMs?: () => number
  /** For one whole answer; 10 s unless said. */
  readonly timeoutMs?: number
  /** Largest answer or event; 16 MiB unless said. */
  readonly bytesMax?: number
}

/** Which part of the past: by attested time in ms, both ends included, oldest first unless `reverse`. */
export interface Past {
  readonly fromMs?: number
  readonly toMs?: number
  /** 1 to 1000; 100 unless said. Each entry is one request. */
  readonly limit?: number
  readonly reverse?: boolean
  /** Statuses whose values may be used; OK alone unless said. */
  readonly accept?: readonly Status[]
}

/** One report of the past with one feed of it, judged as of the time it was attested. */
export interface PastEntry {
  readonly epoch: number
  readonly round: number
  readonly attestedAtMs: number
  readonly result: FeedResult
}

/** One report of a subscription: the verdict on each feed asked for, in that order. */
export interface Update {
  readonly epoch: number
  readonly round: number
  readonly attestedAtMs: number
  readonly feeds: readonly FeedResult[]
}

/** Every method throws OracleError: REPORT_… for what is not proven or not usable, CLIENT_… for the way there. */
export interface Client {
  /** The newest value of one feed; REPORT_STALE or REPORT_STATUS when it may not be used. */
  feed(name: string, wanted?: Accept): Promise<ProvenFeed>
  /**
   * The newest values by name, with those that may not be used and why: all feeds of a pinned document, or
   * CLIENT_ANSWER_UNFIT. With keys or a salt, those that the server shows: it may leave leaves out, and who pinned no feeds
   * cannot tell. Ask for a feed that you need by `feed`.
   */
  feeds(wanted?: Accept): Promise<ReadonlyMap<string, FeedResult>>
  /** Attested values of the past, each proven by its own report. A server may leave reports out, but not change one. */
  history(name: string, past?: Past): Promise<readonly PastEntry[]>
  /**
   * The newest report with the leaves of these feeds, packed for contracts; `trailer` makes it what is appended to a
   * call's data. Proven, but not judged: contracts refuse what is stale or not OK by rules of their own.
   */
  calldata(names: readonly string[], options?: CalldataOptions): Promise<Uint8Array>
  /** The proven report of one slot, whatever its age and statuses: they stand beside each value. */
  report(epoch: number, round: number): Promise<VerifiedReport>
  /**
   * Reports as they come, for ever, none older than this client has proven by then: it connects again and goes on where
   * it was. Ends when `signal` aborts; throws when the server lies or refuses, and CLIENT_ROLLED_BACK when it begins with
   * an older report. A server that says nothing cannot be told from a quiet committee.
   */
  subscribe(names: readonly string[], options?: Accept & { readonly signal?: AbortSignal }): AsyncIterable<Update>
}

/** Requests for history at once. */
const askedAtOnce = 8
const waitMsMin = 500
const waitMsMax = 30_000

/** A client of one server; COMMITTEE_… when the document that is pinned is no committee's. */
export function createClient(options: ClientOptions): Client {
  const reach: Reach = {
    url: options.url.replace(/\/+$/, ''),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    timeoutMs: options.timeoutMs ?? 10_000,
    bytesMax: options.bytesMax ?? 16 * 1024 * 1024,
  }
  const nowMs = options.nowMs ?? ((): number => Date.now())
  const trust = trusted(options.committee, reach)
  /** T of the newest report that this client has proven: nothing older is passed on as new. */
  let newestMs = 0

  const prove = async (bytes: Uint8Array): Promise<VerifiedReport> => {
    const { keys, committee } = await trust()
    const verdict = verifyReport(engineNoble, bytes, keys, { nowMs: 'any', bytesMax: reach.bytesMax })
    if (!verdict.ok) throw new OracleError(verdict.code, verdict.message, { path: verdict.path })
    if (committee !== null) for (const feed of feedsOf(verdict.report)) checkPinned(committee, feed)
    return verdict.report
  }
  const askNewest = async (path: string): Promise<{ readonly report: VerifiedReport; readonly bytes: Uint8Array }> => {
    const knownMs = newestMs // as of the question: another answer may overtake this one
    const bytes = await ask(reach, path)
    const report = await prove(bytes)
    checkNewer(report, knownMs, path)
    newestMs = Math.max(newestMs, report.attestedAtMs)
    return { report, bytes }
  }
  const proveNewest = async (path: string): Promise<VerifiedReport> => (await askNewest(path)).report
  const proveSlot = async (epoch: number, round: number, query: string): Promise<VerifiedReport> => {
    const path = `/v1/reports/${epoch}/${round}${query}`
    const report = await prove(await ask(reach, path))
    if (report.epoch === epoch && report.round === round) return report
    throw new OracleError('CLIENT_ANSWER_UNFIT', `the answer is about slot ${report.epoch}/${report.round}`, { path })
  }
  const known = async (name: string): Promise<void> => {
    const { committee } = await trust()
    if (committee === null || committee.feeds.some((feed) => feed.name === name)) return
    throw new OracleError('CLIENT_FEED_UNKNOWN', 'the committee has no feed of this name', { path: name })
  }

  return {
    feed: async (name, wanted = {}) => {
      await known(name)
      const report = await proveNewest(`/v1/reports/latest?feeds=${encodeURIComponent(name)}`)
      const result = judgeFeed(report, feedOf(report, name), nowMs(), wanted)
      if (result.ok) return result.feed
      const { code, message, status, observedAtMs, validUntilMs } = result
      throw new OracleError(code, message, { path: name, facts: { status, observedAtMs, validUntilMs } })
    },
    feeds: async (wanted = {}) => {
      const report = await proveNewest('/v1/reports/latest')
      const { committee } = await trust()
      // A report proves the leaves it shows; only a pinned document tells which there must be.
      for (const { name } of committee?.feeds ?? []) feedOf(report, name)
      return new Map(feedsOf(report).map((feed) => [feed.name, judgeFeed(report, feed, nowMs(), wanted)]))
    },
    history: async (name, past = {}) => {
      await known(name)
      const { accept, ...span } = past
      const slots = await slotsOf(reach, name, span)
      const query = `?feeds=${encodeURIComponent(name)}`
      const entries: PastEntry[] = []
      for (let i = 0; i < slots.length; i += askedAtOnce) {
        const batch = slots.slice(i, i + askedAtOnce).map(async ({ epoch, round }): Promise<PastEntry> => {
          const report = await proveSlot(epoch, round, query)
          const { attestedAtMs } = report
          const wanted = accept === undefined ? {} : { accept }
          return { epoch, round, attestedAtMs, result: judgeFeed(report, feedOf(report, name), attestedAtMs, wanted) }
        })
        entries.push(...(await Promise.all(batch)))
      }
      checkSpan(entries, span)
      return entries
    },
    calldata: async (names, options = {}) => {
      for (const name of names) await known(name)
      const { report, bytes } = await askNewest(
        `/v1/reports/latest?seals=true&feeds=${names.map(encodeURIComponent).join()}`,
      )
      for (const name of names) feedOf(report, name)
      return toCalldata(engineNoble, bytes, (await trust()).keys, options)
    },
    report: (epoch, round) => proveSlot(epoch, round, ''),
    subscribe: (names, subscription = {}) => ({
      [Symbol.asyncIterator]: async function* (): AsyncGenerator<Update> {
        const { signal, ...wanted } = subscription
        for (const name of names) await known(name)
        const query = `?reports=true&feeds=${names.map(encodeURIComponent).join()}`
        let lastMs = -1
        let after = ''
        let waitMs = waitMsMin
        while (!signal?.aborted) {
          try {
            const knownMs = newestMs // as of the question
            for await (const event of eventStream(reach, `/v1/stream${query}${after}`, signal)) {
              if (event.event !== 'report') continue
              const report = await prove(new TextEncoder().encode(event.data))
              const { epoch, round, attestedAtMs } = report
              if (lastMs < 0) checkNewer(report, knownMs, '/v1/stream')
              // Sent again, or late: overtaken by another answer since the question.
              if (attestedAtMs <= lastMs || attestedAtMs < newestMs) continue
              lastMs = attestedAtMs
              newestMs = attestedAtMs
              after = `&after=${epoch}/${round}`
              waitMs = waitMsMin
              const feeds = names.map((name) => judgeFeed(report, feedOf(report, name), nowMs(), wanted))
              yield { epoch, round, attestedAtMs, feeds }
              if (signal?.aborted) return
            }
          } catch (error) {
            if (!isPassing(error)) throw error
          }
          await sleep(waitMs, signal)
          waitMs = Math.min(2 * waitMs, waitMsMax)
        }
      },
    }),
  }
}

interface Trusted {
  readonly keys: CommitteeKeys
  /** Known only to callers that pinned the whole document: S covers no feeds. */
  readonly committee: Committee | null
}

/** The pinned keys; with only a salt, those of the server's document, once it has proven to have that salt. */
function trusted(pinned: Trust, reach: Reach): () => Promise<Trusted> {
  if ('keys' in pinned) return async () => ({ keys: pinned.keys, committee: null })
  if ('document' in pinned) {
    const committee = parseCommittee(engineNoble, pinned.document)
    return async () => ({ keys: keysOf(committee), committee })
  }
  const fetchKeys = async (): Promise<Trusted> => {
    const path = '/v1/committee'
    const { document } = (parsed(await ask(reach, path), path) ?? {}) as { readonly document?: unknown }
    const committee = parseCommittee(engineNoble, document)
    if (toHex(committee.salt) !== pinned.salt.toLowerCase())
      throw new OracleError('CLIENT_COMMITTEE_FOREIGN', 'the server’s committee has another salt', { path })
    return { keys: keysOf(committee), committee: null }
  }
  let found: Promise<Trusted> | null = null
  return () => {
    // A failure is not remembered: the next question tries again.
    found ??= fetchKeys().catch((error: unknown) => {
      found = null
      throw error
    })
    return found
  }
}

function feedsOf(report: VerifiedReport): readonly VerifiedFeed[] {
  return report.bundles.flatMap((bundle) => bundle.feeds)
}

function feedOf(report: VerifiedReport, name: string): VerifiedFeed {
  const feed = feedsOf(report).find((candidate) => candidate.name === name)
  if (feed !== undefined) return feed
  throw new OracleError('CLIENT_ANSWER_UNFIT', 'the report has no leaf with this feed', { path: name })
}

/** CLIENT_ROLLED_BACK when `report` is older than what was proven before the question. */
function checkNewer({ attestedAtMs }: VerifiedReport, knownMs: number, path: string): void {
  if (attestedAtMs >= knownMs) return
  const facts = { attestedAtMs, knownMs }
  throw new OracleError('CLIENT_ROLLED_BACK', 'the server answered with an older report than before', { path, facts })
}

/** The committee signs only feeds of its document; another one means that the caller pinned another document. */
function checkPinned(committee: Committee, { name, feedId }: VerifiedFeed): void {
  if (committee.feeds.find((feed) => feed.name === name)?.feedId === feedId) return
  throw new OracleError('REPORT_FOREIGN', `the pinned document has no such feed ${name}`, { path: name })
}

/** Where history says there are reports: a hint that decides nothing, since each report is then proven by itself. */
async function slotsOf(
  reach: Reach,
  name: string,
  span: Past,
): Promise<readonly { readonly epoch: number; readonly round: number }[]> {
  const query = new URLSearchParams(Object.entries(span).map(([key, value]): [string, string] => [key, String(value)]))
  const path = `/v1/feeds/${encodeURIComponent(name)}/history?${query}`
  const { entries } = (parsed(await ask(reach, path), path) ?? {}) as { readonly entries?: unknown }
  const unfit = (): never => {
    throw new OracleError('CLIENT_ANSWER_UNFIT', 'the answer is no history', { path })
  }
  if (!Array.isArray(entries) || entries.length > (span.limit ?? 100)) return unfit()
  return entries.map((entry: { readonly epoch?: unknown; readonly round?: unknown } | null) => {
    const { epoch, round } = entry ?? {}
    if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(round)) return unfit()
    return { epoch: epoch as number, round: round as number }
  })
}

/** Proven reports outside the span asked for, out of order or repeated are not what was asked for. */
function checkSpan(entries: readonly PastEntry[], { fromMs, toMs, reverse }: Past): void {
  const times = entries.map((entry) => entry.attestedAtMs)
  const isInside = times.every((time) => time >= (fromMs ?? 0) && time <= (toMs ?? Number.POSITIVE_INFINITY))
  const isOrdered = times.every((time, i) => i === 0 || (reverse ? time < times[i - 1]! : time > times[i - 1]!))
  if (isInside && isOrdered) return
  throw new OracleError('CLIENT_ANSWER_UNFIT', 'the reports are not those of the span, in order', { path: '/entries' })
}

function parsed(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new OracleError('CLIENT_ANSWER_UNFIT', 'the answer is no JSON', { path, cause })
  }
}

/** Whether to connect again: the server is gone, starting or overloaded. A lie is never passing. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof OracleError)) return false
  return (
    error.code === 'CLIENT_UNREACHABLE' || (error.code === 'CLIENT_REFUSED' && Number(error.facts['status']) >= 500)
  )
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
  })
}
