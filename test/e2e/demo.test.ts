// `assay demo` as a process: a whole replay checked report by report, an oracle that dies, and a demo that is killed.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
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

  /** Processes that it started, oracles by folder. */
  children(): number[] {
    const { pid } = this.child
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  }
}

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

describe('assay demo', () => {
  it('replays recordings to their end, and every report holds against the closes', async () => {
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

    const last = demo.lines.at(-1) as { reports: number; feeds: { name: string; value: string; status: string }[] }
    expect(Object.keys(last)).toEqual([
      ...['mode', 'oracles', 'rounds', 'reports', 'feeds', 'latencyMs', 'skippedRounds'],
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

    // The checker sees what is wrong: here, one digit.
    const files = readdirSync(join(keep, 'reports')).map((name) => join(keep, 'reports', name))
    const file = files.find((name) => readFileSync(name, 'utf8').includes('"value":"20'))!
    writeFileSync(file, readFileSync(file, 'utf8').replace('"value":"20', '"value":"21'))
    expect(() => execFileSync(process.execPath, args, { stdio: 'pipe' })).toThrow(/check-replay/)
  })

  it('goes on without an oracle that is killed, takes it back, and stops when asked with its summary', async () => {
    const keep = join(folder, 'killed')
    const demo = new Demo(['--recordings', record('long', 2000), '--keep', keep, '--speed', '20'])
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

    const children = demo.children()
    demo.child.kill('SIGTERM')
    expect(await demo.exited, demo.stderr).toBe(0)
    expect(demo.lines.at(-1)).toMatchObject({ mode: 'recordings', oracles: 4 })
    expect(children.filter(lives)).toEqual([])
    again.kill('SIGKILL')
  })

  it('leaves no oracle behind when it is killed itself', async () => {
    const demo = new Demo(['--recordings', record('short', 500), '--speed', '10'])
    const ready = await demo.until(({ event }) => event === 'ready')
    await demo.until(({ event }) => event === 'report')
    const children = demo.children()
    expect(children).toHaveLength(4)
    demo.child.kill('SIGKILL')
    await demo.exited
    for (const endsMs = performance.now() + 20_000; children.some(lives) && performance.now() < endsMs; )
      await sleep(50)
    expect(children.filter(lives)).toEqual([])
    // A killed demo cannot clean up; the folder is a temporary one.
    rmSync(String(ready['folder']), { recursive: true, force: true })
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
