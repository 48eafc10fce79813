// The rehearsal feeds: lint has nothing against them, their titles say what they are, and all places repeat one close.

import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import { rehearsalFeeds, withRehearsal } from '../../src/cli/demo-rehearsal.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { parseFeeds } from '../../src/feed/parse-feeds.js'
import { bundledShow } from '../../src/replay/bundled.js'
import { findBundled, readBundled } from '../../src/replay/bundled-rows.js'

const engine = await createWasmEngine()
const parsed = rehearsalFeeds.map(({ name, text }) => parseFeeds(engine, name, text, adapters))
const feeds = parsed.flatMap(({ declarations }) => declarations)
const show = bundledShow(readBundled(findBundled()!))
const rehearsal = withRehearsal(show)

describe('the rehearsal feeds', () => {
  it('pass lint, stand in a bundle of their own, and say in their titles what they are', () => {
    expect(parsed.flatMap(({ findings }) => findings)).toEqual([])
    expect(feeds.map(({ name }) => name)).toEqual(['rehearsal-aapl-usd', 'rehearsal-msft-usd'])
    for (const { title, singleSource } of feeds) {
      expect(title).toContain('a rehearsal, one recorded close of 2000 to 2010 (vega-datasets) repeated by four places')
      expect(singleSource).toBeNull()
    }
  })

  it.each([0, 6, 7, 500])(
    'repeat at four places the close of step %i, and leave the rest of the show as it is',
    (step) => {
      for (const { sources } of feeds) {
        const asked = sources.map(({ params }) => new URL(String(params['url'])))
        expect(new Set(asked.map(({ host }) => host)).size).toBe(4)
        for (const { host, pathname } of asked) {
          expect(rehearsal.hosts).toContain(host)
          const answer = rehearsal.answer(host, pathname, step)
          expect(answer).toMatchObject({ status: 200 })
          expect(answer).toEqual(show.answer('vega-datasets.invalid', pathname, step))
        }
      }
      for (const host of show.hosts) expect(rehearsal.answer(host, '/x', step)).toEqual(show.answer(host, '/x', step))
      expect(rehearsal.stepsMs).toBe(show.stepsMs)
    },
  )
})
