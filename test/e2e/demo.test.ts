// `assay demo` as a process: a whole replay checked report by report, its chain, an oracle that dies, a demo that is killed.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, it } from 'vitest'
import { sleep } from './committee-processes.js'

const root = join(import.meta.dirname, '../..')
const main = join(root, 'dist/src/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'assay-demo-test-'))
const running: ChildProcess[] = []
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await sleep(100)
  rmSync(folder, { recursive: true, force: true })
})

type Line = Readonly<Record<string, unknown>>

/** A demo with its JSON lines. */
class Demo {
  readonly lines: Line[] = []
  stderr = ''
  readonly child: ChildProcess
  readonly exited: Promise<number | null>

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [main, 'demo', '--json', '--port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.push(this.child)
    this.child.stderr!.on('data', (bytes) => (this.stderr += bytes))
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line) as Line))
    this.exited = new Promise((resolve) => this.child.once('close', resolve))
  }

  /** Waits for a line that `fits`. */
  async until(fits: (line: Line) => boolean): Promise<Line> {
    for (const endsMs = performance.now() + 40_000; performance.now() < endsMs; await sleep(20)) {
      const found = this.lines.find(fits)
      if (found !== undefined) return found
    }
    throw new Error(`no such line; last: ${JSON.stringify(this.lines.slice(-3))}\n${this.stderr}`)
  }

  /** Processes that it started, oracles by folder, and the guard of its chain. */
  children(): number[] {
    return childrenOf(this.child.pid!)
  }

  /** The anvil that it runs beside its oracles. */
  async anvil(): Promise<number> {
    const { chain } = await this.until(({ event }) => event === 'ready')
    return (chain as { pid: number }).pid
  }
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
const lives = (pid: number): boolean => existsSync(`/proc/${pid}`)
const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

/** Recordings of `minutes` minutes: four venues in USD with a gap, one in USDT at another price, and files to be skipped. */
function record(name: string, minutes: number): string {
  const at = join(folder, name)
  mkdirSync(at)
  const startMs = Date.UTC(2023, 2, 10)
  const write = (file: string, price: number, isThere: (minute: number) => boolean = () => true): void => {
    const rows = Array.from({ length: minutes }, (_, i) => i)
      .filter(isThere)
      .map((i) => {
        const time = new Date(startMs + i * 60_000).toISOString().replace('.000', '')
        return `${time},1,1,1,${(price + i + (i % 7) / 10).toFixed(2)},0.5`
      })
    writeFileSync(join(at, file), `time,open,high,low,close,volume\n${rows.join('\n')}\n`)
  }
  write('coinbase-btc-usd.csv', 20_000)
  write('kraken-btc-usd.csv', 20_001)
  write('binanceus-btc-usd.csv', 20_002, (minute) => minute % 9 !== 4)
  write('cryptocom-btc-usd.csv', 20_003, (minute) => minute > 3)
  write('binance-btc-usdt.csv', 19_000)
  write('bitfinex-btc-usd.csv', 20_004)
  return at
}

/** `chain` of a summary. */
interface ChainSummary {
  readonly pushes: number
  readonly gasUsed: number
  readonly missing: readonly string[]
  readonly reads: readonly {
    readonly feed: string
    readonly value: string
    readonly answer: string | null
    readonly refusal: string | null
    readonly status: string
    readonly attestedAtMs: number
    readonly updates: number
  }[]
  readonly pull: Readonly<Record<string, unknown>>
  readonly request: Readonly<Record<string, unknown>>
}

/** What the chain holds is what a kept report of the same T says; the facade gives it where it is OK. */
function checkChain(chain: ChainSummary, reports: readonly string[]): void {
  expect(chain.missing).toEqual([])
  expect(chain.pushes).toBeGreaterThanOrEqual(2)
  expect(chain.gasUsed).toBeGreaterThan(50_000)
  expect(chain.reads).toHaveLength(2)
  for (const { feed, value, answer, refusal, status, attestedAtMs, updates } of chain.reads) {
    const report = reports
      .map((file) => readFileSync(file, 'utf8'))
      .find((text) => text.includes(`"attestedAtMs":"${attestedAtMs}"`))
    // A report of after the last round that counts is not kept.
    const leaves = report === undefined ? [] : (JSON.parse(report) as { leaves: { feeds: Line[] }[] }).leaves
    const attested = leaves.flatMap(({ feeds }) => feeds).find(({ name }) => name === feed)
    if (report !== undefined) expect(attested).toMatchObject({ value, status })
    expect(updates).toBeGreaterThanOrEqual(1)
    if (status === 'OK') expect(answer).toBe(value)
    else expect(refusal).toMatch(/^NotOk/)
  }
}

