// `assay adapters run`: what a body in a file is read as, word for word what scripts get.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listAdapters, runAdapter } from '../../src/cli/adapters.js'
import { createPrinter } from '../../src/cli/print.js'

const fixtures = join(import.meta.dirname, '../../adapters')

/** The exit code of a run over a fixture, and every line that it prints. */
async function run(id: string, fixture: string, params: unknown): Promise<readonly [number, readonly unknown[]]> {
  const lines: unknown[] = []
  const options = { params: JSON.stringify(params), raw: join(fixtures, id, 'fixtures', fixture) }
  return [await runAdapter(id, options, (line) => void lines.push(line)), lines]
}

describe('assay adapters list', () => {
  it('names the parameters of each adapter, which are needed, and its limits', () => {
    const said: [{ adapters: { id: string; parameters: unknown }[] }, string][] = []
    const printer = {
      ...createPrinter(false, false),
      result: (value: unknown, text: string) => void said.push([value as never, text]),
    }
    expect(listAdapters(printer)).toBe(0)
    const [[value, text]] = said as [(typeof said)[0]]
    expect(text).toMatch(/^http-json +v1 {2}price: .*\n +params url\*, pick\*, timePointer, /m)
    expect(text).toMatch(
      /^kraken +v1 {2}price: .*\n +params base\*, quote\*\n +\d+ requests a minute, \d+ s, \d+ KiB$/m,
    )
    expect(value.adapters.find(({ id }) => id === 'kraken')!.parameters).toMatchObject([
      { name: 'base', required: true },
      { name: 'quote', required: true },
    ])
  })
})

describe('assay adapters run', () => {
  it('prints value and time of a source, and nothing else', async () => {
    const [exit, lines] = await run('kraken', 'ticker.json', { base: 'BTC', quote: 'USD' })
    const value = { price: '61250.1', bid: '61250.1', ask: '61250.2' }
    expect([exit, lines]).toEqual([0, [{ value, observedAtMs: null }]])
    const [, [line]] = await run('usgs', 'summary.json', { feed: 'all_day', minMagnitude: 4 })
    expect(Object.keys(line as object)).toEqual(['value', 'observedAtMs'])
  })

  it('prints one error with its code and place, and ends with 1', async () => {
    const [exit, lines] = await run('kraken', 'other-market.json', { base: 'BTC', quote: 'USD' })
    expect([exit, lines.length, Object.keys(lines[0] as object)]).toEqual([1, 1, ['error']])
    expect(lines[0]).toMatchObject({
      error: { code: 'SOURCE_IDENTITY', path: '/result', advice: expect.stringMatching(/parameters/) },
    })
    expect(await run('nobody', 'x', {})).toMatchObject([1, [{ error: { code: 'ADAPTER_UNKNOWN' } }]])
  })
})
