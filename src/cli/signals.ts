// How a running process is asked to stop: by a signal, once or from several sides at once, or by its reader going away.

/** A second request later than this after the first means that the first one hangs. */
const patienceMs = 1000

/**
 * Calls `stop` at the first SIGINT or SIGTERM, or when standard output is closed; a terminal and a supervisor may both
 * signal, so what follows within a second is the same request. A later one ends the process at once.
 */
export function onStopRequest(stop: () => void): void {
  let askedAtMs: number | null = null
  const ask = (): void => {
    const nowMs = performance.now()
    if (askedAtMs !== null && nowMs - askedAtMs > patienceMs) process.exit(130)
    if (askedAtMs !== null) return
    askedAtMs = nowMs
    stop()
  }
  process.on('SIGINT', ask)
  process.on('SIGTERM', ask)
  // Nobody reads on: `assay start | head` ends like any other program there.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (askedAtMs === null) ask()
  })
}

/** Asks this process to stop, as SIGTERM does, when its standard input ends: its parent is gone. */
export function stopWhenStdinEnds(): void {
  let hasEnded = false
  const end = (): void => {
    if (!hasEnded) process.kill(process.pid, 'SIGTERM')
    hasEnded = true
  }
  process.stdin.once('end', end)
  process.stdin.once('error', end)
  process.stdin.resume()
  // Watching must not keep a process alive that is done; a file as standard input has no such thing.
  if ('unref' in process.stdin) process.stdin.unref()
}
