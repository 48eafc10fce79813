// Makes the mutants of one good answer: each breaks, moves or rescales one thing, or changes nothing that matters.

import { canonicalDecimal } from '../../src/observe/parse/decimal.js'
import type { Subject } from './mutation-subjects.js'

export interface Mutant {
  readonly name: string
  readonly bytes: Uint8Array
  readonly mediaType?: string
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Ways to read and change one body, JSON or XML; `content` is what stands at a place, `put` replaces it. */
interface Body {
  readonly text: string
  readonly content: (place: string) => string
  /** With the content `text` in the form (quoted or bare) that the place has. */
  readonly put: (place: string, text: string) => string
}

/** All mutants of a subject's body. */
export function mutantsOf(subject: Subject, text: string): readonly Mutant[] {
  const isXml = subject.file.endsWith('.xml')
  const body = isXml ? xmlBody(text) : jsonBody(text)
  const texts = [
    ...numberMutants(subject, body),
    ...timeMutants(subject, body),
    ...nameMutants(subject, body),
    ...(isXml ? xmlMutants(text) : jsonMutants(subject, text)),
    ...cutMutants(text),
  ]
  return [...texts.map(([name, mutated]) => ({ name, bytes: Buffer.from(mutated) })), ...byteMutants(text, isXml)]
}

type Named = readonly [name: string, text: string]

function numberMutants({ number }: Subject, body: Body): readonly Named[] {
  const c = body.content(number)
  const shifted = (power: number): string => canonicalDecimal(`${c}e${power}`)!
  const [whole = '', fraction = ''] = canonicalDecimal(c)!.split('.')
  const digits = (zero: number): string => c.replace(/[0-9]/g, (d) => String.fromCodePoint(zero + Number(d)))
  const forms: readonly Named[] = [
    ['number is negative', `-${c}`],
    ['number is zero', '0'],
    ['number is minus zero', '-0'],
    ['number times 100', shifted(2)],
    ['number over 100', shifted(-2)],
    ['number times 10^14', shifted(14)],
    ['number without its point', whole + fraction],
    ['number with a decimal comma', c.replace('.', ',')],
    ['number with thousands separator', `1,${c}`],
    ['number with thousands spaces', `1 ${c}`],
    ['number with a second point', `1.${c}`],
    ['number with a leading zero', `0${c}`],
    ['number with a plus', `+${c}`],
    ['number after a no-break space', `\u00a0${c}`],
    ['number in Arabic digits', digits(0x0660)],
    ['number in full-width digits', digits(0xff10)],
    ['number with an underscore', `1_${c}`],
    ['number with a unit', `${c} USD`],
    ['number with a sign of currency', `$${c}`],
    ['number with per cent', `${c}%`],
    ['number in hex', '0xEF42'],
    ['number of 70 digits', `${c}${'1'.repeat(70)}`],
    ['number ends in a point', `${whole}.`],
    ['number opens with a point', `.${fraction}1`],
    ['number is NaN', 'NaN'],
    ['number is Infinity', 'Infinity'],
    ['number is 1e400', '1e400'],
    ['number is 1e-999', '1e-999'],
    ['number is 1e-400000000000', '1e-400000000000'],
    ['number is empty', ''],
    ['same number with an exponent', `${whole}${fraction}E-${fraction.length}`],
    ['same number with zeros behind', `${whole}.${fraction}000`],
  ]
  return forms.map(([name, form]) => [name, body.put(number, form)])
}

function timeMutants({ time, timeFormat }: Subject, body: Body): readonly Named[] {
  if (time === undefined) return []
  const c = body.content(time)
  const put = (name: string, text: string): Named => [`time ${name}`, body.put(time, text)]
  const dayMs = 86_400_000
  const common = [put('is zero', '0'), put('is no time', 'yesterday'), put('is empty', ''), put('is negative', `-${c}`)]
  if (timeFormat === 's' || timeFormat === 'ms') {
    const unit = timeFormat === 's' ? 1000 : 1
    return [
      ...common,
      put('times 1000', `${c}000`),
      put('over 1000', c.slice(0, -3)),
      put('a day older', String(Number(c) - dayMs / unit)),
      put('a day newer', String(Number(c) + dayMs / unit)),
    ]
  }
  // The form stays what it is: a zone, or none where the source gives none.
  const moved = (days: number): string => {
    const day = new Date(Date.parse(`${c.slice(0, 10)}T00:00Z`) + days * dayMs).toISOString().slice(0, 10)
    return day + c.slice(10)
  }
  return [
    ...common,
    put('on the 30th of February', `2024-02-30${c.slice(10)}`),
    put('in American order', `05/06/2024${c.slice(10)}`),
    ...(timeFormat === 'iso' ? [put('without its zone', c.slice(0, 19))] : [put('with a second zone', `${c}Z+01`)]),
    put('a day older', moved(-1)),
    put('a day newer', moved(1)),
  ]
}

function nameMutants({ names }: Subject, { text }: Body): readonly Named[] {
  return (names?.to ?? []).map((name) => [`named ${name}`, text.replaceAll(names!.from, name)])
}

function jsonMutants({ number, time, bid, ask }: Subject, text: string): readonly Named[] {
  const doc = JSON.parse(text) as Json
  const value = at(doc, number)
  const raw = JSON.stringify(value)
  const other = typeof value === 'string' ? canonicalDecimal(value)! : JSON.stringify(String(value))
  const key = JSON.stringify(number.split('/').at(-1))
  const typed = (place: string, what: string): readonly Named[] => [
    [`${what} is null`, putRaw(doc, place, 'null')],
    [`${what} is true`, putRaw(doc, place, 'true')],
    [`${what} is an object`, putRaw(doc, place, '{}')],
    [`${what} is an array`, putRaw(doc, place, `[${JSON.stringify(at(doc, place))}]`)],
    [`${what} is missing`, without(doc, place)],
  ]
  const book: readonly Named[] =
    bid === undefined || ask === undefined
      ? []
      : [
          ['bid and ask swapped', swapped(doc, bid, ask)],
          ['bid is negative', putRaw(doc, bid, '"-1"')],
          ['ask is zero', putRaw(doc, ask, '"0"')],
          ['bid is no number', putRaw(doc, bid, '"n/a"')],
          ['ask is far off', putRaw(doc, ask, '"9e11"')],
        ]
  const twice = (second: string): string =>
    putRaw(doc, number, `${raw}, ${key}: ${second}`).replace(/(\[\s*)([^[\]]*), "0": /, '$1$2, ')
  return [
    ...typed(number, 'number'),
    ...(time === undefined ? [] : typed(time, 'time')),
    ...book,
    ...(typeof value === 'string' ? [['number in spaces', putRaw(doc, number, `" ${value} "`)] as Named] : []),
    ['same number of the other type', putRaw(doc, number, other)],
    ...(/^"\d+"$/.test(key) ? [] : [['number twice, another', twice('"1"')] as Named]),
    ...(/^"\d+"$/.test(key) ? [] : [['number twice, the same', twice(raw)] as Named]),
    ['in an array', `[${text}]`],
    ['one deeper', `{"data": ${text}}`],
    ['two answers', text + text],
    ['with a trailing comma', text.replace(/\}\s*$/, ',}')],
    ['with a comment', `/* ok */ ${text}`],
    ['with single quotes', text.replaceAll('"', "'")],
    ['with __proto__', text.replace('{', '{"__proto__": {"x": 1}, ')],
    ['with a key twice by an escape', text.replace('{', '{"\\u0078": 1, "x": 1, ')],
    ['with half a surrogate pair', text.replace('{', '{"x": "\\ud83d", ')],
    ['nested 100,000 deep', text.replace('{', `{"x": ${'['.repeat(100_000)}${']'.repeat(100_000)}, `)],
    ['in HTML', `<html><body><pre>${text}</pre></body></html>`],
    ['an empty object', '{}'],
    ['an empty array', '[]'],
    ['null', 'null'],
    ['same with an unknown field', text.replace('{', '{"unknown_field": {"a": [1, null]}, ')],
    ['same with keys reversed', JSON.stringify(reversed(doc))],
    ['same without white space', JSON.stringify(doc)],
  ]
}

function xmlMutants(text: string): readonly Named[] {
  const head = '<?xml version="1.0" encoding="UTF-8"?>'
  const change = (name: string, from: string, to: string): Named => [name, text.replace(from, () => to)]
  const rate = 'currency="USD" rate="1.0825"'
  return [
    change('with a document type', head, `${head}<!DOCTYPE x>`),
    change('with an entity bomb', head, `${head}<!DOCTYPE x [<!ENTITY a "1"><!ENTITY b "&a;&a;">]>`),
    change('with an unknown entity', 'Reference rates', '&rates;'),
    change('in another encoding', 'UTF-8', 'ISO-8859-15'),
    change('in another vocabulary', 'vocabulary/2002-08-01/eurofxref', 'vocabulary/2030-01-01/eurofxref'),
    change('in another envelope', 'http://www.gesmes.org/xml/2002-08-01', 'http://example.org/'),
    change('with an undeclared prefix', ' xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"', ''),
    change('with the rate twice', `<Cube ${rate}/>`, `<Cube ${rate}/><Cube ${rate}/>`),
    change('with an attribute twice', rate, `${rate} rate="1.0825"`),
    change('with a rate of the euro', `<Cube ${rate}/>`, `<Cube ${rate}/><Cube currency="EUR" rate="2"/>`),
    change('without the currency', `<Cube ${rate}/>`, ''),
    change('with a nameless rate', rate, 'rate="1.0825"'),
    change('with a rateless name', rate, 'currency="USD"'),
    change('without quotes', rate, 'currency=USD rate=1.0825'),
    change('with an open tag', `<Cube ${rate}/>`, `<Cube ${rate}>`),
    change('with another case of the name', 'currency="USD"', 'currency="usd"'),
    ['two documents', text + text],
    ['in HTML', `<!DOCTYPE html><html><body>${text}</body></html>`],
    ['nested 100,000 deep', text.replace('<Cube>', () => `${'<a>'.repeat(100_000)}<Cube>`)],
    ['as JSON', '{"rates": {"USD": 1.0825}}'],
    change('same with a comment', '<Cube>', '<!-- rates --><Cube>'),
    change('same with another order', rate, 'rate="1.0825" currency="USD"'),
    change('same with an unknown attribute', rate, `${rate} multiplier="1"`),
    change('same with single quotes', rate, "currency='USD' rate='1.0825'"),
    change('same with a character reference', 'rate="1.0825"', 'rate="1.082&#53;"'),
  ]
}

function cutMutants(text: string): readonly Named[] {
  return [
    ['empty', ''],
    ['white space', ' \n'],
    ['cut at its first byte', text.slice(0, 1)],
    ['cut at a quarter', text.slice(0, text.length / 4)],
    ['cut at the half', text.slice(0, text.length / 2)],
    ['cut at nine tenths', text.slice(0, text.length * 0.9)],
    ['cut at its last sign', text.trimEnd().slice(0, -1)],
  ]
}

function byteMutants(text: string, isXml: boolean): readonly Mutant[] {
  return [
    { name: 'in UTF-16', bytes: Buffer.from(text, 'utf16le') },
    { name: 'with a broken byte', bytes: Buffer.concat([Buffer.from(text.trimEnd()), Buffer.of(0xff)]) },
    { name: 'with a null byte', bytes: Buffer.concat([Buffer.from(text.trimEnd()), Buffer.of(0)]) },
    { name: 'served as text/html', bytes: Buffer.from(text), mediaType: 'text/html' },
    {
      name: isXml ? 'same with a byte order mark' : 'with a byte order mark',
      bytes: Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(text)]),
    },
  ]
}

