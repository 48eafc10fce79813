// From a proposal's observations to the values of its report (P8): a pure function of packed bytes to packed bytes.

import {
  type Cell,
  type Layout,
  openPacked,
  type Packed,
  presentBit,
  type Row,
  readTime,
  recordAt,
  textOf,
  writeTime,
} from './layout.js'
import { statusCodes } from './status.js'
import type { Thresholds } from './thresholds.js'

const statusMask = 0x0f

/** Room for ranking, reused from feed to feed. `present` holds the observations that count for the feed at hand. */
interface Scratch {
  readonly present: Int32Array
  readonly ranked: Int32Array
  readonly numbers: Float64Array
  readonly chosen: Int32Array
}

/** P8 for one committee. The function it returns keeps scratch room between calls and no other state. */
export function combiner(layout: Layout, thresholds: Thresholds): (observations: readonly Uint8Array[]) => Uint8Array {
  const cellsMax = layout.rows.reduce((most, row) => Math.max(most, row.cells.length), 0)
  const scratch: Scratch = {
    present: new Int32Array(thresholds.n),
    ranked: new Int32Array(thresholds.n),
    numbers: new Float64Array(thresholds.n),
    chosen: new Int32Array(cellsMax),
  }
  return (observations) => combine(layout, thresholds, scratch, observations)
}

/** Lower median of times, as of the clocks that make T: rank ⌊(m−1)/2⌋ from below. */
export function lowerMedian(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[(numbers.length - 1) >> 1]!
}

function combine(
  layout: Layout,
  thresholds: Thresholds,
  scratch: Scratch,
  observations: readonly Uint8Array[],
): Uint8Array {
  const packed = observations.map((bytes) => openPacked(layout, bytes))
  const out = new Uint8Array(layout.fixedBytes)
  const view = new DataView(out.buffer)
  const texts: Uint8Array[] = layout.texts.map(() => new Uint8Array(0))
  for (const row of layout.rows) combineRow(row, thresholds, scratch, packed, out, view, texts)
  if (texts.length === 0) return out
  return appendTexts(out, texts)
}

function combineRow(
  row: Row,
  thresholds: Thresholds,
  scratch: Scratch,
  packed: readonly Packed[],
  out: Uint8Array,
  view: DataView,
  texts: Uint8Array[],
): void {
  const count = selectPresent(row, scratch, packed)
  const status = worstStatus(row, thresholds.f, scratch, packed)
  // NO_DATA and a value exclude each other: where n > 3f+1, f+1 members without a value can outweigh 2f+1 with one.
  const none = count < thresholds.honestMajority || status === statusCodes.NO_DATA
  if (none || !chooseCells(row, scratch, packed, count)) {
    out[row.offset] = statusCodes.NO_DATA
    return
  }
  out[row.offset] = presentBit | status
  const { numbers } = scratch
  for (let i = 0; i < count; i++) numbers[i] = packed[scratch.present[i]!]!.bytes[row.offset + recordAt.groups]!
  out[row.offset + recordAt.groups] = medianOfFirst(numbers, count)
  for (let i = 0; i < count; i++) numbers[i] = packed[scratch.present[i]!]!.view.getUint32(row.offset + recordAt.spread)
  view.setUint32(row.offset + recordAt.spread, medianOfFirst(numbers, count))
  for (let i = 0; i < count; i++) numbers[i] = readTime(packed[scratch.present[i]!]!.view, row.offset + recordAt.time)
  writeTime(view, row.offset + recordAt.time, medianOfFirst(numbers, count))
  for (let i = 0; i < row.cells.length; i++) {
    const cell = row.cells[i]!
    const from = packed[scratch.chosen[i]!]!
    for (let at = cell.offset; at < cell.offset + cell.bytes; at++) out[at] = from.bytes[at]!
    if (cell.text >= 0) texts[cell.text] = textOf(from, cell)
  }
}

/**
 * Fills scratch.present with the observations that have a value, and holds identity first: of those, only the ones
 * whose identity fields are what more than half of the present ones hold. Returns how many count.
 */
function selectPresent(row: Row, scratch: Scratch, packed: readonly Packed[]): number {
  const { present } = scratch
  let count = 0
  for (let i = 0; i < packed.length; i++) if ((packed[i]!.bytes[row.offset]! & presentBit) !== 0) present[count++] = i
  for (const cell of row.cells) {
    // Filtering field by field equals filtering on the tuple only if each majority is of the same base: so the tuple.
    if (cell.field.combine === 'identity') return keepMajorityIdentity(row, scratch, packed, count)
  }
  return count
}

