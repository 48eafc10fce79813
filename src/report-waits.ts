// Those who wait for a report of a time to come: a replay ends its step when the report of it is known.

export interface ReportWaits {
  /** Resolves once a report with T at or after `sinceMs` was delivered, or after `patienceMs`. */
  readonly reported: (sinceMs: number, patienceMs: number) => Promise<void>
  readonly delivered: (attestedAtMs: number) => void
}

/** No report delivered yet. */
export function createReportWaits(): ReportWaits {
  let newestMs = 0
  const waits = new Set<{ readonly sinceMs: number; readonly done: () => void }>()
  return {
    reported: (sinceMs, patienceMs) => {
      if (newestMs >= sinceMs) return Promise.resolve()
      return new Promise((resolve) => {
        const wait = { sinceMs, done: () => finish() }
        // A process that is done need not wait for its last report.
        const timer = setTimeout(wait.done, patienceMs).unref()
        const finish = (): void => {
          clearTimeout(timer)
          waits.delete(wait)
          resolve()
        }
        waits.add(wait)
      })
    },
    delivered: (attestedAtMs) => {
      newestMs = Math.max(newestMs, attestedAtMs)
      for (const wait of waits) if (newestMs >= wait.sinceMs) wait.done()
    },
  }
}
