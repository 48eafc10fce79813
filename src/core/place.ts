// Reads a parsed document field by field and names the place of whatever does not fit.

import { OracleError } from '../base/errors.js'
import { fromHex } from './bytes.js'

/** Codes with which a document can be refused. */
export type DocumentCode = OracleError['code']

/** One value of a document and where it stands; each method checks the value or throws OracleError with that place. */
export class Place {
  readonly value: unknown
  /** JSON Pointer of the value. */
  readonly path: string
  private readonly code: DocumentCode

  constructor(value: unknown, path: string, code: DocumentCode) {
    this.value = value
    this.path = path
    this.code = code
  }

  /** Throws the document's refusal, or the finer `code`, at this place. */
  fail(message: string, code: DocumentCode = this.code): never {
    throw new OracleError(code, `${message} (at ${this.path === '' ? 'the top' : this.path})`, { path: this.path })
  }

  /** The places of an object that has all `required` fields, perhaps some `optional` ones, and no others. */
  fields<R extends string, O extends string = never>(
    required: readonly R[],
    optional: readonly O[] = [],
  ): { readonly [K in R]: Place } & { readonly [K in O]?: Place } {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail('expected an object')
    const names: readonly string[] = [...required, ...optional]
    const found: Record<string, Place> = Object.create(null) // a field may be called constructor
    for (const [name, inner] of Object.entries(value)) {
      const place = new Place(inner, `${this.path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, this.code)
      if (!names.includes(name)) place.fail('the field is unknown')
      found[name] = place
    }
    for (const name of required)
      if (found[name] === undefined)
        new Place(undefined, `${this.path}/${name}`, this.code).fail('the field is missing')
    return found as { readonly [K in R]: Place } & { readonly [K in O]?: Place }
  }

  /** The places of an array with `min` to `max` items. */
  items(min: number, max: number): Place[] {
    const { value } = this
    if (!Array.isArray(value)) this.fail('expected an array')
    if (value.length < min || value.length > max)
      this.fail(`expected ${min} to ${max} items, there are ${value.length}`)
    return value.map((item, i) => new Place(item, `${this.path}/${i}`, this.code))
  }

  /** An integer from `min` to `max`. */
  integer(min: number, max: number): number {
    const { value } = this
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      this.fail(`expected an integer from ${min} to ${max}`)
    return value + 0 // −0 becomes 0
  }

  /** A string. */
  string(): string {
    if (typeof this.value !== 'string') this.fail('expected a string')
    return this.value
  }

  /** A string that `pattern` matches; `what` says in words what that is. */
  text(pattern: RegExp, what: string): string {
    const value = this.string()
    if (!pattern.test(value)) this.fail(`expected ${what}`)
    return value
  }

  /** One of `names`. */
  oneOf<T extends string>(names: readonly T[]): T {
    const value = this.string()
    const found = names.find((name) => name === value)
    if (found === undefined) this.fail(`expected one of ${names.join(', ')}`)
    return found
  }

  /** `length` bytes of lower-case 0x hex. */
  bytes(length: number): Uint8Array {
    const bytes = fromHex(this.string(), length)
    if (bytes === null) this.fail(`expected ${length} bytes of lower-case hex after 0x`)
    return bytes
  }

  /** Exactly this value; `why` says what it means. */
  exactly<T extends string | number | boolean>(expected: T, why: string): T {
    if (this.value !== expected) this.fail(`expected ${JSON.stringify(expected)}: ${why}`)
    return expected
  }
}

/** A lower-case name such as `btc-usd`: letters, digits and single hyphens, at most 64 characters. */
export const slug: RegExp = /^(?=.{1,64}$)[a-z0-9]+(?:-[a-z0-9]+)*$/
