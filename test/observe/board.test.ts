// The board: what is observed is what was last written, and a move past the trigger is told once.

import { beforeAll, describe, expect, it } from 'vitest'
import { type Committee, parseCommittee } from '../../src/core/committee.js'
import { layoutOf, openPacked, type Reading, readReading } from '../../src/core/layout.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { createBoard } from '../../src/observe/board.js'
import { writeSynthetic } from '../../src/observe/synthetic.js'
import { committeeDocument } from '../committee-document.js'

let withText: Committee
let plain: Committee

beforeAll(async () => {
  const engine = await createWasmEngine()
  const document = committeeDocument(engine, 4)
  withText = parseCommittee(engine, document)
  const feeds = document.feeds.slice(0, 3)
  const bundles = [{ name: 'all', feeds: feeds.map((feed) => feed.name) }]
  plain = parseCommittee(engine, { ...document, feeds, bundles })
})

const price = (value: bigint): Reading => ({ status: 0, groups: 3, spreadPpm: 1, timeMs: 1000, values: [value] })

describe('the board', () => {
  for (const name of ['plain', 'withText'] as const) {
    it(`observes what was last written of each feed (${name})`, () => {
      const committee = name === 'plain' ? plain : withText
      const layout = layoutOf(committee)
      const board = createBoard(committee, layout, () => undefined)
      for (let tick = 1; tick < 40; tick++) {
        writeSynthetic(board, committee, tick % 4, 5, tick, 1_700_000_000_000 + tick)
        const packed = openPacked(layout, board.observe())
        for (const feed of committee.feeds)
          expect(readReading(layout, packed, feed.index)).toEqual(board.read(feed.index))
      }
    })

    it(`tells a move of the trigger's size once, until it is observed (${name})`, () => {
      const committee = name === 'plain' ? plain : withText
      let moves = 0
      const board = createBoard(committee, layoutOf(committee), () => moves++)
      board.update(0, price(1_000_000n))
      board.update(0, price(2_000_000n))
      expect(moves).toBe(1)
      board.observe()
      // 500 parts per million of 2,000,000 are 1,000.
      board.update(0, price(2_000_999n))
      board.update(0, price(1_999_001n))
      board.update(2, price(9n))
      expect(moves).toBe(1)
      board.update(0, price(2_001_000n))
      expect(moves).toBe(2)
      board.observe()
      board.update(0, { status: 9, groups: 0, spreadPpm: 0, timeMs: 0, values: null })
      expect(moves).toBe(3)
    })
  }

  it('gives fresh bytes: what was observed does not change with the next update', () => {
    const layout = layoutOf(plain)
    const board = createBoard(plain, layout, () => undefined)
    board.update(0, price(1n))
    const bytes = board.observe()
    const before = bytes.slice()
    board.update(0, price(2n))
    expect(bytes).toEqual(before)
  })
})
