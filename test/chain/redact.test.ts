// Keys in endpoints' URLs, and what endpoints make of them in their words.

import { describe, expect, it } from 'vitest'
import { createRedactor } from '../../src/chain/redact.js'

const redact = createRedactor('https://user-name:pass-word@eth.example.io/v2/SECRETKEY123?apikey=OTHER%20SECRET&v=2')

describe('words of an endpoint', () => {
  it.each([
    ['project eth.example.io/v2/SECRETKEY123 is over its limit', 'project [hidden] is over its limit'],
    ['see https://billing.example.io/pay?key=SECRETKEY123 today', 'see [hidden] today'],
    ['key SECRETKEY123 unknown', 'key [hidden] unknown'],
    ['OTHER SECRET, and OTHER%20SECRET', '[hidden], and [hidden]'],
    ['user-name or pass-word is wrong', '[hidden] or [hidden] is wrong'],
    ['POST /v2/SECRETKEY123?apikey=OTHER%20SECRET&v=2 failed', 'POST [hidden] failed'],
    ['execution reverted: v2', 'execution reverted: v2'],
  ])('%j become %j', (words, shown) => {
    expect(redact(words)).toBe(shown)
  })

  it('stay as they are where a URL holds nothing', () => {
    expect(createRedactor('http://127.0.0.1:8545')('127.0.0.1:8545 is busy /')).toBe('127.0.0.1:8545 is busy /')
  })
})