function jsonBody(text: string): Body {
  const doc = JSON.parse(text) as Json
  return {
    text,
    content: (place) => String(at(doc, place)),
    put: (place, content) => putRaw(doc, place, typeof at(doc, place) === 'string' ? `"${content}"` : content),
  }
}

/** A place is an attribute's name: the first one counts. */
function xmlBody(text: string): Body {
  return {
    text,
    content: (place) => new RegExp(` ${place}="([^"]*)"`).exec(text)![1]!,
    put: (place, content) => text.replace(new RegExp(` ${place}="[^"]*"`), () => ` ${place}="${content}"`),
  }
}

function at(doc: Json, pointer: string): Json {
  return names(pointer).reduce((here, name) => (here as { [key: string]: Json })[name]!, doc)
}

/** The document with the text `raw`, whatever it is, in place of what stands at `pointer`. */
function putRaw(doc: Json, pointer: string, raw: string): string {
  const copy = structuredClone(doc)
  const [parent, name] = parentOf(copy, pointer)
  parent[name] = '@@'
  return JSON.stringify(copy, null, 2).replace('"@@"', () => raw)
}

function without(doc: Json, pointer: string): string {
  const copy = structuredClone(doc)
  const [parent, name] = parentOf(copy, pointer)
  if (Array.isArray(parent)) parent.splice(Number(name))
  else delete parent[name]
  return JSON.stringify(copy)
}

function swapped(doc: Json, a: string, b: string): string {
  const copy = structuredClone(doc)
  const [left, right] = [parentOf(copy, a), parentOf(copy, b)]
  const [held, other] = [left[0][left[1]]!, right[0][right[1]]!]
  left[0][left[1]] = other
  right[0][right[1]] = held
  return JSON.stringify(copy)
}

function parentOf(doc: Json, pointer: string): readonly [{ [key: string]: Json }, string] {
  const path = names(pointer)
  return [at(doc, pointer.slice(0, pointer.lastIndexOf('/'))) as { [key: string]: Json }, path.at(-1)!]
}

function reversed(value: Json): Json {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, held]) => [key, reversed(held)]),
  )
}

function names(pointer: string): readonly string[] {
  return pointer.split('/').slice(1)
}
