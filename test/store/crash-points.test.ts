// P9 under 1,500 crashes: no two signatures of one kind on one slot, ever, and times of attestations that rise (B26, B27, B29, B39).

import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createWasmEngine, type SigningEngine } from '../../src/crypto/engine-wasm.js'
import { createSlotRecord } from '../../src/store/slot-record.js'
import { Rng } from '../simulation/rng.js'
import { recordPath, SigningWorld } from './signing-world.js'
import { type Mishap, TornDisk } from './torn-disk.js'

const worlds = 75
const livesOfWorld = 20

let engine: SigningEngine
beforeAll(async () => {
  engine = await createWasmEngine()
})

/** What happens to the file while no process runs; null for nothing. One fault at a time: see slot-verdict.ts. */
type Damage = (disk: TornDisk, rng: Rng, old: Uint8Array) => void

const damages: Readonly<Record<string, Damage>> = {
  'flipped one': (disk, rng) =>
    disk.tamper(recordPath, (bytes) => flip(bytes, 4096 * rng.below(2) + rng.below(rng.chance(0.8) ? 108 : 4096))),
  'flipped both': (disk, rng) =>
    disk.tamper(recordPath, (bytes) => flip(flip(bytes, 90 + rng.below(18)), 4096 + 90 + rng.below(18))),
  'zeroed one': (disk, rng) => {
    const at = rng.below(2) * 4096
    disk.tamper(recordPath, (bytes) => bytes.fill(0, at, at + 4096))
  },
  'zeroed both': (disk) => disk.tamper(recordPath, (bytes) => bytes.fill(0)),
  'lost sectors': (disk, rng, old) => {
    const at = rng.below(16) * 512
    disk.tamper(recordPath, (bytes) => {
      bytes.set(old.subarray(at, at + 512), at)
      return bytes
    })
  },
  truncated: (disk, rng) => disk.tamper(recordPath, (bytes) => bytes.slice(0, rng.below(8192))),
  lost: (disk) => disk.replace(recordPath, null),
  'restored as another file': (disk, _rng, old) => disk.replace(recordPath, old),
  'restored in place': (disk, _rng, old) => disk.tamper(recordPath, () => Uint8Array.from(old)),
  'swapped blocks': (disk) =>
    disk.tamper(recordPath, (bytes) => Uint8Array.from([...bytes.subarray(4096), ...bytes.subarray(0, 4096)])),
  'newer version': (disk) =>
    disk.tamper(recordPath, (bytes) => {
      bytes[11] = 2
      bytes.set(createHash('sha256').update(bytes.subarray(0, 4064)).digest(), 4064)
      return bytes
    }),
}

const mishaps: readonly (Mishap | null)[] = ['cut-before', 'cut-after', 'ENOSPC', 'EIO', 'EMFILE', null]

describe('crash points', () => {
  it('never sign a slot twice, and every kind of fault fired', { timeout: 120_000 }, async () => {
    const fired = new Map<string, number>()
    const count = (what: string): void => void fired.set(what, (fired.get(what) ?? 0) + 1)
    let points = 0
    let signatures = 0
    for (let seed = 0; seed < worlds; seed++) {
      const rng = new Rng(BigInt(seed))
      const disk = new TornDisk(rng, count)
      const privateKey = new Uint8Array(32).fill(seed + 1)
      const world = new SigningWorld({ engine, privateKey, rng, disk, count })
      await createSlotRecord({ disk, path: recordPath, identity: world.identity })
      for (let life = 0; life < livesOfWorld; life++) {
        const old = disk.contents(recordPath)
        const mishap = rng.pick(mishaps)
        if (mishap !== null) disk.due = { mishap, after: rng.below(30) }
        const ending = await world.live(rng.between(1, 4))
        count(`ended ${ending}`)
        points++
        disk.restart()
        // A cut is a fault of its own: damage comes to files that were left whole.
        if (old === null || old.length !== 8192 || ending === 'cut' || rng.chance(0.4)) continue
        if (disk.contents(recordPath)?.length !== 8192) continue
        const damage = rng.pick(Object.keys(damages))
        count(`damage ${damage}`)
        damages[damage]!(disk, rng, old)
        world.isDamaged = true
      }
      expect(world.violations, `seed ${seed}`).toEqual([])
      signatures += world.signed.size
    }
    expect(points).toBeGreaterThanOrEqual(1000)
    expect(signatures).toBeGreaterThan(5000)
    const wanted = [
      ...Object.keys(damages).map((damage) => `damage ${damage}`),
      ...['open', 'write', 'sync', 'rename', 'syncDirectory'].flatMap((call) => [
        `cut-before ${call}`,
        `cut-after ${call}`,
      ]),
      ...['ENOSPC write', 'ENOSPC open', 'EIO write', 'EIO sync', 'EMFILE open'],
      ...['torn write', 'lost write', 'kept write', 'ended cut', 'ended killed', 'ended refused'],
      ...['missing', 'truncated', 'damaged', 'version', 'restored'].map((doubt) => `doubt ${doubt}`),
      ...[
        'KEYRING_CLOSED',
        'KEYRING_BELOW_OPENING',
        'KEYRING_ABOVE_FLOOR',
        'KEYRING_SLOT_SIGNED',
        'KEYRING_TIME_NOT_RISING',
      ],
      ...['persist SLOT_RECORD_WRITE_FAILED', 'refused SLOT_RECORD_UNREADABLE'],
    ]
    expect(wanted.filter((what) => !fired.has(what))).toEqual([])
  })
})

function flip(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = bytes[at]! ^ (1 << (at & 3))
  return bytes
}
