// The log of a process: JSON lines on standard error, with whatever could be a secret removed.

import { destination, type Logger, pino } from 'pino'

export type Log = Logger
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Places in a logged object that are never written. */
const secretPaths = ['passphrase', 'privateKey', 'pem', 'secret', 'token', 'password', 'authorization'].flatMap(
  (name) => [name, `*.${name}`],
)

/** A logger that writes `level` and worse to file descriptor 2, naming the oracle on every line. */
export function createLog(level: LogLevel, member: string): Log {
  const options = { level, base: { member }, redact: { paths: secretPaths, censor: '[redacted]' } }
  return pino(options, destination({ dest: 2, sync: true }))
}
