// The one command for Solidity: build, check, test, coverage, forge.

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { staleArtifacts, writeArtifacts } from './contract-artifacts.mjs'
import { writeBindings } from './contract-bindings.mjs'
import { coverage } from './contract-coverage.mjs'
import { tryMutants } from './contract-mutants.mjs'
import { testInCi } from './contract-tests.mjs'
import { forge, root } from './forge.mjs'

const help = `Usage: node scripts/contracts.mjs <command>

  build              compile, write contracts/artifacts/ (committed) and the ethers bindings made from them
  check [--json]     whether contracts/artifacts/ is what the sources make, and all is formatted; exit code 1 if not
  format             forge fmt
  test [--ci] […]    forge test; what follows is passed on (--match-contract Name, -vvv)
                     --ci: more runs, warnings are errors, and the sum of fuzzed calls is checked; [--json]
  coverage [--json]  lines, branches and functions of contracts/src; exit code 1 below 100 %
  mutants [--only File] [--json]
                     takes each guard in contracts/test/mutants/ away; exit code 1 if no test misses one
  forge […]          any command of forge with our settings (fmt, inspect, --help)
  clean              forget what was compiled

FOUNDRY_PROFILE=lite compiles without optimiser: for fast turns, not for gas.
`

const solidity = ['contracts/src', 'contracts/examples', 'contracts/test'].filter((path) =>
  existsSync(join(root, path)),
)
const [command, ...rest] = process.argv.slice(2)
const json = rest.includes('--json')
const valuesOf = (option) => rest.filter((_, i) => rest[i - 1] === option)

const commands = {
  async build() {
    const names = await writeArtifacts()
    await writeBindings(root)
    console.error(`${names.length} artifacts in contracts/artifacts/.`)
    return 0
  },
  async check() {
    const stale = await staleArtifacts()
    const { code, text } = await forge(['fmt', '--check', ...solidity], { capture: true })
    if (json) console.log(JSON.stringify({ stale, formatted: code === 0 }))
    if (stale.length > 0) console.error(`${stale.join('\n')}\nRun \`node scripts/contracts.mjs build\` and commit.`)
    if (code !== 0) console.error(`${text}\nRun \`node scripts/contracts.mjs format\` and commit.`)
    return stale.length === 0 && code === 0 ? 0 : 1
  },
  async test() {
    const passed = rest.filter((word) => word !== '--ci' && word !== '--json')
    if (rest.includes('--ci')) return await testInCi(passed, json)
    return (await forge(['test', ...rest])).code
  },
  coverage: () => coverage(json),
  mutants: () => tryMutants(valuesOf('--only'), json),
  async format() {
    return (await forge(['fmt', ...solidity])).code
  },
  async forge() {
    return (await forge(rest)).code
  },
  clean() {
    rmSync(join(root, 'dist/contracts'), { recursive: true, force: true })
    return 0
  },
}

if (command === undefined || command === 'help' || command === '--help') {
  console.log(help)
} else if (!Object.hasOwn(commands, command)) {
  console.error(`There is no command ${command}.\n\n${help}`)
  process.exitCode = 2
} else {
  try {
    process.exitCode = await commands[command]()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
