// The two clocks of a process: the wall clock that is signed, and a steady one for timers.

/** `wallMs` since 1970, whole; `steadyMs` never jumps and has fractions. */
export type Clock = () => { readonly wallMs: number; readonly steadyMs: number }

/** The clocks of this machine. */
export const readClock: Clock = () => ({ wallMs: Date.now(), steadyMs: performance.now() })
