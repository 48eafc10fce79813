// `assay status` against a real API: what it prints, and the exit codes of ready, not ready and nobody there.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { status } from '../../src/cli/status.js'
import { statusCodes } from '../../src/core/status.js'
import { readingsAt, type Served, serve } from './served.js'

let served: Served
beforeAll(async () => {
  served = await serve()
  await served.report(1)
})
afterAll(() => served.close())

async function told(
  url: string = served.api.url,
): Promise<{ code: number; value: Record<string, unknown>; text: string }> {
  const said: [Record<string, unknown>, string][] = []
  const code = await status(url, { result: (value, text) => said.push([value as Record<string, unknown>, text]) })
  expect(said.length).toBe(1)
  return { code, value: said[0]![0], text: said[0]![1] }
}

it('prints signing, the newest report, feeds, sources that are down, and peers', async () => {
  const { code, value, text } = await told(`${served.api.url}/`)
  expect(code).toBe(0)
  expect(text.split('\n').slice(0, 3)).toEqual([
    'oracle-0 0.1.0 (wasm curve code): ready',
    'signing  yes',
    'report 1 (epoch 12), 0.3 s old; 1 since the start',
  ])
  expect(text).toMatch(/^btc-usd +64000\.00000001 USD +0\.3 s +0\.025 % +3 +OK$/m)
  expect(text).toMatch(/^ {2}btc-usd coinbase: SOURCE_RATE_LIMITED, the source answered 429$/m)
  expect(text).toMatch(/^ {2}oracle-3 up$/m)
  expect(value).toMatchObject({ ready: true, sourcesDown: [{ adapter: 'coinbase' }], reports: 1 })
  expect((value['feeds'] as unknown[]).length).toBe(6)
})

it('says so when an oracle is ready and no feed has a value', async () => {
  const fresh = await serve()
  try {
    const none = { status: statusCodes.NO_DATA, groups: 0, spreadPpm: 0, timeMs: 0, values: null }
    await fresh.report(
      1,
      readingsAt(1).map(() => none),
    )
    const { text } = await told(fresh.api.url)
    expect(text).toContain('(wasm curve code): ready, but no feed has a value\n')
  } finally {
    await fresh.close()
  }
})

it('says 1 and why when the oracle is not ready', async () => {
  served.status.signingClosedBy = 'REPORT_STORE_FULL'
  const { code, text } = await told()
  expect(code).toBe(1)
  expect(text).toContain(
    'NOT READY\n  Nothing is signed at the moment: REPORT_STORE_FULL.\nsigning  no: REPORT_STORE_FULL',
  )
  served.status.signingClosedBy = null
})

it('refuses what is no oracle', async () => {
  const codeOf = async (url: string): Promise<string | undefined> => {
    const ended = await told(url).then(
      () => null,
      (error: unknown) => error,
    )
    return refusalOf(() => {
      throw ended
    })?.code
  }
  expect(await codeOf('http://127.0.0.1:1')).toBe('CLIENT_UNREACHABLE')
  expect(await codeOf(`${served.api.url}/v1`)).toBe('CLIENT_REFUSED')
})
