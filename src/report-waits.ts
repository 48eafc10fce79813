// Those who wait for a report of a time to come: a replay ends its step when the report of it is known.

export interface ReportWaits {
  /** Resolves once a report with T at or after `sinceMs` (and, if asked, a value) was delivered, or after `patienceMs`. */
  readonly reported: (sinceMs: number, patienceMs: number, withValue?: boolean) => Promise<void>
  readonly delivered: (attestedAtMs: number, hasValue: boolean) => void
}

/** No report delivered yet. */
export function createReportWaits(): ReportWaits {
  const newestMs = { any: 0, withValue: 0 }
  const waits = new Set<{ readonly isOver: () => boolean; readonly done: () => void }>()
  return {
    reported: (sinceMs, patienceMs, withValue = false) => {
      const isOver = (): boolean => newestMs[withValue ? 'withValue' : 'any'] >= sinceMs
      if (isOver()) return Promise.resolve()
      return new Promise((resolve) => {
        const wait = { isOver, done: () => finish() }
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
    delivered: (attestedAtMs, hasValue) => {
      newestMs.any = Math.max(newestMs.any, attestedAtMs)
      if (hasValue) newestMs.withValue = Math.max(newestMs.withValue, attestedAtMs)
      for (const wait of waits) if (wait.isOver()) wait.done()
    },
  }
}
