// The demo's chain by itself: with oracles on the machine's own clock, as live sources have them, and without its parent.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Anvil, spawnAnvil } from '../../src/cli/anvil.js'
import { startDemoChain } from '../../src/cli/demo-chain.js'
import type { ChainNews } from '../../src/cli/demo-chain-view.js'
import { initCommittee } from '../../src/cli/init.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import type { FeedDeclaration } from '../../src/feed/declaration.js'
import { sleep } from './committee-processes.js'

const dist = join(import.meta.dirname, '../../dist/src/cli')
const folder = mkdtempSync(join(tmpdir(), 'assay-demo-chain-'))
const children: ChildProcess[] = []
let anvil: Anvil | null = null
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await anvil?.stop()
  await sleep(100)
  rmSync(folder, { recursive: true, force: true })
})

/** Whether a process is there and runs; one that ended and was not yet waited for does not. */
function lives(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function until(is: () => boolean, what: string): Promise<void> {
  for (const endsMs = performance.now() + 20_000; !is(); await sleep(10))
    if (performance.now() > endsMs) throw new Error(`not ${what}`)
}

describe('the chain of the demo', () => {
  it('shows pushes, facades, a pull and a request on the machine’s clock too, a block a second', async () => {
    const names = ['oracle-1', 'oracle-2', 'oracle-3', 'oracle-4']
    const port = 21_000 + (process.pid % 4000)
    const home = join(folder, 'live')
    const api = (name: string): { listen: string } => ({ listen: `127.0.0.1:${port + 10 + names.indexOf(name)}` })
    await initCommittee(home, { oracles: 4, feeds: 2, host: '127.0.0.1', port, light: true, api })
    const genesisS = Math.floor(Date.now() / 1000) - 60
    anvil = await spawnAnvil(['--accounts', '1', '--no-mining', '--timestamp', String(genesisS)])
    const news: ChainNews[] = []
    const notes: string[] = []
    const declarations = ['btc-usd', 'eth-usd'].map((name) => ({ name, singleSource: null }) as FeedDeclaration)
    const chain = await startDemoChain({
      ...{ anvil, engine: await createWasmEngine(), folder: home, names, declarations, genesisS, stepMs: null },
      onNews: (one) => void news.push(one),
      onNote: (one) => void notes.push(one),
    })
    for (const name of names) {
      expect(existsSync(join(home, name, 'sender.json'))).toBe(true)
      const args = [join(dist, 'main.js'), 'start', join(home, name), '--json', '--until-stdin-ends']
      children.push(spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] }))
    }
    chain.begin(Date.now, () => `http://${api('oracle-1').listen}`)
    // What tells of reports in the demo is the followed oracle's word.
    const reports = setInterval(chain.onReport, 200)
    await chain.shown
    const { reads, pull, request, missing, pushes, block } = await chain.finish(5_000)
    clearInterval(reports)
    await chain.close()

    expect([missing, notes]).toEqual([[], []])
    expect(reads.map(({ feed }) => feed)).toEqual(['btc-usd', 'eth-usd'])
    for (const { value, answer, reported, status } of reads)
      expect([answer, reported, status]).toEqual([value, value, 'OK'])
    expect(pull).toMatchObject({ feed: 'btc-usd', refusal: null, value: expect.stringMatching(/^\d+\.\d{8}$/) })
    expect(request).toMatchObject({ feed: 'eth-usd', end: 'answered', value: expect.stringMatching(/^\d+\.\d{8}$/) })
    expect([pushes.count, pushes.failed]).toEqual([news.filter(({ what }) => what === 'push').length, 0])
    expect(new Set(news.map(({ what }) => what))).toEqual(new Set(['push', 'pull', 'request']))
    // Blocks keep up with the clock, give or take those that were mined for the demo's own transactions.
    expect(Math.abs(block.timestampMs - Date.now())).toBeLessThan(20_000)
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)('has an anvil that ends when its parent does, by %s', async (signal) => {
    const script = `import(${JSON.stringify(join(dist, 'anvil.js'))}).then(async ({ spawnAnvil }) => {
      const { pid, guard } = await spawnAnvil([])
      console.log(JSON.stringify([pid, guard.pid]))
    })`
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(parent)
    const pids = await new Promise<number[]>((resolve) =>
      parent.stdout!.once('data', (line: Buffer) => resolve(JSON.parse(line.toString()) as number[])),
    )
    expect(pids.map(lives)).toEqual([true, true])
    parent.kill(signal)
    await until(() => !pids.some(lives), 'ended')
  })

  it('has an anvil that ends when its guard is killed, or when asked', async () => {
    const killed = await spawnAnvil([])
    killed.guard.kill('SIGKILL')
    await until(() => !lives(killed.pid), 'ended with its guard')
    const asked = await spawnAnvil([])
    expect(await asked.ask('eth_chainId')).toBe('0x7a69')
    await asked.stop()
    expect(lives(asked.pid)).toBe(false)
  })
})
