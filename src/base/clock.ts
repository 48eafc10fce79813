// The two clocks of a process: the wall clock that is signed, and a steady one for timers.

/** `wallMs` since 1970, whole; `steadyMs` never jumps and has fractions. */
export function readClock(): { readonly wallMs: number; readonly steadyMs: number } {
  return { wallMs: Date.now(), steadyMs: performance.now() }
}
