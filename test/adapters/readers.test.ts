// The readers that adapters stand on: JSON without loss, times, XML, the checks of a ticker.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { excerpt } from '../../src/observe/parse/excerpt.js'
import { type Json, NumberText, type Place, parseJson } from '../../src/observe/parse/json.js'
import { at, decimal, field, integer, item, text } from '../../src/observe/parse/read.js'
import { isoMs, type TimeFormat, time } from '../../src/observe/parse/time.js'
import { price, priceReading } from '../../src/observe/parse/venue.js'
import { attributeOf, childOf, parseXml } from '../../src/observe/parse/xml.js'
import { SourceError } from '../../src/observe/source-error.js'

const numRuns = 500
const seed = 4

function json(body: string | Uint8Array, mediaType = 'application/json'): Place {
  return parseJson({ bytes: typeof body === 'string' ? Buffer.from(body) : body, mediaType })
}

function xml(body: string | Uint8Array): ReturnType<typeof parseXml> {
  return parseXml({ bytes: typeof body === 'string' ? Buffer.from(body) : body, mediaType: 'text/xml' })
}

/** [code, path] of the SourceError that `action` throws; other errors pass through. */
function refusal(action: () => unknown): readonly [string, string] | null {
  try {
    action()
    return null
  } catch (error) {
    if (error instanceof SourceError) return [error.code, error.path]
    throw error
  }
}

