// The structs of contracts/src/lib/Structured.sol have the leaves of their value schemas, in the schemas' order.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { valuePlan } from '../../src/feed/value-plan.js'

const engine = await createWasmEngine()
const source = readFileSync(new URL('../../contracts/src/lib/Structured.sol', import.meta.url), 'utf8')

it.each([
  ['Weather', 'weather'],
  ['Candle', 'candle'],
])('struct %s is schema %s', (struct, schema) => {
  const body = new RegExp(`^struct ${struct} \\{\\n([^}]*)\\}`, 'm').exec(source)![1]!
  const members = body.split('\n').flatMap((line) => (line === '' ? [] : [line.trim()]))
  expect(members).toEqual(valuePlan(engine, schema)!.leaves.map(({ key, type }) => `${type} ${key};`))
})
