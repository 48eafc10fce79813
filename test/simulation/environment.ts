// Faults of network, machines, disks, clocks and sources: how each comes about and how it ends.

import { createSlotRecord } from '../../src/store/slot-record.js'
import { Oracle, recordPath, type Scene } from './oracle.js'
import type { Step } from './schedule.js'
import type { CrashPoint } from './sim-disk.js'

/** Everybody in a run. Places from n up are machines that hold a key which another one holds too (B28). */
export interface Troupe {
  readonly scene: Scene
  readonly oracles: Oracle[]
  /** Backups of disks, made when the storm began or at a later fault. */
  readonly backups: Map<number, ReadonlyMap<string, Uint8Array>>
  /** Members of which one more fault is not the protocol's business: doubled keys. */
  readonly doubled: Set<number>
}

type Act = (troupe: Troupe, step: Step) => void

/** Begins a fault; its end is queued with it. */
export function begin(troupe: Troupe, step: Step): void {
  acts[step.kind](troupe, step)
}

const acts: Readonly<Record<Step['kind'], Act>> = {
  partition: (troupe, step) => {
    const inside = new Set(step.who)
    const isQuiet = step.amount % 2 === 0
    for (const [a, b] of pairs(troupe)) {
      if (inside.has(a) === inside.has(b)) continue
      troupe.scene.links[isQuiet ? 'stall' : 'cut'](a, b)
      if (isQuiet) troupe.scene.links.stall(b, a)
    }
    healLater(troupe, step)
    count(troupe, 'B25 partition')
  },
  ring: (troupe, step) => {
    const { n } = troupe.scene.stage.cast.now.committee.thresholds
    for (const [a, b] of pairs(troupe)) if (b - a !== 1 && b - a !== n - 1) troupe.scene.links.cut(a, b)
    healLater(troupe, step)
    count(troupe, 'B25 ring')
  },
  bridge: (troupe, step) => {
    const middle = step.who[0]!
    const { n } = troupe.scene.stage.cast.now.committee.thresholds
    for (const [a, b] of pairs(troupe)) {
      if (a !== middle && b !== middle && a < n / 2 !== b < n / 2) troupe.scene.links.cut(a, b)
    }
    healLater(troupe, step)
    count(troupe, 'B25 bridge')
  },
  'one-way': (troupe, step) => {
    const from = step.who[0]!
    for (const [a, b] of pairs(troupe)) {
      if (a === from) troupe.scene.links.stall(a, b)
      if (b === from) troupe.scene.links.stall(b, a)
    }
    healLater(troupe, step)
    count(troupe, 'B25 one-way')
  },
  flap: (troupe, step) => {
    const { links, stage } = troupe.scene
    const member = step.who[0]!
    const mine = pairs(troupe).filter(([a, b]) => a === member || b === member)
    for (let atMs = 0; atMs < step.forMs; atMs += 100) {
      stage.queue.after(atMs, () => {
        for (const [a, b] of mine) links.cut(a, b)
        count(troupe, 'B25 flapping')
      })
      stage.queue.after(atMs + 50, () => {
        for (const [a, b] of mine) links.heal(a, b)
      })
    }
  },
  clog: (troupe, step) => {
    const { links, stage } = troupe.scene
    const order = stage.rng.shuffled(pairs(troupe))
    const eachMs = step.forMs / (order.length + 1)
    order.forEach(([a, b], i) => {
      stage.queue.after(Math.floor(i * eachMs), () => links.stall(a, b))
    })
    stage.rng.shuffled(order).forEach(([a, b], i) => {
      stage.queue.after(step.forMs + Math.floor(i * eachMs), () => links.heal(a, b))
    })
    count(troupe, 'B25 clogged links')
  },
  slow: (troupe, step) => {
    const { links, stage } = troupe.scene
    const place = step.who[0]!
    links.slowMs[place] = 10 + (step.amount % 90)
    count(troupe, 'net delay')
    stage.queue.after(step.forMs, () => {
      links.slowMs[place] = 0
    })
  },
  break: (troupe, step) => {
    const { links, stage } = troupe.scene
    for (const [a, b] of pairs(troupe)) if (stage.rng.below(1000) < step.amount) links.breakSession(a, b)
    count(troupe, 'net sessions broken')
  },
  crash: (troupe, step) => {
    for (const member of step.who) {
      const oracle = troupe.oracles[member]!
      if (!oracle.isRunning) continue
      oracle.disk.cutPower(false)
      down(troupe, oracle, step.forMs)
      count(troupe, 'crash')
    }
  },
  'crash-before-write': (troupe, step) => crashAt(troupe, step, 'before-write'),
  'crash-after-write': (troupe, step) => crashAt(troupe, step, 'after-write'),
  'crash-torn': (troupe, step) => crashAt(troupe, step, 'torn'),
  'crash-after-sync': (troupe, step) => crashAt(troupe, step, 'after-sync'),
  lost: (troupe, step) => {
    const oracle = troupe.oracles[step.who[0]!]!
    down(troupe, oracle, step.forMs)
    oracle.disk.files.clear()
    count(troupe, 'B27 lost record')
  },
  restored: (troupe, step) => {
    const oracle = troupe.oracles[step.who[0]!]!
    const backup = troupe.backups.get(oracle.member)
    if (backup === undefined) return
    down(troupe, oracle, step.forMs)
    oracle.disk.restore(backup)
    count(troupe, 'B27 restored record')
  },
  damaged: (troupe, step) => {
    const oracle = troupe.oracles[step.who[0]!]!
    down(troupe, oracle, step.forMs)
    const { name, change } = damages[step.amount % damages.length]!
    oracle.disk.damage(change(step.amount))
    count(troupe, `B29 ${name}`)
  },
  double: (troupe, step) => {
    const { stage, witness, links } = troupe.scene
    const { n } = stage.cast.now.committee.thresholds
    const original = troupe.oracles[step.who[0]!]!
    if (troupe.doubled.size > 0 || !original.isRunning) return
    troupe.doubled.add(original.member)
    witness.faulty.add(original.member)
    const twin = new Oracle(troupe.scene, n, original.member)
    twin.disk = original.disk.clone()
    troupe.oracles.push(twin)
    // Half of the committee can reach only the one, half only the other, until the links heal.
    for (let other = 0; other < n; other++) {
      if (other === original.member) continue
      if (other % 2 === 0) links.cut(other, original.member)
      else links.cut(other, twin.place)
    }
    twin.start()
    count(troupe, 'B28 two machines with one key')
    healLater(troupe, step)
  },
  'disk-full': (troupe, step) => diskFault(troupe, step, 'ENOSPC'),
  'disk-error': (troupe, step) => diskFault(troupe, step, 'EIO'),
  'disk-slow': (troupe, step) => {
    for (const member of step.who) {
      const { disk } = troupe.oracles[member]!
      disk.delayMaxMs = 10 + (step.amount % 60)
      troupe.scene.stage.queue.after(step.forMs, () => {
        disk.delayMaxMs = 1
      })
    }
    count(troupe, 'disk slow')
  },
  'store-full': (troupe, step) => {
    for (const member of step.who) {
      const oracle = troupe.oracles[member]!
      if (oracle.state === null) continue
      oracle.dispatch({ kind: 'store', code: 'REPORT_STORE_FULL' })
      troupe.scene.stage.queue.after(step.forMs, () => oracle.dispatch({ kind: 'store', code: null }))
      count(troupe, 'store full')
    }
  },
  'clock-nudge': (troupe, step) => {
    troupe.oracles[step.who[0]!]!.clock.jump((step.amount % 1000) - 500)
    count(troupe, 'B30 small jump')
  },
  'clock-jump': (troupe, step) => {
    const oracle = troupe.oracles[step.who[0]!]!
    stray(oracle)
    oracle.clock.jump(step.amount)
    count(troupe, `B30 jump of ${Math.abs(step.amount) / 1000} s`)
    troupe.scene.stage.queue.after(step.forMs, () => oracle.clock.jump(-oracle.clock.offsetMs))
  },
  'clock-strobe': (troupe, step) => {
    const oracle = troupe.oracles[step.who[0]!]!
    stray(oracle)
    for (let atMs = 0; atMs < step.forMs; atMs += 30) {
      troupe.scene.stage.queue.after(atMs, () => oracle.clock.jump(atMs % 60 === 0 ? 5000 : -5000))
    }
    count(troupe, 'B30 strobe')
  },
  'clock-drift': (troupe, step) => {
    const oracle = troupe.oracles[step.who[0]!]!
    stray(oracle)
    oracle.clock.driftPpm = (step.amount - 500) * 1000
    count(troupe, 'B30 drift')
  },
  leap: (troupe) => {
    // A second told twice: every wall clock steps back within a few milliseconds.
    const { stage } = troupe.scene
    for (const oracle of troupe.oracles) stage.queue.after(stage.rng.below(40), () => oracle.clock.jump(-1000))
    count(troupe, 'B30 leap second')
  },
  absence: (troupe, step) => {
    const oracle = troupe.oracles[step.who[0]!]!
    down(troupe, oracle, step.forMs + 1500)
    count(troupe, 'B31 long absence')
  },
  gaps: (troupe, step) => {
    const { gaps } = troupe.scene.weather
    for (const member of step.who) gaps[member] = 0.6
    count(troupe, 'sources missing')
    troupe.scene.stage.queue.after(step.forMs, () => gaps.fill(0.03))
  },
  halt: (troupe, step) => {
    const { weather, stage } = troupe.scene
    weather.isHalted = true
    count(troupe, 'B14 shared source wrong')
    stage.queue.after(step.forMs, () => {
      weather.isHalted = false
    })
  },
  moved: (troupe, step) => {
    const { stage } = troupe.scene
    for (const member of step.who) {
      for (let i = 0; i < 4; i++) {
        stage.queue.after(stage.rng.below(step.forMs), () => troupe.oracles[member]!.dispatch({ kind: 'moved' }))
      }
    }
    count(troupe, 'stream trigger')
  },
}

