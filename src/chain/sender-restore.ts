// From the journal to a sender's state and back: what a restart knows of the transactions that may have left.

import {
  type Flight,
  isFillerJob,
  type Job,
  type JournalEntry,
  newFlight,
  type Outcome,
  type SenderState,
} from './sender-state.js'

/**
 * The state after a restart. Every attempt in the journal may have left, so its nonce stays with its job and its last attempt
 * is handed out again; jobs whose nonce was lost are doubted; nothing is sent before the first sight.
 */
export function restoreSender(entries: readonly JournalEntry[]): SenderState {
  const flights = new Map<number, Flight>()
  const doubted = new Map<string, Job>()
  const outcomes = new Map<string, Outcome>()
  for (const entry of entries) {
    switch (entry.kind) {
      case 'attempt': {
        const { nonce, job, attempt } = entry
        const flight = flights.get(nonce) ?? newFlight(nonce, job)
        flights.set(nonce, { ...flight, attempts: [...flight.attempts, attempt] })
        doubted.delete(job.id)
        break
      }
      case 'end': {
        const { outcome } = entry
        outcomes.set(outcome.id, outcome)
        doubted.delete(outcome.id)
        const flight = outcome.nonce === null ? undefined : flights.get(outcome.nonce)
        if (flight?.job.id === outcome.id) flights.set(flight.nonce, { ...flight, isDone: true })
        break
      }
      case 'final':
        flights.delete(entry.nonce)
        break
      case 'lost': {
        const { nonce, job } = entry
        if (nonce !== null) flights.delete(nonce)
        const isElsewhere = [...flights.values()].some((flight) => flight.job.id === job.id)
        if (!isElsewhere && !isFillerJob(job)) doubted.set(job.id, job)
        break
      }
    }
  }
  return {
    sight: null,
    queue: [],
    flights: [...flights.values()].sort((a, b) => a.nonce - b.nonce),
    doubted: [...doubted.values()],
    outcomes,
    alarms: new Set(),
    poorAt: null,
  }
}

/** The shortest journal from which `restoreSender` makes what must survive of `state`. */
export function entriesOf(state: SenderState): readonly JournalEntry[] {
  const flying = new Set(state.flights.map(({ nonce }) => nonce))
  const ends = [...state.outcomes.values()].map((outcome): JournalEntry => ({ kind: 'end', outcome }))
  const isFlying = (entry: JournalEntry): boolean =>
    entry.kind === 'end' && entry.outcome.nonce !== null && flying.has(entry.outcome.nonce)
  const attempts = state.flights.flatMap(({ nonce, job, attempts }) =>
    attempts.map((attempt): JournalEntry => ({ kind: 'attempt', nonce, job, attempt })),
  )
  const lost = state.doubted.map((job): JournalEntry => ({ kind: 'lost', nonce: null, job }))
  return [...ends.filter((entry) => !isFlying(entry)), ...attempts, ...ends.filter(isFlying), ...lost]
}
