// Operators on machines of their own: each makes keys, all agree on one document, each joins with the agreed declarations.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declaredFeeds } from '../../src/cli/declared.js'
import { initCommittee, initJoin, initMember } from '../../src/cli/init.js'
import { shippedFeeds } from '../../src/cli/shipped.js'
import { loadConfig } from '../../src/config.js'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { openSourcePart } from '../../src/open-source-part.js'

const spot = join(shippedFeeds, 'spot.yaml')
const names = ['ada', 'bob', 'cyd', 'dan']
let engine: SigningEngine
let home: string
let committeeFile: string
const at = (name: string): string => join(home, name)

beforeAll(async () => {
  engine = await createWasmEngine()
  home = mkdtempSync(join(tmpdir(), 'assay-join-'))
  const feeds = declaredFeeds(engine, spot)
  await initCommittee(at('template'), {
    oracles: 4,
    feeds,
    declarations: spot,
    host: '127.0.0.1',
    port: 7001,
    light: true,
  })
  const members = []
  for (const [i, name] of names.entries())
    members.push(await initMember(at(name), name, `127.0.0.1:${7101 + i}`, { light: true }))
  const document = JSON.parse(readFileSync(at('template/committee.json'), 'utf8'))
  committeeFile = at('committee.json')
  writeFileSync(committeeFile, JSON.stringify({ ...document, lineage: `0x${'77'.repeat(32)}`, members }))
}, 60_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('a member that joins a committee of declared feeds', () => {
  it('is refused without the declarations, and with others', async () => {
    await expect(initJoin(at('ada'), committeeFile, {})).rejects.toMatchObject({
      code: 'FEED_MISMATCH',
      path: '/feeds/0',
    })
    const other = at('other.yaml')
    writeFileSync(other, readFileSync(spot, 'utf8').replace(/retentionDays: \d+/, 'retentionDays: 7'))
    await expect(initJoin(at('ada'), committeeFile, { declarations: other })).rejects.toMatchObject({
      code: 'FEED_MISMATCH',
    })
  })

  it('reads the agreed sources, and serves its API where it says', async () => {
    await initJoin(at('ada'), committeeFile, { declarations: spot, api: '127.0.0.1:8081' })
    const config = loadConfig(engine, at('ada'))
    expect(config).toMatchObject({
      source: { kind: 'feeds', feeds: join(at('ada'), 'feeds'), replay: null },
      api: { listen: '127.0.0.1:8081' },
    })
    const part = await openSourcePart(engine, config, () => undefined)
    part.close()
  })

  it('never signs made-up numbers for declared feeds', async () => {
    await initJoin(at('bob'), committeeFile, { declarations: spot })
    const file = join(at('bob'), 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...config, source: { kind: 'synthetic' } }))
    await expect(openSourcePart(engine, loadConfig(engine, at('bob')), () => undefined)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      path: '/source/kind',
    })
  })
})

describe('an oracle on a replay', () => {
  it('is refused sources that the replay does not serve: live answers would get the time of another year', async () => {
    await initJoin(at('cyd'), committeeFile, { declarations: spot })
    const file = join(at('cyd'), 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    const source = { ...config.source, replay: 'http://127.0.0.1:9/clock' }
    writeFileSync(file, JSON.stringify({ ...config, source }))
    await expect(openSourcePart(engine, loadConfig(engine, at('cyd')), () => undefined)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      path: '/source/replay',
    })
  })
})
