// `assay adapters run`: what a body in a file is read as, word for word what scripts get.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runAdapter } from '../../src/cli/adapters.js'

const fixtures = join(import.meta.dirname, '../../adapters')

/** The exit code of a run over a fixture, and every line that it prints. */
async function run(id: string, fixture: string, params: unknown): Promise<readonly [number, readonly unknown[]]> {
  const lines: unknown[] = []
  const options = { params: JSON.stringify(params), raw: join(fixtures, id, 'fixtures', fixture) }
  return [await runAdapter(id, options, (line) => void lines.push(line)), lines]
}

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
    expect(lines[0]).toMatchObject({ error: { code: 'SOURCE_IDENTITY', path: '/result' } })
    expect(await run('nobody', 'x', {})).toMatchObject([1, [{ error: { code: 'ADAPTER_UNKNOWN' } }]])
  })
})