describe('assay demo', () => {
  it('replays recordings to their end: every report holds against the closes, and contracts read what is OK', async () => {
    const recordings = record('whole', 40)
    const keep = join(folder, 'kept')
    const demo = new Demo([
      ...['--recordings', recordings, '--keep', keep, '--lie', 'coinbase=+30%'],
      ...['--rounds', '100000'],
    ])
    expect(await demo.exited, demo.stderr).toBe(0)
    const ready = demo.lines[0]!
    expect(ready).toMatchObject({
      event: 'ready',
      mode: 'recordings',
      oracles: 4,
      pids: { 'oracle-4': expect.any(Number) },
    })
    expect(ready['skipped']).toEqual(['bitfinex-btc-usd.csv: no adapter reads the venue "bitfinex"'])

    const last = demo.lines.at(-1) as {
      reports: number
      feeds: { name: string; value: string; status: string }[]
      chain: ChainSummary
    }
    expect(Object.keys(last)).toEqual([
      ...['mode', 'oracles', 'rounds', 'reports', 'feeds', 'latencyMs', 'skippedRounds', 'chain'],
    ])
    const values = Object.fromEntries(last.feeds.map(({ name, value }) => [name, value]))
    // The lower median of the three that do not lie, and the other currency by itself.
    expect(values).toEqual({ 'btc-usd': '20041.40000000', 'btc-usdt': '19039.40000000' })
    expect(readdirSync(join(keep, 'reports'))).toHaveLength(last.reports)
    expect(existsSync(join(keep, 'oracle-4/config.json'))).toBe(true)

    const args = [join(root, 'scripts/check-replay.mjs'), keep, recordings, '--lie', 'coinbase=+30%']
    const told = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Record<string, number>
    expect(told).toMatchObject({ failed: 0, minutesRecorded: 40, lyingOnly: 0 })
    // The first rounds may begin before anybody has read anything.
    expect(told['checked']! + told['empty']!).toBe(last.reports)
    expect(told['empty']).toBeLessThanOrEqual(2)
    expect(told['percent']).toBeGreaterThanOrEqual(95)

    const files = readdirSync(join(keep, 'reports')).map((name) => join(keep, 'reports', name))
    checkChain(last.chain, files)
    expect(last.chain.reads.map(({ feed, status }) => [feed, status])).toEqual([
      ['btc-usd', 'OK'],
      ['btc-usdt', 'LOW_CONFIDENCE'],
    ])
    // A liar among four is left out, and the width of the opinions is told: too wide for this buyer, and said so.
    expect(last.chain.pull).toMatchObject({ feed: 'btc-usd', value: null, refusal: 'UncertainPrice' })
    // One venue is no answer for a contract.
    expect(last.chain.request).toMatchObject({ feed: 'btc-usdt', end: 'refused', status: 'LOW_CONFIDENCE' })

    // The checker sees what is wrong: here, one digit.
    const file = files.find((name) => readFileSync(name, 'utf8').includes('"value":"20'))!
    writeFileSync(file, readFileSync(file, 'utf8').replace('"value":"20', '"value":"21'))
    expect(() => execFileSync(process.execPath, args, { stdio: 'pipe' })).toThrow(/check-replay/)
  })

  it('goes on without an oracle that is killed, takes it back, and stops when asked with its summary', async () => {
    const keep = join(folder, 'killed')
    const demo = new Demo(['--recordings', record('long', 2000), '--keep', keep, '--speed', '20', '--chain'])
    const anvil = await demo.anvil()
    await demo.until(({ reports }) => Number(reports) >= 5)
    const victim = demo.children().find((pid) => commandOf(pid).includes('oracle-3'))!
    process.kill(victim, 'SIGKILL')
    const note = await demo.until(({ sentence }) => String(sentence).startsWith('oracle-3 ended'))
    expect(note['sentence']).toContain(`start ${join(keep, 'oracle-3')}`)
    const before = Number(demo.lines.at(-1)!['reports'] ?? 0)
    await demo.until(({ reports }) => Number(reports) >= before + 5)

    const again = spawn(process.execPath, [main, 'start', join(keep, 'oracle-3'), '--json'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    running.push(again)
    const isBack = new Promise((resolve) =>
      createInterface({ input: again.stdout! }).on('line', (line) => {
        if ((JSON.parse(line) as Line)['event'] === 'report') resolve(true)
      }),
    )
    expect(await isBack).toBe(true)

    const children = [...demo.children(), anvil]
    demo.child.kill('SIGTERM')
    expect(await demo.exited, demo.stderr).toBe(0)
    expect(demo.lines.at(-1)).toMatchObject({ mode: 'recordings', oracles: 4, chain: { chainId: 31_337 } })
    expect(children.filter(lives)).toEqual([])
    again.kill('SIGKILL')
  })

  it.each(['SIGKILL', 'SIGINT'] as const)('leaves no oracle and no chain behind when it ends by %s', async (signal) => {
    const demo = new Demo(['--recordings', record(`short-${signal}`, 500), '--speed', '10', '--chain'])
    const ready = await demo.until(({ event }) => event === 'ready')
    await demo.until(({ event }) => event === 'report')
    const anvil = await demo.anvil()
    expect(commandOf(anvil)).toContain('anvil')
    // Four oracles and the chain's guard, whose child anvil is.
    const children = demo.children()
    expect(children).toHaveLength(5)
    expect(children.flatMap(childrenOf)).toContain(anvil)
    children.push(anvil)
    demo.child.kill(signal)
    await demo.exited
    for (const endsMs = performance.now() + 20_000; children.some(lives) && performance.now() < endsMs; )
      await sleep(50)
    expect(children.filter(lives)).toEqual([])
    // A killed demo cannot clean up; the folder is a temporary one.
    rmSync(String(ready['folder']), { recursive: true, force: true })
  })

  it('has a chain that holds what was attested, with bundled data, and checks itself as the pipeline does', async () => {
    const keep = join(folder, 'bundled')
    const demo = new Demo(['--sources', 'bundled', '--rounds', '20', '--keep', keep])
    expect(await demo.exited, demo.stderr).toBe(0)
    const summary = demo.lines.at(-1) as { rounds: number; chain: ChainSummary }
    expect(summary.rounds).toBe(20)
    const args = [join(root, 'scripts/check-summary.mjs'), '20']
    const check = (of: unknown): { readonly faults: readonly string[] } =>
      JSON.parse(spawnSync(process.execPath, args, { input: JSON.stringify(of), encoding: 'utf8' }).stdout)
    const notes = demo.lines.filter(({ event }) => event === 'note')
    expect(check(summary).faults, JSON.stringify([notes, summary.chain])).toEqual([])
    const reports = readdirSync(join(keep, 'reports')).map((name) => join(keep, 'reports', name))
    checkChain(summary.chain, reports)
    expect(summary.chain.reads.map(({ feed, status }) => [feed, status])).toEqual([
      ['rehearsal-aapl-usd', 'OK'],
      ['rehearsal-msft-usd', 'OK'],
    ])
    expect(summary.chain.pull).toMatchObject({ feed: 'rehearsal-aapl-usd', refusal: null })
    expect(summary.chain.request).toMatchObject({ feed: 'rehearsal-msft-usd', end: 'answered', status: 'OK' })

    // The check sees a digit that is wrong, and a chain that is not there.
    const [first, second] = summary.chain.reads
    const wrong = { ...summary, chain: { ...summary.chain, reads: [{ ...first!, value: '1.00' }, second] } }
    expect(check(wrong).faults).toEqual([
      'rehearsal-aapl-usd on chain is not what was attested',
      'facade of rehearsal-aapl-usd',
    ])
    expect(check({ ...summary, chain: null }).faults).toEqual(['no chain'])
  })

  it('says why there is no chain, and runs without', async () => {
    for (const [args, why] of [
      [['--no-chain'], 'as --no-chain says'],
      [['--oracles', '1'], 'no committee of fewer than 4'],
    ] as const) {
      const demo = new Demo(['--sources', 'bundled', '--rounds', '3', ...args])
      expect(await demo.exited, demo.stderr).toBe(0)
      expect(demo.lines.find(({ event }) => event === 'note')?.['sentence']).toContain(why)
      expect(demo.lines.at(-1)).toMatchObject({ mode: 'bundled', chain: null })
      expect(demo.lines.at(-1)!['feeds']).toHaveLength(8)
    }
  })

  it('refuses what it cannot run, in a sentence', async () => {
    const refused = async (args: readonly string[]): Promise<string> => {
      const demo = new Demo(args)
      expect(await demo.exited).toBe(1)
      return (JSON.parse(demo.stderr) as { error: { code: string } }).error.code
    }
    const recordings = record('fine', 3)
    expect(await refused(['--recordings', join(folder, 'absent')])).toBe('RECORDINGS_UNFIT')
    expect(await refused(['--recordings', recordings, '--lie', 'gemini=+30%'])).toBe('REPLAY_LIE_INVALID')
    expect(await refused(['--recordings', recordings, '--lie', 'kraken=30'])).toBe('REPLAY_LIE_INVALID')
    expect(await refused(['--lie', 'kraken=+30%'])).toBe('REPLAY_LIE_INVALID')
    expect(await refused(['--recordings', recordings, '--keep', recordings])).toBe('FOLDER_UNFIT')
  })
})
