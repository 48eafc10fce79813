// JSON whose bytes are signed or hashed: RFC 8785 written and read, and strict JSON for documents that people write.

import { OracleError } from '../base/errors.js'

/** Deepest nesting of arrays and objects accepted or written. */
const DEPTH_MAX = 64

/** Matches a surrogate without its other half: text that has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** RFC 6901 token of one key. */
function pointerToken(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function refuse(path: string, what: string): never {
  throw new OracleError('VALUE_NOT_CANONICAL', `${what} has no canonical JSON`, { path })
}

function writeText(text: string, path: string): string {
  if (LONE_SURROGATE.test(text)) refuse(path, 'a lone surrogate')
  return JSON.stringify(text)
}

function writeObject(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) refuse(path, 'an object that is not plain')
  const fields = value as Readonly<Record<string, unknown>>
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(path, 'a symbol key')
  // Without a comparison function sort() orders by UTF-16 code units, which is the RFC's order.
  const keys = Object.keys(fields).sort()
  let text = '{'
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const place = path + pointerToken(key)
    if (key === '__proto__') refuse(place, 'the key __proto__') // readers refuse it, so it is not written
    text += `${i === 0 ? '' : ','}${writeText(key, place)}:${write(fields[key], place, depth + 1)}`
  }
  return `${text}}`
}

function write(value: unknown, path: string, depth: number): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isFinite(value)) refuse(path, 'a number that is not finite')
      return String(value) // ECMAScript's formatting is the RFC's; −0 becomes 0
    case 'string':
      return writeText(value, path)
    case 'object': {
      // A cycle is endless depth, so the bound refuses it too.
      if (depth >= DEPTH_MAX) refuse(path, `nesting deeper than ${DEPTH_MAX}`)
      if (!Array.isArray(value)) return writeObject(value, path, depth)
      let text = '['
      for (let i = 0; i < value.length; i++)
        text += `${i === 0 ? '' : ','}${write(value[i], `${path}/${i}`, depth + 1)}`
      return `${text}]`
    }
    default:
      return refuse(path, `a value of type ${typeof value}`)
  }
}

/**
 * RFC 8785 text of `value`: null, booleans, finite numbers, well-formed strings, arrays and plain objects, nested at
 * most 64 deep. Throws VALUE_NOT_CANONICAL with the JSON Pointer of anything else.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '', 0)
}

function decode(bytes: Uint8Array, bytesMax: number): string {
  if (bytes.length > bytesMax)
    throw new OracleError('DOCUMENT_TOO_LARGE', `${bytes.length} bytes, at most ${bytesMax} are accepted`, {
      facts: { bytes: bytes.length, bytesMax },
    })
  try {
    return decoder.decode(bytes)
  } catch {
    throw new OracleError('JSON_INVALID', 'the bytes are not UTF-8')
  }
}

/**
 * The value of `bytes` (at most `bytesMax`) when they are exactly its RFC 8785 form, so repeated keys, white space,
 * other escapes and number forms, −0, numbers beyond a double, a byte order mark and invalid UTF-8 are all refused.
 * Throws DOCUMENT_TOO_LARGE, JSON_INVALID with the position, or JSON_NOT_CANONICAL.
 */
export function parseCanonical(bytes: Uint8Array, bytesMax: number): unknown {
  const text = decode(bytes, bytesMax)
  let value: unknown
  let canonical: string
  try {
    value = JSON.parse(text) // fast; whatever it is lenient about does not survive the comparison below
  } catch {
    value = new Reader(text).document() // throws too, and knows where
  }
  try {
    canonical = canonicalJson(value)
  } catch (error) {
    if (!(error instanceof OracleError)) throw error
    throw new OracleError('JSON_NOT_CANONICAL', error.message, { path: error.path })
  }
  if (canonical !== text)
    throw new OracleError('JSON_NOT_CANONICAL', 'the bytes are not the canonical form of their value')
  return value
}

const WHITE = /[\t\n\r ]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORDS: ReadonlyMap<string, readonly [string, boolean | null]> = new Map([
  ['t', ['true', true]],
  ['f', ['false', false]],
  ['n', ['null', null]],
])

