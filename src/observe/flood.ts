// How much a subscription may send: beyond it the source is hurting this oracle, whatever it says.

/** More than any ticker needs: an exchange's busiest market sends some hundred messages a second. */
const perSecond = { frames: 500, bytes: 1_048_576, answers: 50 } as const
const windowMs = 2_000

/** What arrives, and what has to be written because of it. */
export type Kind = keyof typeof perSecond

/** Counts over windows of two seconds of the steady clock; `count` is false once a window holds twice a second's limit. */
export function createFlood(steadyMs: () => number): { readonly count: (kind: Kind, more: number) => boolean } {
  let sinceMs = steadyMs()
  let seen: Record<Kind, number> = { frames: 0, bytes: 0, answers: 0 }
  return {
    count: (kind, more) => {
      const nowMs = steadyMs()
      if (nowMs - sinceMs >= windowMs) {
        sinceMs = nowMs
        seen = { frames: 0, bytes: 0, answers: 0 }
      }
      seen[kind] += more
      return seen[kind] <= (perSecond[kind] * windowMs) / 1000
    },
  }
}
