// One process of the floor: the hops of a round over bare node:tls, with or without its signatures and hashes.
//
// Arguments: index, base port, folder of the keys, "bare" or "crypto", bytes of one observation's readings, curve code. A
// number on standard input starts a round; the time of the third attestation is printed as "number nanoseconds".

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createServer, connect as dial, type TLSSocket } from 'node:tls'
import { chooseEngine } from '../src/crypto/engine.js'
import { createWasmEngine } from '../src/crypto/engine-wasm.js'

const [self, basePort, folder, mode, readingsBytes, curves] = [
  Number(process.argv[2]),
  Number(process.argv[3]),
  process.argv[4]!,
  process.argv[5]!,
  Number(process.argv[6]),
  process.argv[7] as 'auto' | 'wasm',
]
const n = 4
const quorum = 3
const leader = 0
const kinds = { moved: 1, begin: 2, observation: 3, proposal: 4, attestation: 5 } as const
const { engine } = chooseEngine(await createWasmEngine(), curves)
const privateKey = new Uint8Array(32).fill(self + 1)
const digest = new Uint8Array(32).fill(7)
const signature = engine.sign(digest, privateKey)
const readings = new Uint8Array(readingsBytes)
const tls = {
  key: readFileSync(join(folder, `oracle-${self + 1}`, 'peer.pem')),
  cert: readFileSync(join(folder, `oracle-${self + 1}`, 'peer-cert.pem')),
  minVersion: 'TLSv1.3',
  rejectUnauthorized: false,
} as const
const peers: (TLSSocket | null)[] = Array(n).fill(null)
const bodies = {
  moved: Buffer.alloc(42),
  begin: Buffer.alloc(42),
  observation: Buffer.alloc(149 + readingsBytes),
  proposal: Buffer.alloc(107 + n * (107 + readingsBytes)),
  attestation: Buffer.alloc(144),
}
let movers = 0
let observations = 0
let attestations = 0
let hasBegun = false

function attach(peer: number, socket: TLSSocket): void {
  socket.setNoDelay(true)
  peers[peer] = socket
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 5) {
      const length = rest.readUInt32BE(0)
      if (rest.length < 5 + length) break
      const kind = rest[4]!
      rest = rest.subarray(5 + length)
      receive(kind)
    }
  })
  socket.on('error', () => process.exit(1))
  if (peers.filter((known) => known !== null).length === n - 1) process.stdout.write('ready\n')
}

function send(to: number, name: keyof typeof bodies): void {
  if (to === self) return receive(kinds[name])
  const body = bodies[name]
  const frame = Buffer.allocUnsafe(5 + body.length)
  frame.writeUInt32BE(body.length, 0)
  frame[4] = kinds[name]
  body.copy(frame, 5)
  peers[to]!.write(frame)
}

function broadcast(name: keyof typeof bodies): void {
  for (let to = 0; to < n; to++) if (to !== self) send(to, name)
  send(self, name)
}

function sign(): void {
  if (mode === 'crypto') engine.sign(digest, privateKey)
}

function verify(): void {
  if (mode === 'crypto') engine.recover(digest, signature)
}

function hash(bytes: Uint8Array): void {
  if (mode === 'crypto') engine.keccak256(bytes)
}

function receive(kind: number): void {
  if (kind === kinds.moved) {
    movers++
    if (movers < 2 || hasBegun) return
    hasBegun = true
    broadcast('begin')
  } else if (kind === kinds.begin) {
    attestations = 0
    hash(readings)
    sign()
    send(leader, 'observation')
  } else if (kind === kinds.observation) {
    observations++
    hash(readings)
    verify()
    if (observations < n) return
    sign()
    broadcast('proposal')
    observations = 0
    movers = 0
    hasBegun = false
  } else if (kind === kinds.proposal) {
    if (self !== leader) {
      verify()
      for (let i = 0; i < n - 1; i++) {
        hash(readings)
        verify()
      }
    }
    // The root: one leaf of 16 feeds for each 320 bytes of readings.
    for (let at = 0; at < readingsBytes; at += 320) hash(leaf)
    sign()
    broadcast('attestation')
  } else {
    attestations++
    if (attestations < quorum) verify()
    if (attestations === quorum) process.stdout.write(`${tick} ${process.hrtime.bigint()}\n`)
  }
}

const leaf = new Uint8Array(32 + 16 * 96)

createServer({ ...tls, requestCert: true }, (socket) => {
  socket.once('data', (chunk: Buffer) => {
    attach(chunk[0]!, socket)
    if (chunk.length > 1) socket.emit('data', chunk.subarray(1))
  })
}).listen(basePort + self, '127.0.0.1', () => setTimeout(connectAll, 500))

function connectAll(): void {
  for (let peer = self + 1; peer < n; peer++) {
    const socket = dial({ ...tls, host: '127.0.0.1', port: basePort + peer }, () => {
      socket.write(Buffer.from([self]))
      attach(peer, socket)
    })
    socket.on('error', () => process.exit(1))
  }
}

let tick = 0
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  tick = Number(line)
  send(leader, 'moved')
})
lines.on('close', () => process.exit(0))
