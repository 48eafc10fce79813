// Runs the Solidity tests as CI does and says how many calls they made, so that no figure in the documents is a guess.

import { forge } from './forge.mjs'

const fuzzedMin = 200_000
const invariantMin = 50_000

/** Runs all tests under the profile `ci`; resolves to the exit code. */
export async function testInCi(args, json) {
  const { code, text } = await forge(['test', '--json', ...args], { capture: true, env: { FOUNDRY_PROFILE: 'ci' } })
  const suites = parsed(text)
  if (suites === undefined) {
    if (text !== '') console.error(text)
    return 1
  }
  const tests = Object.entries(suites).flatMap(([suite, { test_results }]) =>
    Object.entries(test_results).map(([name, result]) => summary(suite, name, result)),
  )
  const sum = (kind, of) => tests.filter((test) => test.kind === kind).reduce((total, test) => total + of(test), 0)
  const totals = {
    tests: tests.length,
    failed: tests.filter((test) => test.status === 'Failure').length,
    skipped: tests.filter((test) => test.status === 'Skipped').length,
    fuzzed: sum('Fuzz', (test) => test.calls),
    invariant: sum('Invariant', (test) => test.calls),
    reverted: sum('Invariant', (test) => test.reverts),
  }
  const problems = problemsOf(tests, totals, args.length > 0)
  if (json) console.log(JSON.stringify({ ...totals, problems }))
  else {
    console.log(
      `${totals.tests} tests, ${totals.fuzzed} fuzzed calls, ${totals.invariant} invariant calls (${totals.reverted} reverted).`,
    )
    for (const problem of problems) console.error(problem)
  }
  return problems.length > 0 ? 1 : code
}

function summary(suite, name, { status, reason, kind, counterexample }) {
  const [type, figures] = Object.entries(kind)[0]
  const calls = type === 'Invariant' ? figures.calls : (figures.runs ?? 0)
  return { suite, name, status, reason, counterexample, kind: type, calls, reverts: figures.reverts ?? 0 }
}

/** The sums count for the whole suite only: a run that was narrowed down by arguments cannot reach them. */
function problemsOf(tests, totals, narrowed) {
  const failed = tests
    .filter((test) => test.status === 'Failure')
    .map(({ suite, name, reason, counterexample }) => {
      const example = counterexample ? ` with ${JSON.stringify(counterexample)}` : ''
      return `${suite} ${name}: ${reason ?? 'failed'}${example}`
    })
  if (totals.tests === 0) failed.push('There are no tests.')
  if (totals.skipped > 0) failed.push(`${totals.skipped} tests were skipped.`)
  if (narrowed) return failed
  if (totals.fuzzed < fuzzedMin) failed.push(`Only ${totals.fuzzed} of ${fuzzedMin} fuzzed calls.`)
  if (totals.invariant < invariantMin) failed.push(`Only ${totals.invariant} of ${invariantMin} invariant calls.`)
  return failed
}

/** The suites in what `forge test --json` printed; undefined when it printed none. */
export function parsed(text) {
  const begin = text.indexOf('{')
  try {
    return begin < 0 ? undefined : JSON.parse(text.slice(begin))
  } catch {
    return undefined
  }
}
