import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { refusalOf } from '../../src/base/errors.js'
import { lintFeeds, listFeeds } from '../../src/cli/feeds.js'
import { createPrinter } from '../../src/cli/print.js'
import { checkFeeds, loadFeeds } from '../../src/feed/load-feeds.js'
import { adapters, clean, engine, type Written } from './declare.js'

const root = mkdtempSync(join(tmpdir(), 'assay-feeds-'))
afterAll(() => rmSync(root, { recursive: true }))

function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(root, name)
  mkdirSync(path)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  return path
}

const feed = (base: string, every = '5s'): string => {
  const written: Written = clean()
  written['entities'][0].base = base
  written['schedule'].every = every
  return JSON.stringify(written, null, 1)
}
const codeOf = (path: string): string | undefined => refusalOf(() => loadFeeds(engine, path, adapters))?.code

describe('loadFeeds', () => {
  it('reads the YAML and JSON files of a folder by name, several documents each, or one file', () => {
    const path = folder('good', {
      'b.yml': `${feed('CCC')}\n---\n${feed('DDD')}`,
      'a.yaml': `\uFEFF# a comment\n---\n${feed('AAA')}\n---\n# nothing here\n`,
      'c.json': feed('EEE'),
      'notes.txt': 'not a feed',
    })
    const { declarations, findings } = loadFeeds(engine, path, adapters)
    expect(findings).toEqual([])
    expect(declarations.map(({ name }) => name)).toEqual(['aaa-usd', 'ccc-usd', 'ddd-usd', 'eee-usd'])
    expect(loadFeeds(engine, join(path, 'c.json'), adapters).declarations).toHaveLength(1)
  })

  it('finds a name that two files declare', () => {
    const path = folder('twice', { 'a.yaml': feed('AAA'), 'b.yaml': `# second\n${feed('AAA')}` })
    const { findings } = loadFeeds(engine, path, adapters)
    expect(findings.map(({ file, line, rule, isError }) => [file, line, rule, isError])).toEqual([
      [join(path, 'b.yaml'), 7, 'name-repeated', true],
    ])
  })

  it('refuses, once, an adapter that all feeds together ask too often', () => {
    // Sixty a minute: five feeds of twelve are as many as are allowed, the sixth is one too many.
    const bases = ['AA', 'BB', 'CC', 'DD', 'EE']
    const five = bases.map((base) => feed(base)).join('\n---\n')
    const path = folder('often', { 'a.yaml': five })
    expect(loadFeeds(engine, path, adapters).findings).toEqual([])
    writeFileSync(join(path, 'b.yaml'), feed('FF'))
    const { findings } = loadFeeds(engine, path, adapters)
    expect(findings.map(({ feed: name, rule, isError }) => [name, rule, isError])).toEqual(
      Array.from({ length: 5 }, () => ['ff-usd', 'rate-limit', true]),
    )
    expect(findings[0]!.message).toBe('alpha is asked 72 times a minute by now, its limit is 60')
    expect(refusalOf(() => checkFeeds(findings))?.code).toBe('FEED_INVALID')
  })

  it('refuses what cannot be read, with a code', () => {
    expect(codeOf(join(root, 'absent'))).toBe('FEED_UNREADABLE')
    expect(codeOf(folder('empty', {}))).toBe('FEED_UNREADABLE')
    expect(codeOf(folder('blank', { 'a.yaml': '# nothing\n' }))).toBe('FEED_UNREADABLE')
    expect(codeOf(folder('latin', { 'a.yaml': Uint8Array.of(0x61, 0x3a, 0x20, 0xe9) }))).toBe('FEED_UNREADABLE')
    expect(codeOf(folder('huge', { 'a.yaml': '#'.repeat(524_289) }))).toBe('DOCUMENT_TOO_LARGE')
    expect(codeOf(folder('nested', { 'a.txt': '' }))).toBe('FEED_UNREADABLE')
  })
})

/** What a command prints with --json, and its exit code. */
async function run(
  command: typeof lintFeeds,
  path?: string,
): Promise<{ exit: number; lines: Written[]; text: string }> {
  const written: string[] = []
  const json = { ...createPrinter(true, false), result: (value: unknown) => void written.push(JSON.stringify(value)) }
  const exit = await command(path, json)
  const shown: string[] = []
  const plain = {
    ...createPrinter(false, false),
    result: (_: unknown, text: string) => void shown.push(text),
    say: (text: string) => void shown.push(text),
  }
  expect(await command(path, plain)).toBe(exit)
  return { exit, lines: written.map((line) => JSON.parse(line) as Written), text: shown.join('\n') }
}

describe('assay feeds', () => {
  it('lint says nothing but a summary about what ships', async () => {
    const { exit, lines, text } = await run(lintFeeds)
    expect(exit).toBe(0)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ errors: 0, warnings: 0 })
    expect(text).toMatch(/^[0-9]+ feeds, 0 errors, 0 warnings\.$/)
  })

  it('lint names file, line, rule and fix of a mistake, and exits 1', async () => {
    const path = folder('wrong', { 'a.yaml': 'version: 1\nname: "a\\u001b[31m"\n' })
    const { exit, lines, text } = await run(lintFeeds, path)
    expect(exit).toBe(1)
    expect(lines[0]).toMatchObject({ line: 1, rule: 'schema', isError: true })
    expect(lines.at(-1)).toMatchObject({ errors: 1 })
    expect(text).toMatch(/a\.yaml:1:1 {2}error schema\n/)
    expect(text).not.toContain('\u001b')
  })

  it('lint finds what ships by its name, and says once what is wrong with several feeds of a template', async () => {
    expect((await run(lintFeeds, 'spot.yaml')).lines).toMatchObject([{ errors: 0 }])
    const written = clean()
    written['entities'].push({ base: 'ETH', quote: 'USD' })
    const { lines, text } = await run(lintFeeds, folder('template', { 'a.json': JSON.stringify(written) }))
    expect(lines[0]).toMatchObject({ rule: 'adapter-unknown', feeds: ['btc-usd', 'eth-usd'] })
    // One for each of the five adapters, which exist in other tests only.
    expect(lines.at(-1)).toMatchObject({ errors: 5 })
    expect(text).toContain('  btc-usd, eth-usd: there is no adapter "alpha"')
    expect(text).toMatch(/0 feeds, 5 errors, 0 warnings\.$/)
  })

  it('list shows a line for each feed', async () => {
    const { exit, lines, text } = await run(listFeeds)
    expect(exit).toBe(0)
    const feeds = lines[0]!['feeds'] as Written[]
    expect(feeds.find(({ name }) => name === 'btc-usd')).toMatchObject({ sources: 7, groups: 6, risk: 'collateral' })
    expect(text.split('\n')).toHaveLength(feeds.length + 1)
    expect(text).toMatch(/^btc-usd +price +USD +7 +6 +stream, every 5 s +collateral$/m)
  })
})
