#!/usr/bin/env node
// The entry of the command line: loads the program, and says in a sentence when even that cannot be done.

import { errorCodes } from '../base/error-codes.js'

// With too few descriptors Node fails in the middle of loading modules, wherever that is, with a stack of its own.
const program = await import('./program.js').catch((cause: Error) => {
  const code = 'PROGRAM_UNLOADABLE'
  const message = `the program cannot be loaded: ${cause.message.split('\n')[0]}`
  const error = { code, message, path: '', facts: {}, advice: errorCodes[code] }
  const text = process.argv.includes('--json') ? JSON.stringify({ error }) : `${code}: ${message}\n${error.advice}`
  process.stderr.write(`${text}\n`)
  process.exitCode = 1
  return null
})
await program?.runProgram()