/** A recursive-descent reader: JSON.parse takes the last of repeated keys, makes 1e400 Infinity and has no depth bound. */
class Reader {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  document(): unknown {
    this.white()
    const value = this.value('', 0)
    this.white()
    if (this.at !== this.text.length) this.fail('', 'nothing may follow the value')
    return value
  }

  private fail(path: string, message: string): never {
    throw new OracleError('JSON_INVALID', `${message} (character ${this.at})`, { path, facts: { position: this.at } })
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found === null) return null
    this.at += found[0].length
    return found[0]
  }

  private white(): void {
    this.match(WHITE)
  }

  /** Takes `character` when it is next. */
  private takes(character: string): boolean {
    if (this.text[this.at] !== character) return false
    this.at++
    return true
  }

  private value(path: string, depth: number): unknown {
    const next = this.text[this.at]
    if (next === undefined) this.fail(path, 'the text ends early')
    if (next === '{' || next === '[') {
      if (depth >= DEPTH_MAX) this.fail(path, `nested deeper than ${DEPTH_MAX}`)
      this.at++
      return next === '{' ? this.object(path, depth) : this.array(path, depth)
    }
    if (next === '"') return this.string(path)
    const word = WORDS.get(next)
    if (word !== undefined) {
      if (!this.text.startsWith(word[0], this.at)) this.fail(path, `expected ${word[0]}`)
      this.at += word[0].length
      return word[1]
    }
    const number = this.match(NUMBER)
    if (number === null) this.fail(path, 'expected a value')
    const value = Number(number)
    if (!Number.isFinite(value)) this.fail(path, 'the number is too large')
    return value
  }

  private string(path: string): string {
    const start = this.at
    if (!this.takes('"')) this.fail(path, 'expected a string')
    // A loop, since a regular expression with alternatives may exhaust its stack on a long string.
    for (;;) {
      const code = this.text.charCodeAt(this.at)
      if (code === 0x22) break
      if (!(code >= 0x20)) this.fail(path, 'expected a string without control characters, and its closing quote')
      this.at += code === 0x5c ? 2 : 1
    }
    this.at++
    const text = this.unescape(path, start)
    if (LONE_SURROGATE.test(text)) this.fail(path, 'the string has a lone surrogate')
    return text
  }

  private unescape(path: string, start: number): string {
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string
    } catch {
      return this.fail(path, 'the string has an unknown escape')
    }
  }

  private array(path: string, depth: number): unknown[] {
    const items: unknown[] = []
    this.white()
    if (this.takes(']')) return items
    for (;;) {
      this.white()
      items.push(this.value(`${path}/${items.length}`, depth + 1))
      this.white()
      if (this.takes(']')) return items
      if (!this.takes(',')) this.fail(path, 'expected , or ]')
    }
  }

  private object(path: string, depth: number): Record<string, unknown> {
    const fields: Record<string, unknown> = {}
    this.white()
    if (this.takes('}')) return fields
    for (;;) {
      this.white()
      const key = this.string(path)
      const place = path + pointerToken(key)
      // Assigning __proto__ would change the object instead of adding a field.
      if (key === '__proto__') this.fail(place, 'the key __proto__ is refused')
      if (Object.hasOwn(fields, key)) this.fail(place, `the key ${JSON.stringify(key)} is repeated`)
      this.white()
      if (!this.takes(':')) this.fail(place, 'expected :')
      this.white()
      fields[key] = this.value(place, depth + 1)
      this.white()
      if (this.takes('}')) return fields
      if (!this.takes(',')) this.fail(path, 'expected , or }')
    }
  }
}

/**
 * The value of JSON that a person may have written: any white space and key order, at most `bytesMax` bytes of UTF-8,
 * no repeated or __proto__ keys, no lone surrogates, no number beyond a double, nested at most 64 deep.
 * Throws DOCUMENT_TOO_LARGE, or JSON_INVALID with the place and character position.
 */
export function parseJson(bytes: Uint8Array, bytesMax: number): unknown {
  return new Reader(decode(bytes, bytesMax)).document()
}
