// How the readings of all feeds lie in one packed buffer: the body of an observation and of a report's values.
//
// A record a feed, in document order: status (1 byte, bit 7 set when a value is present), groups (1), spread in parts
// per million (4), source time in ms (6), then the cells of its fields: int64 and bool 8 bytes, int176 sign-extended to
// 24, string its length in 4. The texts of all string cells follow, in order. Integers are big-endian two's complement.
// There is one encoding of anything: an absent value is all zeros but for its status.

import { concat, utf8 } from './bytes.js'
import type { Committee, Field } from './committee.js'
import { statuses } from './status.js'

/** Bytes of a record before its cells. */
export const recordHeadBytes = 12
/** Offsets inside a record. */
export const recordAt = { status: 0, groups: 1, spread: 2, time: 6 } as const
/** Set in the status byte when a value is present. */
export const presentBit = 0x80

const statusMask = 0x0f
const noDataStatus = statuses.length - 1

/** Where one field's cell lies in the packed buffer. */
export interface Cell {
  readonly field: Field
  readonly offset: number
  readonly bytes: number
  /** For strings: their place among all string cells; −1 otherwise. */
  readonly text: number
}

/** Where one feed's record lies. */
export interface Row {
  readonly offset: number
  readonly bytes: number
  readonly cells: readonly Cell[]
}

/** The layout that a committee document fixes. */
export interface Layout {
  readonly rows: readonly Row[]
  /** Bytes of all records; the whole buffer where no feed has text. */
  readonly fixedBytes: number
  /** The largest valid buffer. */
  readonly bytesMax: number
  readonly texts: readonly Cell[]
}

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const cellBytes = { int64: 8, bool: 8, int176: 24, string: 4 } as const

/** The layout of a committee's readings. */
export function layoutOf(committee: Committee): Layout {
  const rows: Row[] = []
  const texts: Cell[] = []
  let offset = 0
  let textBytesMax = 0
  for (const feed of committee.feeds) {
    const start = offset
    offset += recordHeadBytes
    const cells = feed.fields.map((field): Cell => {
      const bytes = cellBytes[field.type]
      const cell = { field, offset, bytes, text: field.type === 'string' ? texts.length : -1 }
      if (cell.text >= 0) {
        texts.push(cell)
        textBytesMax += field.bytesMax ?? 0
      }
      offset += bytes
      return cell
    })
    rows.push({ offset: start, bytes: offset - start, cells })
  }
  return { rows, fixedBytes: offset, bytesMax: offset + textBytesMax, texts }
}

/** A packed buffer with what reading it needs. `textOffsets[i]` is where the i-th text starts. */
export interface Packed {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly textOffsets: readonly number[]
}

/** Opens a buffer that `checkPacked` accepted. */
export function openPacked(layout: Layout, bytes: Uint8Array): Packed {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const textOffsets: number[] = []
  let offset = layout.fixedBytes
  for (const cell of layout.texts) {
    textOffsets.push(offset)
    offset += view.getUint32(cell.offset)
  }
  return { bytes, view, textOffsets }
}

/** Why `bytes` are no valid packed readings of this layout, or null when they are. Never throws on a peer's bytes. */
export function checkPacked(layout: Layout, bytes: Uint8Array): string | null {
  if (bytes.length < layout.fixedBytes || bytes.length > layout.bytesMax) return 'READINGS_LENGTH'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = layout.fixedBytes
  for (const cell of layout.texts) {
    const length = view.getUint32(cell.offset)
    if (length > (cell.field.bytesMax ?? 0)) return 'READINGS_TEXT'
    if (end + length > bytes.length || !isUtf8(bytes.subarray(end, end + length))) return 'READINGS_TEXT'
    end += length
  }
  if (end !== bytes.length) return 'READINGS_LENGTH'
  for (const row of layout.rows) {
    const reason = checkRow(row, bytes, view)
    if (reason !== null) return reason
  }
  return null
}