function plain(value: Json): unknown {
  if (value instanceof NumberText) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plain(held)]))
}

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    const property = fc.property(fc.jsonValue({ depthSize: 'medium' }), fc.boolean(), (value, isSpaced) => {
      const written = JSON.stringify(value, null, isSpaced ? 2 : 0)
      fc.pre(!written.includes('"__proto__"'))
      expect(plain(json(written).value)).toEqual(JSON.parse(written))
    })
    fc.assert(property, { numRuns, seed })
  })

  it('keeps every digit', () => {
    const digits = '12345678901234567890.12345678901234567890'
    expect(decimal(field(json(`{"p": ${digits}}`), 'p'))).toBe(digits.replace(/0$/, ''))
  })

  it('throws nothing but SourceErrors, whatever the bytes', () => {
    const seeds = fc.constantFrom('{"a": [1, "x", {"b": null}]}', '[{"k": "\\u00e9"}, -1.5e+3]', '"\\ud83d\\ude00"')
    const edited = fc.tuple(seeds, fc.nat(60), fc.uint8Array({ maxLength: 3 })).map(([base, at, bytes]) => {
      const whole = Buffer.from(base)
      return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + bytes.length)])
    })
    const property = fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), edited), (bytes) => {
      const found = refusal(() => json(bytes))
      if (found !== null) expect(['SOURCE_NOT_JSON', 'SOURCE_BLOCKED']).toContain(found[0])
    })
    fc.assert(property, { numRuns: 3000, seed })
  })

  it('refuses a key that comes twice, however it is written and whatever it holds', () => {
    const key = fc.string({ minLength: 1, maxLength: 6 }).filter((name) => name !== '__proto__')
    const escaped = (name: string): string =>
      `"${[...Array(name.length).keys()].map((i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
    const property = fc.property(key, fc.boolean(), (name, isDeep) => {
      const object = `{${JSON.stringify(name)}: 1, "other-key": {}, ${escaped(name)}: 1}`
      expect(refusal(() => json(isDeep ? `[{"x": [${object}]}]` : object))?.[0]).toBe('SOURCE_NOT_JSON')
    })
    fc.assert(property, { numRuns, seed })
    expect(refusal(() => json('{"a": {"k": 1}, "b": {"k": 1}, "c": ["k", "k"]}'))).toBeNull()
  })

  it('bounds depth without a deep stack', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
    expect(refusal(() => json(nested(64)))).toBeNull()
    expect(refusal(() => json(nested(65)))?.[0]).toBe('SOURCE_NOT_JSON')
    expect(refusal(() => json('['.repeat(100_000)))?.[0]).toBe('SOURCE_NOT_JSON')
    expect(refusal(() => json('{"a":'.repeat(100_000)))?.[0]).toBe('SOURCE_NOT_JSON')
    expect(refusal(() => json(`"${'['.repeat(1_000_000)}"`))).toBeNull()
  })

  it('I10 suspects a cut where a broken body has a round length', () => {
    const rows = JSON.stringify(Array.from({ length: 70_000 }, (_, i) => ({ row: i, price: '1.5' })))
    for (const length of [65_536, 1_048_576])
      expect(refusal(() => json(rows.slice(0, length)))?.[0]).toBe('SOURCE_TRUNCATION_SUSPECT')
    expect(refusal(() => json(rows.slice(0, 1_048_575)))?.[0]).toBe('SOURCE_NOT_JSON')
    expect(refusal(() => json(`"${'x'.repeat(65_534)}"`))).toBeNull()
  })

  it('tells pages from broken JSON', () => {
    for (const [body, mediaType, code] of [
      ['<html>', 'application/json', 'SOURCE_BLOCKED'],
      [' \r\n\t<!DOCTYPE html>', '', 'SOURCE_BLOCKED'],
      ['{}', 'text/html', 'SOURCE_BLOCKED'],
      ['', 'application/json', 'SOURCE_NOT_JSON'],
      ['\ufeff{}', 'application/json', 'SOURCE_NOT_JSON'],
      ['{"a": NaN}', 'application/json', 'SOURCE_NOT_JSON'],
      ['[Infinity]', 'application/json', 'SOURCE_NOT_JSON'],
      ['{"__proto__": {}}', 'application/json', 'SOURCE_NOT_JSON'],
      ['["\\udc00"]', 'application/json', 'SOURCE_NOT_JSON'],
      ['{"\\ud800": 1}', 'application/json', 'SOURCE_NOT_JSON'],
    ] as const)
      expect(refusal(() => json(body, mediaType))?.[0], body).toBe(code)
  })
})

describe('typed readers', () => {
  const body = json('{"a/b": {"~": [1, "2", null, {}]}, "t": "x", "big": 9007199254740993, "half": 1.5, "e": ""}')

  it('name the place that is wrong', () => {
    const list = field(field(body, 'a/b'), '~')
    expect(refusal(() => field(body, 'none'))).toEqual(['SOURCE_DRIFT', '/none'])
    expect(refusal(() => field(body, 'toString'))).toEqual(['SOURCE_DRIFT', '/toString'])
    expect(refusal(() => decimal(item(list, 2)))).toEqual(['SOURCE_DRIFT', '/a~1b/~0/2'])
    expect(refusal(() => item(list, 4))).toEqual(['SOURCE_DRIFT', '/a~1b/~0'])
    expect(refusal(() => text(item(list, 0)))).toEqual(['SOURCE_DRIFT', '/a~1b/~0/0'])
    expect(refusal(() => text(field(body, 'e')))).toEqual(['SOURCE_DRIFT', '/e'])
    expect(refusal(() => decimal(field(body, 't')))).toEqual(['SOURCE_VALUE_INVALID', '/t'])
    expect(refusal(() => integer(field(body, 'big')))).toEqual(['SOURCE_VALUE_INVALID', '/big'])
    expect(refusal(() => integer(field(body, 'half')))).toEqual(['SOURCE_VALUE_INVALID', '/half'])
    expect(refusal(() => field(list, '0'))).toEqual(['SOURCE_DRIFT', '/a~1b/~0'])
    expect(decimal(at(body, '/a~1b/~0/1'))).toBe('2')
    expect(refusal(() => at(body, '/a~1b/~0/01'))).toEqual(['SOURCE_DRIFT', '/a~1b/~0'])
    expect(refusal(() => at(body, '/a~1b/~0/-1'))).toEqual(['SOURCE_DRIFT', '/a~1b/~0'])
  })
})

describe('times', () => {
  const read = (written: unknown, format: TimeFormat): number =>
    time(field(json(JSON.stringify({ t: written })), 't'), format)

  it('are read to the millisecond in every format', () => {
    const range = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2099, 11) })
    const property = fc.property(range, fc.integer({ min: -14 * 60, max: 14 * 60 }), (atMs, zoneMin) => {
      expect(read(new Date(atMs).toISOString(), 'iso')).toBe(atMs)
      const zone = `${zoneMin < 0 ? '-' : '+'}${String(Math.trunc(Math.abs(zoneMin) / 60)).padStart(2, '0')}:${String(Math.abs(zoneMin) % 60).padStart(2, '0')}`
      expect(isoMs(new Date(atMs + zoneMin * 60_000).toISOString().replace('Z', zone), '')).toBe(atMs)
      expect(read(atMs, 'ms')).toBe(atMs)
      expect(read(String(atMs), 'ms')).toBe(atMs)
      expect(read(atMs * 1000 + 999, 'us')).toBe(atMs)
      expect(read(`${Math.floor(atMs / 1000)}.${String(atMs % 1000).padStart(3, '0')}9999999`, 's')).toBe(atMs)
      // The wrong unit is no time.
      expect(refusal(() => read(atMs, 's'))?.[0]).toBe('SOURCE_VALUE_INVALID')
      expect(refusal(() => read(Math.floor(atMs / 1000), 'ms'))?.[0]).toBe('SOURCE_VALUE_INVALID')
      expect(refusal(() => read(atMs, 'us'))?.[0]).toBe('SOURCE_VALUE_INVALID')
    })
    fc.assert(property, { numRuns, seed })
  })

  it('need a zone and a day of the calendar', () => {
    for (const written of [
      '2024-05-06T07:08:09',
      '2024-05-06',
      '2023-02-29T00:00:00Z',
      '2024-13-01T00:00:00Z',
      '2024-05-06T24:00:00Z',
      '2024-05-06T07:60:00Z',
      '2024-05-06T07:08:61Z',
      '06/05/2024 07:08:09Z',
      '2024-05-06T07:08:09+15:00',
      '٢٠٢٤-05-06T07:08:09Z',
      ' 2024-05-06T07:08:09Z',
    ])
      expect(refusal(() => read(written, 'iso'))?.[0], written).toBe('SOURCE_VALUE_INVALID')
    expect(read('2024-02-29T23:59:59.123456789Z', 'iso')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59, 123))
    expect(refusal(() => read(null, 'iso'))?.[0]).toBe('SOURCE_DRIFT')
    expect(refusal(() => read({}, 'ms'))?.[0]).toBe('SOURCE_DRIFT')
  })
})

describe('parseXml', () => {
  it('throws nothing but SourceErrors, whatever the bytes', () => {
    const base = Buffer.from('<?xml version="1.0"?><a:b xmlns:a="urn:x"><c d="1">t &amp; u</c><![CDATA[x]]></a:b>')
    const edited = fc.tuple(fc.nat(base.length), fc.uint8Array({ maxLength: 3 })).map(([place, bytes]) => {
      return Buffer.concat([base.subarray(0, place), bytes, base.subarray(place + bytes.length)])
    })
    const property = fc.property(fc.oneof(edited, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      const found = refusal(() => xml(bytes))
      if (found !== null) expect(found[0]).toBe('SOURCE_NOT_XML')
    })
    fc.assert(property, { numRuns: 3000, seed })
  })

  it('knows namespaces, and names the place', () => {
    const root = xml(
      '<n:r xmlns:n="urn:n" xmlns="urn:d"><c v="1"/><c v="2"/><x:c xmlns:x="urn:d" n:v="3"/><o xmlns="">t</o></n:r>',
    )
    expect([root.name, root.namespace]).toEqual(['r', 'urn:n'])
    expect(root.children.map(({ path, namespace }) => [path, namespace])).toEqual([
      ['/r/c', 'urn:d'],
      ['/r/c/1', 'urn:d'],
      ['/r/c/2', 'urn:d'],
      ['/r/o', ''],
    ])
    expect(refusal(() => childOf(root, 'c', 'urn:d'))).toEqual(['SOURCE_DRIFT', '/r/c/1'])
    expect(refusal(() => childOf(root, 'c', 'urn:n'))).toEqual(['SOURCE_DRIFT', '/r/c'])
    expect(refusal(() => attributeOf(root.children[2]!, 'v'))).toEqual(['SOURCE_DRIFT', '/r/c/2/@v'])
    expect(childOf(root, 'o', '').text).toBe('t')
  })

  it('is bounded in depth and number, without entities of its own', () => {
    const bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;</a>'
    for (const body of [bomb, '<a>'.repeat(100_000), `<a>${'<b/>'.repeat(200_001)}</a>`, '<a>&b;</a>', '<a/><b/>', ''])
      expect(refusal(() => xml(body))?.[0], body.slice(0, 40)).toBe('SOURCE_NOT_XML')
    expect(refusal(() => xml(`${'<a>'.repeat(64)}${'</a>'.repeat(64)}`))).toBeNull()
    expect(refusal(() => xml('<!doctype HTML><a/>'))?.[0]).toBe('SOURCE_BLOCKED')
    expect(refusal(() => xml('<?xml version="1.0" encoding="utf-8"?><a/>'))).toBeNull()
  })
})

describe('refusals', () => {
  it('carry no sign of a source that moves a terminal or breaks a line', () => {
    const nasty = '\u001b[2J\u202e\n\r\u0000\u2028\u009b'
    const seen = [`{"a": 1, "a${nasty}": 1, "a${nasty}": 2}`, `[${nasty}]`, `{"${nasty}`].map((body) => {
      try {
        return String(json(body).value)
      } catch (error) {
        return (error as SourceError).message
      }
    })
    expect(excerpt(nasty)).toBe('?[2J??????')
    expect(seen.filter((message) => /[\p{C}\u2028]/u.test(message))).toEqual([])
    expect(excerpt('Ünknöwn symbol', 7)).toBe('Ünknöwn')
  })
})

