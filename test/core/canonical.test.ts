import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { utf8 } from '../../src/core/bytes.js'
import { canonicalJson, parseCanonical, parseJson } from '../../src/core/canonical.js'

const MAX = 2 ** 20
const codeOf = (action: () => unknown): string | undefined => refusalOf(action)?.code

function nested(depth: number): unknown {
  let value: unknown = 0
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

describe('canonicalJson', () => {
  it('writes RFC 8785’s own example', () => {
    const text = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    const value = parseJson(utf8(text), MAX)
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('orders keys by UTF-16 code units, as RFC 8785 section 3.2.3 lists them', () => {
    const sample = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
    expect(Object.values(JSON.parse(canonicalJson(sample)) as object)).toHaveLength(7)
    expect([...canonicalJson(sample).matchAll(/:(\d)/g)].map((match) => match[1]).join('')).toBe('2467153')
  })

  it('writes what it reads, for any value with canonical keys', () => {
    const value = fc
      .jsonValue({ maxDepth: 5, stringUnit: 'grapheme' })
      .filter((candidate) => !JSON.stringify(candidate).includes('__proto__'))
    fc.assert(
      fc.property(value, (written) => {
        const text = canonicalJson(written)
        const bytes = utf8(text)
        const expected = JSON.parse(JSON.stringify(written)) as unknown
        expect(parseCanonical(bytes, bytes.length)).toEqual(expected)
        expect(parseJson(utf8(JSON.stringify(written, null, 3)), MAX)).toEqual(expected)
        expect(canonicalJson(parseJson(utf8(JSON.stringify(written, null, 2)), MAX))).toBe(text)
      }),
      { seed: 3, numRuns: 400 },
    )
  })

  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  it.each([
    ['undefined', undefined, ''],
    ['a field that is undefined', { a: { b: undefined } }, '/a/b'],
    ['NaN', [NaN], '/0'],
    ['Infinity', { 'a/b~c': -Infinity }, '/a~1b~0c'],
    ['a bigint', [[1n]], '/0/0'],
    ['a function', { f: () => 0 }, '/f'],
    ['a symbol', Symbol('s'), ''],
    ['a symbol key', { [Symbol('s')]: 1 }, ''],
    ['a date', { at: new Date(0) }, '/at'],
    ['a map', new Map(), ''],
    ['bytes', new Uint8Array(2), ''],
    ['a lone surrogate', ['\ud800'], '/0'],
    ['a lone surrogate in a key', { '\udc00': 1 }, '/\udc00'],
    ['a key __proto__', JSON.parse('{"__proto__":1}'), '/__proto__'],
    ['a hole', [[], new Array(2)], '/1/0'],
    ['65 levels', nested(65), '/0'.repeat(64)],
    ['a cycle', cyclic, '/0'.repeat(64)],
  ])('refuses %s with its place', (_, value, path) => {
    const error = refusalOf(() => canonicalJson(value))
    expect(error?.code).toBe('VALUE_NOT_CANONICAL')
    expect(error?.path).toBe(path)
  })

  it('takes 64 levels and objects without a prototype', () => {
    expect(canonicalJson(nested(64))).toBe(`${'['.repeat(64)}0${']'.repeat(64)}`)
    expect(canonicalJson(Object.assign(Object.create(null), { b: 1, a: -0 }))).toBe('{"a":0,"b":1}')
  })
})

describe('parseCanonical', () => {
  it.each([
    ['white space', '{"a": 1}'],
    ['a final new line', '{"a":1}\n'],
    ['unordered keys', '{"b":1,"a":2}'],
    ['an escape that is not needed', '"\\u0041"'],
    ['an escaped solidus', '"\\/"'],
    ['an upper-case escape', '"\\u000F"'],
    ['-0', '-0'],
    ['1.0', '1.0'],
    ['1E2', '1E2'],
    ['a number that rounds', '9007199254740993'],
    ['a repeated key', '{"a":1,"a":1}'],
    ['1e400', '1e400'],
    ['__proto__', '{"__proto__":1}'],
    ['a lone surrogate escape', '"\\ud800"'],
    ['65 levels', '['.repeat(65) + ']'.repeat(65)],
    ['100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['digits beyond a double', '0.1000000000000000000001'],
  ])('refuses %s as JSON_NOT_CANONICAL', (_, text) => {
    expect(codeOf(() => parseCanonical(utf8(text), MAX))).toBe('JSON_NOT_CANONICAL')
  })

  it.each([
    ['a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)],
    ['invalid UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['overlong UTF-8', Uint8Array.of(0x22, 0xc0, 0x80, 0x22)],
    ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['nothing', new Uint8Array(0)],
  ])('refuses %s as JSON_INVALID', (_, bytes) => {
    expect(codeOf(() => parseCanonical(bytes, MAX))).toBe('JSON_INVALID')
  })

  it('refuses more bytes than allowed before it reads them', () => {
    expect(codeOf(() => parseCanonical(Uint8Array.of(0xff, 0xff), 1))).toBe('DOCUMENT_TOO_LARGE')
    expect(parseCanonical(utf8('12'), 2)).toBe(12)
  })
})

describe('parseJson', () => {
  it.each([
    ['a repeated key', '{"a":{"b":1, "b":2}}', '/a/b'],
    ['a repeated key in another spelling', '{"a":1, "\\u0061":2}', '/a'],
    ['__proto__', '{"a":[{"__proto__":{}}]}', '/a/0/__proto__'],
    ['a lone surrogate escape', '["\\ud800"]', '/0'],
    ['a control character', '["\t"]', '/0'],
    ['an unknown escape', '["\\x"]', '/0'],
    ['an unclosed string', '["abc', '/0'],
    ['a string that ends in a backslash', '["abc\\', '/0'],
    ['a trailing comma', '[1,]', '/1'],
    ['a missing colon', '{"a" 1}', '/a'],
    ['a missing comma', '[1 2]', ''],
    ['a bare word', '[nul]', '/0'],
    ['a leading zero', '[01]', ''],
    ['a leading plus', '[+1]', '/0'],
    ['NaN', 'NaN', ''],
    ['a comment', '[1] // one', ''],
    ['an early end', '{"a":', '/a'],
    ['a number too large', '{"a":-1e999}', '/a'],
    ['a no-break space', '\u00a0[1]', ''],
    ['65 levels', '['.repeat(65), '/0'.repeat(64)],
  ])('refuses %s with its place', (_, text, path) => {
    const error = refusalOf(() => parseJson(utf8(text), MAX))
    expect(error?.code).toBe('JSON_INVALID')
    expect(error?.path).toBe(path)
  })

  it('agrees with JSON.parse on arbitrary text, but for what it refuses on purpose', () => {
    const pieces = fc.constantFrom(...'{}[]:, "\\u0041abntrue1.5e+-', '"a"', '"b":', 'null', 'false', '\n')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        const ours = refusalOf(() => parseJson(utf8(text), MAX)) === undefined
        let theirs = true
        try {
          JSON.parse(text)
        } catch {
          theirs = false
        }
        if (ours) expect(parseJson(utf8(text), MAX)).toEqual(JSON.parse(text))
        else if (theirs) expect(refusalOf(() => parseJson(utf8(text), MAX))?.message).toMatch(/repeated|too large/)
      }),
      { seed: 4, numRuns: 3000 },
    )
  })

  it('reads a million bytes of string, digits, space or backslashes without exhausting a stack', () => {
    const many = 1_000_000
    expect(parseJson(utf8(`"${'a'.repeat(many)}"`), 2 * MAX)).toHaveLength(many)
    expect(parseJson(utf8(`"${'\\\\'.repeat(many / 2)}"`), 2 * MAX)).toHaveLength(many / 2)
    expect(parseJson(utf8(`${' '.repeat(many)}1`), 2 * MAX)).toBe(1)
    expect(codeOf(() => parseJson(utf8('1'.repeat(many)), 2 * MAX))).toBe('JSON_INVALID')
    expect(codeOf(() => parseJson(utf8('['.repeat(many)), 2 * MAX))).toBe('JSON_INVALID')
  })
})
