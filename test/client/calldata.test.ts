// The client hands a proven report on to contracts, and nothing that is not proven.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClient } from '../../src/client/create-client.js'
import { toHex } from '../../src/core/bytes.js'
import { keysOf } from '../../src/core/committee.js'
import { toCalldata } from '../../src/core/report-calldata.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { epoch, type Served, serve } from '../api/served.js'
import { type Liar, says, startLiar } from './liar.js'

const engine = await createWasmEngine()
let served: Served
let liar: Liar
beforeAll(async () => {
  served = await serve()
  await served.report(1)
  await served.seal({ epoch, round: 1 })
  liar = await startLiar(served.api.url)
})
afterAll(async () => {
  await liar.close()
  await served.close()
})

it('packs the newest report with the feeds asked for', async () => {
  const keys = keysOf(served.committee)
  const client = createClient({ url: served.api.url, committee: { keys } })
  for (const names of [['btc-usd'], ['quake', 'btc-usd']]) {
    const answer = await fetch(`${served.api.url}/v1/reports/latest?seals=true&feeds=${names.join()}`)
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const wanted = toCalldata(engine, bytes, keys, { trailer: true })
    expect(toHex(await client.calldata(names, { trailer: true }))).toBe(toHex(wanted))
    // Seals, since the report has them.
    expect(wanted[0]).toBe(1)
  }
})

it('refuses feeds that nobody has, and reports that nobody signed', async () => {
  const client = createClient({ url: liar.url, committee: { document: served.document } })
  await expect(client.calldata(['nothing'])).rejects.toMatchObject({ code: 'CLIENT_FEED_UNKNOWN' })
  const honest = await (await fetch(`${served.api.url}/v1/reports/latest?feeds=btc-usd`)).text()
  liar.lie = says(honest.replace('"groups":3', '"groups":4'))
  await expect(client.calldata(['btc-usd'])).rejects.toMatchObject({ code: 'REPORT_SIGNATURE' })
  // A leaf that proves another feed is no answer either.
  liar.lie = says(honest)
  await expect(client.calldata(['btc-usd', 'quake'])).rejects.toMatchObject({ code: 'CLIENT_ANSWER_UNFIT' })
  liar.lie = null
})
