// Every fixture of every adapter through the wire, at the exact address that the adapter asks: one table, no code a source.

import { existsSync } from 'node:fs'
import { MockAgent } from 'undici'
import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import type { Raw } from '../../src/observe/adapter.js'
import { limitsFor } from '../../src/observe/reader.js'
import { SourceError } from '../../src/observe/source-error.js'
import { createSourceWire } from '../../src/observe/wire.js'
import { checkSchema } from '../../src/schema/check.js'
import { validators } from '../../src/schema/generated/validators.js'
import { type Case, cases, fixture, fixtureNames, type Verdict, verdictOf } from './cases.js'

/** What the node makes of the fixture served as the reply to the adapter's request, or as a message of its stream. */
async function played({ adapter, file, params, status = 200 }: Case): Promise<Verdict> {
  const raw = fixture(adapter.id, file)
  if (adapter.request === undefined) return verdictOf(adapter, raw, params)
  const ask = adapter.request(params)
  const { origin, pathname, search } = new URL(ask.url)
  const agent = new MockAgent()
  agent.disableNetConnect()
  const headers = { 'content-type': `${raw.mediaType}; charset=utf-8` }
  agent
    .get(origin)
    .intercept({ path: pathname + search, method: 'GET' })
    .reply(status, Buffer.from(raw.bytes), { headers })
  const wire = createSourceWire({ loopback: [], origins: {}, dispatcher: agent })
  try {
    const reply: { raw: Raw } = await wire.get(ask, limitsFor(adapter, params), new AbortController().signal)
    return verdictOf(adapter, reply.raw, params)
  } catch (error) {
    if (error instanceof SourceError) return { error: error.code }
    throw error
  } finally {
    await wire.close()
    await agent.close()
  }
}

describe('adapters', () => {
  for (const one of cases) {
    const what = one.expect === null ? 'nothing' : 'error' in one.expect ? one.expect.error : 'a reading'
    const title = `${one.adapter.id}: ${one.file}${one.status ? ` with ${one.status}` : ''} is ${what}`
    it(`${one.incident ? `${one.incident} ` : ''}${title} (${JSON.stringify(one.params)})`, async () => {
      checkSchema(validators[`params/${one.adapter.schemas.params}`]!, one.params, 'ADAPTER_PARAMS')
      expect(await played(one)).toEqual(one.expect)
    })
  }

  it('each have a reading, refusals, a README and no fixture outside their table', () => {
    expect(adapters.length).toBe(12)
    expect(new Set(adapters.map(({ id }) => id)).size).toBe(adapters.length)
    for (const { id, docs, request, subscribe } of adapters) {
      const own = cases.filter(({ adapter }) => adapter.id === id)
      expect(own.filter(({ expect: verdict }) => verdict !== null && 'value' in verdict).length, id).toBeGreaterThan(0)
      expect(own.filter(({ expect: verdict }) => verdict !== null && 'error' in verdict).length, id).toBeGreaterThan(1)
      expect([...new Set(own.map(({ file }) => file))].sort(), id).toEqual([...fixtureNames(id)].sort())
      expect(existsSync(new URL(`../../adapters/${id}/README.md`, import.meta.url)), id).toBe(true)
      expect(docs).toMatch(/^https:/)
      expect(request ?? subscribe).toBeDefined()
    }
  })

  it('ask only their own hosts, over TLS', () => {
    for (const { adapter, params } of cases) {
      const url = new URL(adapter.request?.(params).url ?? adapter.subscribe!(params).url)
      expect(['https:', 'wss:']).toContain(url.protocol)
      expect(limitsFor(adapter, params).hosts).toContain(url.hostname)
    }
  })
})
