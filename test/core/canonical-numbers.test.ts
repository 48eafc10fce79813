// RFC 8785 numbers: appendix B, and the reference repository's generated lines against their published checksums.

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/core/bytes.js'
import { canonicalJson, parseCanonical } from '../../src/core/canonical.js'
import { vector } from '../recordings.js'

const view = new DataView(new ArrayBuffer(8))

function doubleOf(bits: bigint): number {
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}

describe('appendix B', () => {
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('%s is %s', (bits, text) => {
    expect(canonicalJson(doubleOf(BigInt(`0x${bits}`)))).toBe(text)
  })

  it.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('%s is refused', (bits) => {
    expect(() => canonicalJson(doubleOf(BigInt(`0x${bits}`)))).toThrow('not finite')
  })
})

describe('the reference repository’s lines', () => {
  const { edgeCases, sha256ByLines } = vector('external/rfc8785-numbers.json') as {
    edgeCases: string[]
    sha256ByLines: Record<string, string>
  }

  /** Edge cases, 2,000 numbers from the smallest normal one upwards, then the finite doubles of a SHA-256 chain. */
  function* numbers(): Generator<number> {
    for (const bits of edgeCases) yield doubleOf(BigInt(`0x${bits}`))
    for (let i = 0n; i < 2000n; i++) yield doubleOf(0x0010000000000000n + i)
    let block: Uint8Array = new Uint8Array(32)
    for (;;) {
      block = createHash('sha256').update(block).digest()
      const blockView = new DataView(block.buffer, block.byteOffset, 32)
      for (let at = 0; at < 32; at += 8) {
        const value = blockView.getFloat64(at, true)
        if (Number.isFinite(value) && value !== 0) yield value
      }
    }
  }

  it('all 100,000 have the published SHA-256, and each reads back to itself', () => {
    const hash = createHash('sha256')
    const sums: Record<string, string> = {}
    let lines = 0
    for (const value of numbers()) {
      view.setFloat64(0, value)
      const text = canonicalJson(value)
      hash.update(`${view.getBigUint64(0).toString(16)},${text}\n`)
      if (lines < 10_000) expect(parseCanonical(utf8(text), 64) === value).toBe(true)
      lines++
      if (String(lines) in sha256ByLines) sums[lines] = hash.copy().digest('hex')
      if (lines === 100_000) break
    }
    expect(sums).toEqual(sha256ByLines)
    expect(Object.keys(sums)).toHaveLength(3)
  })
})
