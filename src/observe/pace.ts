// How often each source host is asked: a token bucket by the adapter's limit, and a rest after the source asks for one.

/** Tokens that may gather, for feeds that share a host and ask at once. */
export const burstMax: number = 10

export interface Pace {
  /** 0 when `host` may be asked now, which spends a token; else how long to wait, ms. A null limit spends none. */
  take(host: string, perMinute: number | null): number
  /** Leaves `host` alone for `restMs`. */
  rest(host: string, restMs: number): void
}

interface Bucket {
  tokens: number
  atMs: number
  restUntilMs: number
}

/** Paces by the steady clock `nowMs`. */
export function createPace(nowMs: () => number): Pace {
  const buckets = new Map<string, Bucket>()
  const bucketOf = (host: string): Bucket => {
    const bucket = buckets.get(host) ?? { tokens: Number.POSITIVE_INFINITY, atMs: nowMs(), restUntilMs: 0 }
    buckets.set(host, bucket)
    return bucket
  }

  return {
    take(host, perMinute) {
      const bucket = bucketOf(host)
      const now = nowMs()
      if (now < bucket.restUntilMs) return bucket.restUntilMs - now
      if (perMinute === null) return 0
      const back = (Math.max(0, now - bucket.atMs) * perMinute) / 60_000
      bucket.tokens = Math.min(perMinute, burstMax, bucket.tokens + back)
      bucket.atMs = now
      // A hair of rounding must not cost a whole request.
      if (bucket.tokens < 1 - 1e-9) return ((1 - bucket.tokens) * 60_000) / perMinute
      bucket.tokens -= 1
      return 0
    },
    rest(host, restMs) {
      const bucket = bucketOf(host)
      bucket.restUntilMs = Math.max(bucket.restUntilMs, nowMs() + restMs)
    },
  }
}

const restDefaultMs = 30_000
const restMaxMs = 600_000

/**
 * How long a 429 or 418 reply asks to be left alone, ms, at most 10 minutes: `retryAfter` in seconds, or as a date
 * measured against the reply's own `date`, so that clocks that differ do no harm; 30 s where it does not say.
 */
export function restOf(retryAfter: string | undefined, date: string | undefined): number {
  const text = retryAfter?.trim() ?? ''
  if (/^[0-9]{1,9}$/.test(text)) return Math.min(restMaxMs, Number(text) * 1000)
  const restMs = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) - Date.parse(date ?? '') : Number.NaN
  return Number.isFinite(restMs) ? Math.min(restMaxMs, Math.max(0, restMs)) : restDefaultMs
}