function checkRow(row: Row, bytes: Uint8Array, view: DataView): string | null {
  const head = bytes[row.offset]!
  const status = head & statusMask
  if ((head & ~(presentBit | statusMask)) !== 0 || status > noDataStatus) return 'READINGS_STATUS'
  if ((head & presentBit) === 0) {
    if (status === 0) return 'READINGS_STATUS'
    for (let at = row.offset + 1; at < row.offset + row.bytes; at++) if (bytes[at] !== 0) return 'READINGS_ABSENT'
    return null
  }
  if (status === noDataStatus || bytes[row.offset + recordAt.groups] === 0) return 'READINGS_STATUS'
  for (const { field, offset } of row.cells) {
    if (field.type === 'bool') {
      if (view.getUint32(offset) !== 0 || view.getUint32(offset + 4) > 1) return 'READINGS_BOOL'
    } else if (field.type === 'int176') {
      // 24 bytes hold 192 bits: the upper 16 must repeat the sign bit of the lower 176.
      if (view.getInt16(offset) !== view.getInt16(offset + 2) >> 15) return 'READINGS_RANGE'
    }
  }
  return null
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictText.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** A cell's value in the open: an integer (bool: 0n or 1n) or text. */
export type CellValue = bigint | string

/** One feed's reading in the open, as observers make it and readers get it. `values` is null when there is none. */
export interface Reading {
  readonly status: number
  readonly groups: number
  readonly spreadPpm: number
  readonly timeMs: number
  readonly values: readonly CellValue[] | null
}

/** One feed's reading out of a packed buffer that was checked. */
export function readReading(layout: Layout, packed: Packed, feed: number): Reading {
  const row = layout.rows[feed]!
  const { bytes, view } = packed
  const head = bytes[row.offset]!
  return {
    status: head & statusMask,
    groups: bytes[row.offset + recordAt.groups]!,
    spreadPpm: view.getUint32(row.offset + recordAt.spread),
    timeMs: readTime(view, row.offset + recordAt.time),
    values: (head & presentBit) === 0 ? null : row.cells.map((cell) => readCell(packed, cell)),
  }
}

/** How many feeds have a value in packed readings or a report's values. */
export function countPresent(layout: Layout, values: Uint8Array): number {
  let count = 0
  for (const row of layout.rows) if ((values[row.offset]! & presentBit) !== 0) count++
  return count
}

/** A 48-bit time in ms, exact in a double. */
export function readTime(view: DataView, offset: number): number {
  return view.getUint16(offset) * 0x1_0000_0000 + view.getUint32(offset + 2)
}

/** One cell in the open. */
export function readCell(packed: Packed, cell: Cell): CellValue {
  if (cell.field.type === 'string') return strictText.decode(textOf(packed, cell))
  if (cell.bytes === 8) return packed.view.getBigInt64(cell.offset)
  const { view } = packed
  const low = (view.getBigUint64(cell.offset + 8) << 64n) | view.getBigUint64(cell.offset + 16)
  return (view.getBigInt64(cell.offset) << 128n) | low
}

/** The UTF-8 bytes of a string cell, a view into the buffer. */
export function textOf(packed: Packed, cell: Cell): Uint8Array {
  const start = packed.textOffsets[cell.text]!
  return packed.bytes.subarray(start, start + packed.view.getUint32(cell.offset))
}

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const int176 = { min: -(2n ** 175n), max: 2n ** 175n - 1n }

/**
 * Packs one reading a feed, in document order. A programmer's error throws: readings come from our own observers,
 * which hold every value against its feed's schema and bounds before.
 */
export function packReadings(layout: Layout, readings: readonly Reading[]): Uint8Array {
  if (readings.length !== layout.rows.length)
    throw new Error(`${readings.length} readings for ${layout.rows.length} feeds`)
  const texts: Uint8Array[] = layout.texts.map(() => new Uint8Array(0))
  const fixed = openFixed(new Uint8Array(layout.fixedBytes))
  readings.forEach((reading, feed) => {
    writeReading(layout, fixed, feed, reading)
    for (const [i, cell] of layout.rows[feed]!.cells.entries()) {
      if (cell.text >= 0 && reading.values !== null) texts[cell.text] = utf8(reading.values[i] as string)
    }
  })
  layout.texts.forEach((cell, i) => {
    fixed.view.setUint32(cell.offset, texts[i]!.length)
  })
  const packed = concat(fixed.bytes, ...texts)
  const reason = checkPacked(layout, packed)
  if (reason !== null) throw new Error(`our own readings are not valid: ${reason}`)
  return packed
}

function openFixed(bytes: Uint8Array): Packed {
  return { bytes, view: new DataView(bytes.buffer), textOffsets: [] }
}

/** Writes one feed's record over what was there; its texts, if it has any, are for `packReadings` to place. */
export function writeReading(layout: Layout, packed: Packed, feed: number, reading: Reading): void {
  const row = layout.rows[feed]!
  const { bytes, view } = packed
  if (reading.values === null) {
    bytes.fill(0, row.offset, row.offset + row.bytes)
    bytes[row.offset] = reading.status
    return
  }
  bytes[row.offset] = reading.status | presentBit
  bytes[row.offset + recordAt.groups] = reading.groups
  view.setUint32(row.offset + recordAt.spread, reading.spreadPpm)
  writeTime(view, row.offset + recordAt.time, reading.timeMs)
  for (let i = 0; i < row.cells.length; i++) {
    const cell = row.cells[i]!
    const value = reading.values[i]
    if (typeof value === 'bigint') writeInteger(view, cell, value)
    else if (typeof value !== 'string' || cell.text < 0) throw new Error(`feed ${feed} lacks field ${cell.field.name}`)
  }
}

/** Writes a 48-bit time. */
export function writeTime(view: DataView, offset: number, timeMs: number): void {
  view.setUint16(offset, Math.floor(timeMs / 0x1_0000_0000))
  view.setUint32(offset + 2, timeMs % 0x1_0000_0000)
}

function writeInteger(view: DataView, cell: Cell, value: bigint): void {
  const range = cell.bytes === 8 ? int64 : int176
  if (value < range.min || value > range.max) throw new Error(`${cell.field.name} is outside ${cell.field.type}`)
  if (cell.bytes === 8) view.setBigInt64(cell.offset, value)
  else {
    view.setBigInt64(cell.offset, value >> 128n)
    view.setBigUint64(cell.offset + 8, (value >> 64n) & 0xffff_ffff_ffff_ffffn)
    view.setBigUint64(cell.offset + 16, value & 0xffff_ffff_ffff_ffffn)
  }
}
