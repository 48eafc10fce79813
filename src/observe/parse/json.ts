// Reads a source's bytes as JSON and loses nothing: number text stays text, and what parsers disagree on is refused.

import { parse } from 'lossless-json'
import type { Raw } from '../adapter.js'
import { SourceError } from '../source-error.js'
import { excerpt } from './excerpt.js'

/** A number as the source wrote it. */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Json = null | boolean | string | NumberText | readonly Json[] | { readonly [key: string]: Json }

/** One place in an answer: its value and its JSON Pointer. */
export interface Place {
  readonly value: Json
  readonly path: string
}

const depthMax = 64
const roundBytes = 65_536

/**
 * The whole answer as one place. SOURCE_BLOCKED for a page (text/html, or '<' first); SOURCE_NOT_JSON for all that
 * RFC 8259 refuses, and for a BOM, other encodings than UTF-8, repeated keys, `__proto__`, lone surrogates and depth
 * beyond 64; SOURCE_TRUNCATION_SUSPECT when such a body is a multiple of 64 KiB long.
 */
export function parseJson(raw: Raw): Place {
  if (raw.mediaType === 'text/html' || raw.mediaType === 'application/xhtml+xml' || opensWith(raw.bytes, '<'))
    throw new SourceError('SOURCE_BLOCKED', 'a page came in place of JSON')
  try {
    const text = textOf(raw.bytes)
    checkText(text)
    return { value: parse(text, null, { parseNumber: (number) => new NumberText(number) }) as Json, path: '' }
  } catch (cause) {
    // Unusable at a round length: something on the way has a limit there (incident I10).
    if (raw.bytes.length > 0 && raw.bytes.length % roundBytes === 0) {
      const message = `the body is no JSON and has exactly ${raw.bytes.length} bytes`
      throw new SourceError('SOURCE_TRUNCATION_SUSPECT', message, { cause })
    }
    if (cause instanceof SourceError) throw cause
    throw refusal(cause instanceof Error ? cause.message : 'it cannot be read', cause)
  }
}

/** The UTF-8 text of a source's bytes; SOURCE_NOT_JSON, or `code`, for other encodings and for a BOM. */
export function textOf(bytes: Uint8Array, code: 'SOURCE_NOT_JSON' | 'SOURCE_NOT_XML' = 'SOURCE_NOT_JSON'): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf && code === 'SOURCE_NOT_JSON')
    throw new SourceError(code, 'the body opens with a byte order mark')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new SourceError(code, 'the body is not UTF-8', { cause })
  }
}

/** Whether the first character that is no white space is `character`. */
export function opensWith(bytes: Uint8Array, character: string): boolean {
  const first = bytes.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  return first === character.charCodeAt(0)
}

/**
 * Refuses what the parser would let pass (equal values under one key) or die of (depth), in one walk over the text
 * without recursion; grammar is the parser's concern.
 */
function checkText(text: string): void {
  /** Keys seen in each open object; null for an open array. */
  const open: (Set<string> | null)[] = []
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(null)
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const end = endOfString(text, i)
      checkString(text.slice(i, end), open.at(-1) ?? null, isKey(text, end))
      i = end - 1
    }
    if (open.length > depthMax) throw refusal(`it is nested deeper than ${depthMax}`)
  }
}

/** The index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '"') return i + 1
    if (text[i] === '\\') i++
  }
  throw refusal('a string does not end')
}

function isKey(text: string, end: number): boolean {
  let i = end
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++
  return text[i] === ':'
}

function checkString(quoted: string, keys: Set<string> | null, isKey: boolean): void {
  if (!isKey && !quoted.includes('\\u')) return
  const text = unquoted(quoted)
  if (/\p{Surrogate}/u.test(text)) throw refusal('a string has half a surrogate pair')
  if (!isKey || keys === null) return
  if (text === '__proto__') throw refusal('a key is "__proto__"')
  if (keys.has(text)) throw refusal(`the key "${text}" comes twice`)
  keys.add(text)
}

function unquoted(quoted: string): string {
  try {
    return JSON.parse(quoted) as string
  } catch (cause) {
    throw refusal('a string is malformed', cause)
  }
}

function refusal(why: string, cause?: unknown): SourceError {
  return new SourceError('SOURCE_NOT_JSON', `the body is not usable JSON: ${excerpt(why)}`, { cause })
}
