// YAML as people write it, to plain values with the place of each: no aliases, tags, repeated keys or inexact numbers.

import { Composer, type CST, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, Parser, type Scalar } from 'yaml'

/** Longest text of one file, characters. */
export const textLengthMax: number = 524_288
const documentsMax = 256
const depthMax = 24

/** Line and column, from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** What makes a text unreadable, and where. */
export interface YamlFault extends Position {
  readonly message: string
  readonly fix: string
}

/** One document of a file. */
export interface YamlDocument {
  readonly value: unknown
  /** Position of the value with this JSON Pointer (of its key, in an object); of the nearest outer one if it is absent. */
  readonly positionOf: (pointer: string) => Position
}

class Unfit extends Error {
  readonly offset: number
  readonly fix: string

  constructor(offset: number, message: string, fix: string) {
    super(message)
    this.offset = offset
    this.fix = fix
  }
}

/** The documents of `text` (YAML 1.2 core schema, so JSON too), or the first fault of it. Never throws on any text. */
export function readYaml(text: string): readonly YamlDocument[] | YamlFault {
  const lines = new LineCounter()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  try {
    if (text.length > textLengthMax)
      throw new Unfit(0, `the file has more than ${textLengthMax} characters`, 'Split the file.')
    const tokens = [...new Parser(lines.addNewLine).parse(text)]
    checkTokens(tokens)
    const composer = new Composer({
      version: '1.2',
      schema: 'core',
      uniqueKeys: false,
      merge: false,
      logLevel: 'silent',
    })
    const documents: YamlDocument[] = []
    for (const document of composer.compose(tokens, false, text.length)) {
      const fault = document.errors[0] ?? document.warnings[0]
      if (fault !== undefined) {
        const message = fault.message.split('\n')[0]!
        throw new Unfit(
          fault.pos[0],
          message,
          'Mend the YAML: indent with spaces, and put texts with : # { } in quotes.',
        )
      }
      const { contents } = document
      // Nothing but white space and comments.
      if (contents === null || (isScalar(contents) && contents.source === '' && contents.value === null)) continue
      if (documents.length === documentsMax)
        throw new Unfit(document.range[0], `the file has more than ${documentsMax} documents`, 'Split the file.')
      const offsets = new Map<string, number>()
      const value = plain(contents, '', offsets)
      documents.push({ value, positionOf: (pointer) => at(nearest(offsets, pointer)) })
    }
    return documents
  } catch (error) {
    if (!(error instanceof Unfit)) throw error
    return { ...at(error.offset), message: error.message, fix: error.fix }
  }
}

/** Refuses depth and directives before anything recurses over them. */
function checkTokens(tokens: readonly CST.Token[]): void {
  const open: { token: CST.Token | null | undefined; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }))
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next
    if (token === null || token === undefined) continue
    if (depth > depthMax)
      throw new Unfit('offset' in token ? token.offset : 0, `nested deeper than ${depthMax}`, 'Nest less.')
    if (token.type === 'directive')
      throw new Unfit(token.offset, 'directives are refused', 'Remove the line that begins with %.')
    if (token.type === 'document') open.push({ token: token.value, depth })
    if ('items' in token)
      for (const item of token.items) {
        open.push({ token: item.key, depth: depth + 1 }, { token: item.value, depth: depth + 1 })
      }
  }
}

/** The plain value of `node`; keeps the offset of each value, by pointer. */
function plain(node: Node, pointer: string, offsets: Map<string, number>): unknown {
  const offset = node.range?.[0] ?? 0
  if (!offsets.has(pointer)) offsets.set(pointer, offset)
  if (isAlias(node)) throw new Unfit(offset, 'aliases are refused', 'Write the value out where it is needed.')
  if (node.anchor !== undefined) throw new Unfit(offset, 'anchors are refused', 'Remove the & mark.')
  if (node.tag !== undefined) throw new Unfit(offset, 'tags are refused', 'Remove the ! mark; texts go in quotes.')
  if (isScalar(node)) return scalar(node, offset)
  if (isSeq(node))
    return node.items.map((item, i) => {
      if (isScalar(item) || isMap(item) || isSeq(item) || isAlias(item)) return plain(item, `${pointer}/${i}`, offsets)
      throw new Unfit(offset, 'a pair stands where an item should', 'Put it in braces, or on lines of its own.')
    })
  if (!isMap(node)) throw new Unfit(offset, 'this is no value', 'Write a text, number, list or map.')
  const result: Record<string, unknown> = {}
  for (const { key, value } of node.items) {
    const keyOffset = (key as Node).range?.[0] ?? offset
    if (!isScalar(key) || typeof key.value !== 'string' || key.anchor !== undefined || key.tag !== undefined)
      throw new Unfit(keyOffset, 'a key is no plain text', 'Use names of fields as keys.')
    const name = key.value
    if (name === '__proto__') throw new Unfit(keyOffset, 'the key __proto__ is refused', 'Remove it.')
    if (Object.hasOwn(result, name)) throw new Unfit(keyOffset, `the key ${name} is repeated`, 'Remove one of them.')
    const inner = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    offsets.set(inner, keyOffset)
    result[name] = value === null ? null : plain(value as Node, inner, offsets)
  }
  return result
}

function scalar({ value, source }: Scalar, offset: number): unknown {
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value))
    throw new Unfit(offset, 'a text has half a surrogate pair', 'Write the character itself.')
  if (typeof value !== 'number') return value
  const digits = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/.test(source ?? '') ? (source ?? '').replace(/[^0-9]/g, '') : ''
  if (digits === '' || digits.replace(/^0+/, '').length > 15)
    throw new Unfit(
      offset,
      `the number ${(source ?? '').slice(0, 40)} is not written plainly with at most 15 digits`,
      'Put decimals in quotes, and write whole numbers in decimal digits.',
    )
  return value
}

function nearest(offsets: ReadonlyMap<string, number>, pointer: string): number {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const offset = offsets.get(at)
    if (offset !== undefined || at === '') return offset ?? 0
  }
}