function keepMajorityIdentity(row: Row, scratch: Scratch, packed: readonly Packed[], count: number): number {
  const { present } = scratch
  for (let i = 0; i < count; i++) {
    let kept = 0
    for (let j = 0; j < count; j++) if (sameIdentity(row, packed[present[i]!]!, packed[present[j]!]!)) kept++
    if (kept * 2 <= count) continue
    const holder = packed[present[i]!]!
    let at = 0
    for (let j = 0; j < count; j++) {
      const candidate = present[j]!
      if (sameIdentity(row, holder, packed[candidate]!)) present[at++] = candidate
    }
    return at
  }
  return 0
}

function sameIdentity(row: Row, a: Packed, b: Packed): boolean {
  for (const cell of row.cells) if (cell.field.combine === 'identity' && !sameCell(cell, a, b)) return false
  return true
}

/** For each field, the observation whose cell becomes the report's; false when a field has none, so the value is null. */
function chooseCells(row: Row, scratch: Scratch, packed: readonly Packed[], count: number): boolean {
  for (let i = 0; i < row.cells.length; i++) {
    const cell = row.cells[i]!
    const chosen =
      cell.field.combine === 'median'
        ? medianHolder(cell, scratch, packed, count)
        : majorityHolder(cell, scratch, packed, count)
    if (chosen < 0) return false
    scratch.chosen[i] = chosen
  }
  return true
}

/** The observation at rank ⌊(count−1)/2⌋ of the integers in this cell. */
function medianHolder(cell: Cell, scratch: Scratch, packed: readonly Packed[], count: number): number {
  const { present, ranked } = scratch
  for (let i = 0; i < count; i++) {
    const entering = present[i]!
    let at = i
    while (at > 0 && compareCells(cell, packed[ranked[at - 1]!]!.view, packed[entering]!.view) > 0) {
      ranked[at] = ranked[at - 1]!
      at--
    }
    ranked[at] = entering
  }
  return ranked[(count - 1) >> 1]!
}

/** Two's complement big-endian integers compare by a signed first word, then unsigned words. */
function compareCells(cell: Cell, a: DataView, b: DataView): number {
  const first = a.getInt32(cell.offset) - b.getInt32(cell.offset)
  if (first !== 0) return first
  for (let at = cell.offset + 4; at < cell.offset + cell.bytes; at += 4) {
    const difference = a.getUint32(at) - b.getUint32(at)
    if (difference !== 0) return difference
  }
  return 0
}

/** The first observation whose cell more than half of the counted ones hold; −1 when there is none. */
function majorityHolder(cell: Cell, scratch: Scratch, packed: readonly Packed[], count: number): number {
  const { present } = scratch
  for (let i = 0; i < count; i++) {
    let votes = 0
    for (let j = 0; j < count; j++) if (sameCell(cell, packed[present[i]!]!, packed[present[j]!]!)) votes++
    if (votes * 2 > count) return present[i]!
  }
  return -1
}

function sameCell(cell: Cell, a: Packed, b: Packed): boolean {
  for (let at = cell.offset; at < cell.offset + cell.bytes; at++) if (a.bytes[at] !== b.bytes[at]) return false
  if (cell.text < 0) return true
  const left = textOf(a, cell)
  const right = textOf(b, cell)
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false
  return true
}

/** The worst s such that at least f+1 of all observations say s or worse: rank f from the worst; absent ones count. */
function worstStatus(row: Row, f: number, scratch: Scratch, packed: readonly Packed[]): number {
  const { numbers } = scratch
  for (let i = 0; i < packed.length; i++) numbers[i] = packed[i]!.bytes[row.offset]! & statusMask
  sortFirst(numbers, packed.length)
  return numbers[packed.length - 1 - f]!
}

function medianOfFirst(numbers: Float64Array, count: number): number {
  sortFirst(numbers, count)
  return numbers[(count - 1) >> 1]!
}

/** Insertion sort of the first `count` numbers: a committee is at most 31. */
function sortFirst(numbers: Float64Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const entering = numbers[i]!
    let at = i
    while (at > 0 && numbers[at - 1]! > entering) {
      numbers[at] = numbers[at - 1]!
      at--
    }
    numbers[at] = entering
  }
}

function appendTexts(fixed: Uint8Array, texts: readonly Uint8Array[]): Uint8Array {
  const length = texts.reduce((sum, text) => sum + text.length, fixed.length)
  const bytes = new Uint8Array(length)
  bytes.set(fixed)
  let at = fixed.length
  for (const text of texts) {
    bytes.set(text, at)
    at += text.length
  }
  return bytes
}