type Damage = { readonly name: string; readonly change: (amount: number) => (bytes: Uint8Array) => Uint8Array }

const damages: readonly Damage[] = [
  {
    name: 'flipped bit in both blocks',
    change: (amount) => (bytes) => {
      bytes[amount % 100]! ^= 4
      bytes[4096 + (amount % 100)]! ^= 4
      return bytes
    },
  },
  {
    name: 'flipped bit in one block',
    change: (amount) => (bytes) => {
      bytes[(amount % 2) * 4096 + (amount % 106)]! ^= 1
      return bytes
    },
  },
  { name: 'truncated', change: (amount) => (bytes) => bytes.slice(0, amount * 8) },
  { name: 'zero-filled', change: () => (bytes) => bytes.fill(0) },
  {
    name: 'blocks exchanged',
    change: () => (bytes) => Uint8Array.from([...bytes.subarray(4096), ...bytes.subarray(0, 4096)]),
  },
]

function stray(oracle: Oracle): void {
  oracle.isAstray = true
}

function count(troupe: Troupe, kind: string): void {
  troupe.scene.stage.fired.count(kind)
}

/** Every pair of places, the lower first. */
function pairs(troupe: Troupe): readonly (readonly [number, number])[] {
  const size = troupe.scene.stage.cast.now.committee.thresholds.n
  return Array.from({ length: size }, (_, a) =>
    Array.from({ length: size - a - 1 }, (_, i) => [a, a + i + 1] as const),
  ).flat()
}

