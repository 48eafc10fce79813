#!/usr/bin/env node
// What forge calls as its Solidity compiler: npm's solc behind the command line of the native one.

import { compileSolidity, solcVersion } from './compile-solidity.mjs'

if (process.argv.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solcVersion}`)
} else if (process.argv.includes('--standard-json')) {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  process.stdout.write(JSON.stringify(await compileSolidity(JSON.parse(Buffer.concat(chunks).toString('utf8')))))
} else {
  console.error('Usage: solc.mjs --version | --standard-json < input.json')
  process.exitCode = 1
}
