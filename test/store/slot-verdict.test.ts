// What two blocks prove, case by case: the argument of slot-verdict.ts, and the checksum under it (B29).

import { describe, expect, it } from 'vitest'
import { blockBytes, decodeBlock, encodeBlock, type Found, type SlotBlock } from '../../src/store/slot-block.js'
import { judgeBlocks } from '../../src/store/slot-verdict.js'

const address = new Uint8Array(20).fill(1)
const birth = { inode: 77n, birthNs: 88n }

const block = (sequence: number, round = sequence, generation = 1): SlotBlock => ({
  sequence,
  salt: new Uint8Array(32).fill(generation),
  generation,
  durable: { wish: 2, floor: { epoch: 3, round }, floorMs: 4000 + round },
})
const sound = (sequence: number, round?: number, generation?: number): Found => ({
  kind: 'sound',
  block: block(sequence, round, generation),
})
const moved = (sequence: number): Found => ({ kind: 'moved', block: block(sequence) })
const damaged: Found = { kind: 'damaged' }

describe('a block', () => {
  it('reads back as it was written', () => {
    const bytes = encodeBlock(block(9), address, birth)
    expect(bytes.length).toBe(blockBytes)
    expect(decodeBlock(bytes, address, birth)).toEqual(sound(9))
  })

  it('is damaged by any flipped bit, any lost sector and any cut', () => {
    const bytes = encodeBlock(block(9), address, birth)
    for (let at = 0; at < blockBytes; at++) {
      bytes[at] = bytes[at]! ^ (1 << (at & 7))
      expect(decodeBlock(bytes, address, birth).kind, `byte ${at}`).toBe('damaged')
      bytes[at] = bytes[at]! ^ (1 << (at & 7))
    }
    const older = encodeBlock(block(8), address, birth)
    for (const at of [0, 3584]) {
      const torn = Uint8Array.from(bytes)
      torn.set(older.subarray(at, at + 512), at)
      expect(decodeBlock(torn, address, birth).kind).toBe('damaged')
    }
    expect(decodeBlock(bytes.subarray(0, 4095), address, birth).kind).toBe('damaged')
    expect(decodeBlock(bytes, address, birth).kind).toBe('sound')
  })

  it('knows another key, and another file by inode or birth time', () => {
    const bytes = encodeBlock(block(9), address, birth)
    expect(decodeBlock(bytes, new Uint8Array(20), birth)).toEqual({ kind: 'foreign' })
    expect(decodeBlock(bytes, address, { ...birth, inode: 78n })).toEqual(moved(9))
    expect(decodeBlock(bytes, address, { ...birth, birthNs: 89n })).toEqual(moved(9))
    // Where a file system knows no birth time, the inode has to do.
    const unborn = encodeBlock(block(9), address, { inode: 77n, birthNs: 0n })
    expect(decodeBlock(unborn, address, birth).kind).toBe('sound')
  })
})

describe('two blocks', () => {
  it('prove the higher of two neighbours, in either order', () => {
    expect(judgeBlocks(sound(5), sound(5))).toEqual({ newest: block(5) })
    expect(judgeBlocks(sound(6), sound(5))).toEqual({ newest: block(6) })
    expect(judgeBlocks(sound(5), sound(6))).toEqual({ newest: block(6) })
  })

  it('prove as much when one is damaged', () => {
    expect(judgeBlocks(sound(5), damaged)).toEqual({ newest: block(5) })
    expect(judgeBlocks(damaged, sound(5))).toEqual({ newest: block(5) })
  })

  it('prove nothing when they cannot come of one crash', () => {
    expect(judgeBlocks(damaged, damaged)).toEqual({ doubt: 'damaged', bound: null })
    expect(judgeBlocks(sound(7), sound(5))).toEqual({ doubt: 'contradicts', bound: block(7) })
    expect(judgeBlocks(sound(5), sound(7))).toEqual({ doubt: 'contradicts', bound: block(7) })
    expect(judgeBlocks(sound(5, 9), sound(5, 8))).toEqual({ doubt: 'contradicts', bound: block(5, 9) })
    expect(judgeBlocks(sound(5, 9, 1), sound(5, 9, 2))).toMatchObject({ doubt: 'contradicts' })
  })

  it('prove nothing when either is a copy, another key’s, or a newer program’s', () => {
    for (const other of [damaged, sound(4), sound(5)]) {
      for (const [found, doubt] of [
        [moved(5), 'restored'],
        [{ kind: 'foreign' }, 'foreign'],
        [{ kind: 'version' }, 'version'],
      ] as const) {
        expect(judgeBlocks(found, other)).toMatchObject({ doubt })
        expect(judgeBlocks(other, found)).toMatchObject({ doubt })
      }
    }
    expect(judgeBlocks(moved(5), moved(4))).toEqual({ doubt: 'restored', bound: block(5) })
  })
})
