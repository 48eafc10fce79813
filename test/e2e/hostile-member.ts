// A member that keeps its keys and no rule: it presses frames into every session, as fast as they are taken.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import type { Committee } from '../../src/core/committee.js'
import { createContext } from '../../src/core/context.js'
import { frameHeadBytes } from '../../src/core/limits.js'
import type { Attestation, Message } from '../../src/core/messages.js'
import { domainOf, reportDigest } from '../../src/core/typed-data.js'
import { openKeystore } from '../../src/crypto/keystore.js'
import { encodeHello } from '../../src/network/frame.js'
import { joinFrames } from '../../src/network/framing.js'
import { encodeFrame } from '../../src/network/wire.js'
import { engine } from './committee-processes.js'

/** What was pressed into the sessions so far. */
export interface Pressure {
  framesWritten: number
  sessions: number
  readonly stop: () => void
}

/** Floods each of `ports` as `member`, whose keys lie in `folder`; each chunk is followed by the next, for ever. */
export async function flood(
  committee: Committee,
  member: number,
  folder: string,
  ports: readonly number[],
  epoch: number,
): Promise<Pressure> {
  const chunks = await makeChunks(committee, member, folder, epoch)
  const sockets = new Set<TLSSocket>()
  let isOver = false
  const pressure: Pressure = {
    framesWritten: 0,
    sessions: 0,
    stop: () => {
      isOver = true
      for (const socket of sockets) socket.destroy()
    },
  }
  const press = (port: number): void => {
    if (isOver) return
    const socket = connect({
      host: '127.0.0.1',
      port,
      key: readFileSync(join(folder, 'peer.pem')),
      cert: readFileSync(join(folder, 'peer-cert.pem')),
      ALPNProtocols: ['assay/1'],
      rejectUnauthorized: false,
    })
    sockets.add(socket)
    // Half of the sessions stay, the others end after a burst and come back for the next.
    const isBrief = pressure.sessions % 2 === 1
    let next = 0
    const write = (): void => {
      while (!socket.destroyed) {
        if (isBrief && next === 40) return void socket.end()
        const chunk = chunks[next++ % chunks.length]!
        pressure.framesWritten += chunk.frames
        if (!socket.write(chunk.bytes)) return
      }
    }
    socket.on('error', () => undefined)
    socket.on('drain', write)
    socket.resume()
    socket.once('secureConnect', () => {
      pressure.sessions++
      const { digest } = committee
      socket.write(
        joinFrames([encodeHello({ versionMin: 1, versionMax: 1, index: member, digest, instance: randomBytes(16) })]),
      )
      write()
    })
    socket.once('close', () => {
      sockets.delete(socket)
      setTimeout(press, 1, port)
    })
  }
  for (const port of ports) press(port)
  return pressure
}

interface Chunk {
  readonly bytes: Uint8Array
  readonly frames: number
}

/** Truly signed attestations that contradict each other, forged ones, wishes, fetches, proposals, noise in right lengths; at the end a frame that breaks the session. */
async function makeChunks(committee: Committee, member: number, folder: string, epoch: number): Promise<Chunk[]> {
  const { digest, thresholds } = committee
  const { privateKey } = await openKeystore(
    join(folder, 'keystore.json'),
    readFileSync(join(folder, 'passphrase'), 'utf8').trim(),
  )
  const outer = domainOf(engine, committee.salt)
  const { layout } = createContext(engine, committee, member).kernel
  const blank = { digest: new Uint8Array(32), signature: randomBytes(64) }
  const readings = randomBytes(layout.bytesMax)
  const attestation = (round: number, isTrue: boolean): Attestation => {
    const header = { epoch: epoch + (round % 3), round, attestedAtMs: Date.now() + round, root: randomBytes(32) }
    const signature = isTrue ? engine.sign(reportDigest(engine, outer, header), privateKey) : randomBytes(64)
    return { kind: 'attestation', member, ...header, digest: blank.digest, signature }
  }
  const observation = (who: number, round: number) =>
    ({
      kind: 'observation',
      epoch,
      round,
      member: who,
      clockMs: Date.now(),
      evidence: randomBytes(32),
      readings,
      ...blank,
    }) as const
  const chunks: Chunk[] = []
  for (let round = 1; round <= 300; round++) {
    const slot = { epoch, round: 10_000 - round }
    const signers = Array.from({ length: thresholds.intersecting }, (_, i) => i)
    const messages: Message[] = [
      attestation(10_000 - round, true),
      attestation(10_000 - round, true),
      attestation(round, false),
      {
        ...attestation(round, false),
        kind: 'certificate',
        signers,
        signatures: signers.map(() => randomBytes(64)),
      } as Message,
      { kind: 'seal', ...slot, member, reportDigest: randomBytes(32), ...blank },
      { kind: 'disown', ...slot, member, signedDigest: randomBytes(32), ...blank },
      { kind: 'wish', epoch: 1_000_000 + round },
      { kind: 'fetch', ...slot },
      { kind: 'begin', ...slot },
      { kind: 'moved', ...slot },
      observation(member, round),
      { kind: 'proposal', ...slot, observations: signers.map((who) => observation(who, slot.round)), ...blank },
    ]
    const frames = messages.map((message) => encodeFrame(digest, message))
    const noise = randomBytes(frameHeadBytes + 110)
    noise.set([1, 5])
    chunks.push({ bytes: joinFrames([...frames, ...frames, noise]), frames: 2 * frames.length + 1 })
  }
  chunks.push({ bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 5), frames: 1 })
  return chunks
}

/** Opens `count` connections to `port`, `atOnce` at a time each second's tenth, that say nothing and stay; answers how many were taken. */
export async function openSilent(port: number, count: number, atOnce: number, isOver: () => boolean): Promise<number> {
  let taken = 0
  let open = 0
  for (let begun = 0; begun < count && !isOver(); ) {
    while (open < atOnce && begun < count) {
      begun++
      open++
      const socket = connectTcp({ host: '127.0.0.1', port })
      socket.on('connect', () => taken++)
      socket.on('error', () => undefined)
      socket.on('close', () => open--)
      // The listener drops most of them for newer ones; what it keeps it drops after its own deadline.
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return taken
}
