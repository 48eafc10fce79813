// A process that has no file descriptors left keeps its sessions, does not spin, and accepts again later.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort, peerKeys, sleep, until } from './committee.js'
import { type Raw, rawTcp, rawTls } from './hostile.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A process with 64 file descriptors that listens as member 1, and tells its CPU time once in 100 ms. */
const member = `
import { timers } from './src/network/timers.js'
import { TlsTransport } from './src/network/tls.js'
import { openSync, closeSync } from 'node:fs'
const given = JSON.parse(process.env.MEMBER)
const limits = { frameBytesMax: () => 4096, framesPerS: 1000, bytesPerS: 1e6, queueBytesMax: 1e6, frameMs: 2000, handshakeMs: 60000,
  handshakesMax: 1000, livenessMs: 200, keepaliveMs: 500, idleMs: 60000, reconnectMinMs: 1e6, reconnectMaxMs: 1e6 }
const transport = new TlsTransport({ ...given, digest: new Uint8Array(32).fill(7), limits, scheduler: timers, random: () => 0.9 })
await transport.start({ onFrame() {}, onSession() {}, onDrop() {} })
const taken = []
process.on('message', (word) => {
  if (word === 'release') while (taken.length > 0) closeSync(taken.pop())
  else try { for (;;) taken.push(openSync('/dev/null')) } catch { closeSync(taken.pop()) }
})
setInterval(() => process.send({ cpuMs: process.cpuUsage().user / 1000 }), 100)
`

describe('accepting', () => {
  it('rests when the process is out of file descriptors', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-accept-'))
    cleanups.push(() => rm(folder, { recursive: true }))
    const outfile = join(folder, 'member.mjs')
    const stdin = { contents: member, resolveDir: process.cwd() }
    await build({
      stdin,
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'silent',
    })
    const keys = await peerKeys(2)
    const port = await freePort()
    const given = {
      self: 1,
      members: [0, 1].map((index) => ({ index, peerKey: keys[index]!.raw, endpoint: `127.0.0.1:${port}` })),
      peerKeyPem: keys[1]!.pem,
      certificatePem: keys[1]!.certificate,
      listen: { host: '127.0.0.1', port },
    }
    const child = spawn('sh', ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, outfile], {
      env: { ...process.env, MEMBER: JSON.stringify(given) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    cleanups.push(() => child.kill())
    let told: { cpuMs: number } | null = null
    child.on('message', (message) => {
      told = message as typeof told
    })
    await until('listening', () => told !== null)
    child.send('exhaust')
    await sleep(100)
    const raws: Raw[] = []
    cleanups.push(() => raws.forEach((raw) => void raw.socket.destroy()))
    const knocking = setInterval(() => raws.push(rawTcp(port)), 20)
    cleanups.push(() => clearInterval(knocking))
    await until('some are turned away', () => raws.filter((raw) => raw.closed).length > 5)
    const cpuMs = told!.cpuMs
    await sleep(1000)
    // A loop that spins on a socket it cannot take would use the whole second.
    expect(told!.cpuMs - cpuMs).toBeLessThan(500)
    clearInterval(knocking)
    for (const raw of raws) raw.socket.destroy()
    child.send('release')
    await sleep(600)
    const welcome = await rawTls(port, keys[0]!)
    raws.push(welcome)
    expect(welcome.closed).toBe(false)
    expect(welcome.socket.alpnProtocol).toBe('assay/1')
    expect(child.exitCode).toBe(null)
  })
})
