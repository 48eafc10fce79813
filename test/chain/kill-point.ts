// Where a process that tests kill is in its work, and the end of it at the point that was asked for.

/** What ends this process at `wanted`, for good: nothing after it is done. */
export function killAt(wanted: string | undefined): (point: string) => Promise<void> {
  return async (point) => {
    if (point !== wanted) return
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  }
}

const nonces = new Set<string>()

/** What a line of a journal is about; a second attempt at a nonce is a raise. */
export function subjectOf(line: string): string {
  const nonce = /"kind":"attempt","nonce":(\d+)/.exec(line)?.[1]
  if (nonce === undefined) return /"kind":"(\w+)"/.exec(line)?.[1] ?? 'header'
  if (nonces.has(nonce)) return 'raise'
  nonces.add(nonce)
  return nonce === '0' ? 'first' : 'next'
}