function healLater(troupe: Troupe, step: Step): void {
  troupe.scene.stage.queue.after(step.forMs, () => troupe.scene.links.healAll())
}

/** Ends a process and starts it again later; a backup of its disk is kept if there is none. */
function down(troupe: Troupe, oracle: Oracle, forMs: number): void {
  oracle.crash()
  troupe.scene.stage.queue.after(forMs, () => oracle.start())
}

function crashAt(troupe: Troupe, step: Step, point: CrashPoint): void {
  step.who.forEach((member, i) => {
    const oracle = troupe.oracles[member]!
    if (!oracle.isRunning) return
    const strike = (): void => down(troupe, oracle, step.forMs)
    oracle.disk.crash = { point, after: (step.amount + i) % 5, strike }
  })
}

function diskFault(troupe: Troupe, step: Step, fault: 'ENOSPC' | 'EIO'): void {
  for (const member of step.who) {
    const { disk } = troupe.oracles[member]!
    disk.fault = fault
    troupe.scene.stage.queue.after(step.forMs, () => {
      disk.fault = null
    })
  }
}

/** Ends everything that can end: all machines run, all links are whole, disks and sources answer, clocks are near. */
export function heal({ scene, oracles }: Troupe): void {
  const { stage, links, weather } = scene
  weather.gaps.fill(0.03)
  weather.isHalted = false
  links.healAll()
  for (const oracle of oracles) {
    oracle.disk.crash = null
    oracle.disk.fault = null
    oracle.disk.delayMaxMs = 1
    oracle.clock.driftPpm = 0
    oracle.clock.jump(stage.rng.between(-200, 200) - oracle.clock.offsetMs)
    oracle.dispatch({ kind: 'store', code: null })
    oracle.start()
  }
}

/** The record of a key that has never signed, and a backup of it. */
export async function install(troupe: Troupe, oracle: Oracle): Promise<void> {
  await createSlotRecord({ disk: oracle.disk.mount(() => true), path: recordPath, identity: oracle.identity })
  troupe.backups.set(oracle.member, oracle.disk.snapshot())
}
