// Fails unless the test report named on the command line has tests, all of them run and passed.

import { readFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: todo } = report
const skipped = pending + todo
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
if (skipped > 0) console.error('Skipped tests are not allowed.')
process.exit(passed > 0 && failed === 0 && skipped === 0 ? 0 : 1)
