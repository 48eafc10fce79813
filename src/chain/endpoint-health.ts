// Whether one endpoint counts, since when and why not; and when one that fell out counts again.

/** Only `counting` is asked for what the node acts on. lying: it contradicted the quorum; foreign: it serves another chain. */
export type EndpointState = 'counting' | 'frozen' | 'lagging' | 'lying' | 'failing' | 'foreign'

/** What is shown of an endpoint. */
export interface EndpointFacts {
  readonly name: string
  readonly state: EndpointState
  /** Wall time of the last change of state. */
  readonly sinceMs: number
  /** Why it does not count; empty when it does. */
  readonly reason: string
  readonly head: number | null
}

interface Now {
  readonly wallMs: number
  readonly steadyMs: number
}

const backoffMaxMs = 30_000

/** The standing of one endpoint. Times that decide are steady; the wall time is for people. */
export class EndpointHealth {
  state: EndpointState = 'failing'
  reason = 'not asked yet'
  sinceMs: number
  private untried = true
  private failures = 0
  private nextAskMs = -Infinity
  private agreesSinceMs: number | null = null
  private returnMs = 0
  private readonly blockMs: number
  private readonly onChange: () => void

  constructor(blockMs: number, now: Now, onChange: () => void) {
    this.blockMs = blockMs
    this.sinceMs = now.wallMs
    this.onChange = onChange
  }

  /** Whether its word is one of the quorum's. */
  get counts(): boolean {
    return this.state === 'counting'
  }

  /** Whether it may be asked now: never one of another chain, and one that fails only now and then. */
  isDue(now: Now): boolean {
    return this.state !== 'foreign' && now.steadyMs >= this.nextAskMs
  }

  /** It answered, whatever it said. */
  answered(): void {
    this.failures = 0
    this.nextAskMs = -Infinity
  }

  /** It gave no answer that can be used: it is out, and asked again after a time that doubles. */
  failed(reason: string, now: Now, restMs: number): void {
    const waitMs = Math.min(backoffMaxMs, this.blockMs * 2 ** Math.min(this.failures, 16))
    // Calls that fail together are one failure.
    if (now.steadyMs >= this.nextAskMs) {
      this.failures++
      this.nextAskMs = now.steadyMs + waitMs
    }
    this.nextAskMs = Math.max(this.nextAskMs, now.steadyMs + Math.min(restMs, 2 * backoffMaxMs))
    this.out('failing', reason, now, 2 * this.blockMs)
  }

  /** It does not count until it has agreed with a quorum for `returnMs` without a break. */
  out(state: Exclude<EndpointState, 'counting'>, reason: string, now: Now, returnMs: number): void {
    this.untried = false
    this.agreesSinceMs = null
    if (this.state === 'foreign') return
    // A liar that then fails or lags stays a liar: no way back is shorter than the one it earned.
    if (this.state === 'lying' && state !== 'lying' && state !== 'foreign') return
    this.returnMs = this.state === state ? Math.max(this.returnMs, returnMs) : returnMs
    this.change(state, reason, now)
  }

  /** It confirmed what a quorum says; counts at once when it never fell out, else after its time. */
  agreed(now: Now): void {
    if (this.counts || this.state === 'foreign') return
    this.agreesSinceMs ??= now.steadyMs
    if (!this.untried && now.steadyMs - this.agreesSinceMs < this.returnMs) return
    this.untried = false
    this.change('counting', '', now)
  }

  private change(state: EndpointState, reason: string, now: Now): void {
    const isSame = this.state === state
    this.reason = reason
    if (isSame) return
    this.state = state
    this.sinceMs = now.wallMs
    this.onChange()
  }
}
