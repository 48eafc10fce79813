// How commands for chains speak: what goes on to standard error, the result as the last line of standard output.

import { toJson } from '../base/to-json.js'
import { visible } from './present.js'

/** Where a command's words go. */
export interface Talk {
  /** A line about what goes on. */
  readonly say: (text: string) => void
  readonly warn: (text: string) => void
  /** The result: one JSON object with --json, the text otherwise. */
  readonly result: (value: unknown, text: string) => void
  readonly bold: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly dim: (text: string) => string
}

/** Words for people on standard error in colour on a terminal; with `isJson` the same words, and JSON as the result. */
export function createTalk(isJson: boolean): Talk {
  const isPainted = process.stdout.isTTY === true && !isJson && process.env['NO_COLOR'] === undefined
  const paint =
    (code: number) =>
    (text: string): string =>
      isPainted ? `\u001b[${code}m${text}\u001b[0m` : text
  const note = (text: string): void => void process.stderr.write(`${text.split('\n').map(visible).join('\n')}\n`)
  return {
    say: note,
    warn: (text) => note(`warning: ${text}`),
    result: (value, text) => void process.stdout.write(`${isJson ? toJson(value) : text}\n`),
    bold: paint(1),
    good: paint(32),
    bad: paint(31),
    dim: paint(2),
  }
}

/** A frame around rows whose first is the head; columns as wide as their widest cell, numbers to the right. */
export function framed(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => visible(row[column]!).length)))
  const line = (row: readonly string[]): string =>
    `│ ${row.map((cell, i) => (right.includes(i) ? visible(cell).padStart(widths[i]!) : visible(cell).padEnd(widths[i]!))).join(' │ ')} │`
  const rule = (left: string, mid: string, end: string): string =>
    `${left}${widths.map((width) => '─'.repeat(width + 2)).join(mid)}${end}`
  const [head, ...body] = rows
  return [rule('┌', '┬', '┐'), line(head!), rule('├', '┼', '┤'), ...body.map(line), rule('└', '┴', '┘')].join('\n')
}

/** A label and what belongs to it, in two columns. */
export function paired(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([label]) => label.length))
  return pairs.map(([label, text]) => `${label.padEnd(width)}  ${text}`).join('\n')
}