describe('priceReading', () => {
  const place = (value: Json): Place => ({ value, path: '/p' })
  const reading = (last: string, bid: string | null, ask: string | null): unknown =>
    priceReading(
      { last: place(last), bid: bid === null ? null : place(bid), ask: ask === null ? null : place(ask) },
      null,
    )

  it('takes prices above 0 and below 10^12', () => {
    for (const fit of ['0.000000000001', '1', '999999999999.99']) expect(price(place(fit))).toBe(fit)
    for (const unfit of ['0', '-1', '0.0', '-0', '1000000000000', '1e12'])
      expect(refusal(() => price(place(unfit)))?.[0], unfit).toBe('SOURCE_VALUE_INVALID')
  })

  it('holds bid, ask and last against each other', () => {
    expect(reading('100', '99', '101')).toEqual({ value: { price: '100', bid: '99', ask: '101' }, observedAtMs: null })
    expect(reading('100', null, '101')).toEqual({ value: { price: '100', ask: '101' }, observedAtMs: null })
    // A last trade may be older than the book, but a slip of scale is ten-fold.
    expect(refusal(() => reading('100', '290', '291'))).toBeNull()
    for (const [last, bid, ask] of [
      ['100', '101', '99'],
      ['100', '10', '10.1'],
      ['100', '1000', '1001'],
      ['100', '-1', '101'],
      ['100', '0', '101'],
      ['100', '99', '1e11'],
    ] as const)
      expect(refusal(() => reading(last, bid, ask))?.[0], `${last} ${bid} ${ask}`).toBe('SOURCE_VALUE_INVALID')
  })
})
