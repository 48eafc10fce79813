// A process that takes a directory, reserves and signs without end, and says what it signed: to be killed (B26).

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { nodeDisk } from '../../src/base/disk.js'
import { toHex } from '../../src/core/bytes.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { createKeyring } from '../../src/crypto/keyring.js'
import { lockDirectory } from '../../src/store/directory-lock.js'
import { openSlotRecord } from '../../src/store/slot-record.js'

const directory = process.argv[2]!
const lock = await lockDirectory(directory)
const engine = await createWasmEngine()
const privateKey = new Uint8Array(32).fill(7)
const salt = new Uint8Array(32).fill(2)
const identity = { address: engine.addressOf(privateKey), salt, generation: 1 }
const record = await openSlotRecord({
  disk: nodeDisk,
  path: join(directory, 'slots'),
  identity,
  holdsLock: () => lock.isHeld(),
})
const opening = record.durable
const durable = () => (record.standing === 'sound' ? record.durable : null)
const keyring = createKeyring({ engine, privateKey, salt, committeeDigest: salt, opening, durable })
console.log(`open ${record.standing} ${opening.floor.epoch}/${opening.floor.round}`)

// Pipes are written synchronously: what is not printed never left this process.
for (let { round } = opening.floor; ; ) {
  const floor = { epoch: 1, round: round + 4 }
  await record.persist({ wish: 1, floor, floorMs: 1000 + floor.round })
  while (round < floor.round) {
    round++
    const { digest } = keyring.sign({
      kind: 'attestation',
      epoch: 1,
      round,
      attestedAtMs: 1000 + round,
      root: randomBytes(32),
    })
    console.log(`signed ${round} ${toHex(digest)}`)
  }
}
