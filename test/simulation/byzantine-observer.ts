// Observers and attesters that lie: B09 to B13, B15 and B17 of the fault table.

import type { Reading } from '../../src/core/layout.js'
import type { Observation } from '../../src/core/messages.js'
import { asMessage, type Behaviour, type Liar } from './byzantine.js'
import { digestOfDraft } from './craft.js'

const int176Max = 2n ** 175n - 1n
const int64Max = 2n ** 63n - 1n

const equivocates: Behaviour = {
  id: 'B09 two observations or attestations',
  transmit: (liar, _to, message) => {
    if (message.kind === 'observation') {
      liar.fired(equivocates)
      return [liar.frame(asMessage(message)), liar.frame(liar.make({ ...message, clockMs: message.clockMs + 1 }))]
    }
    if (message.kind !== 'attestation' || message.round % 2 === 0) return null
    liar.fired(equivocates)
    const other = liar.make({ ...message, attestedAtMs: message.attestedAtMs + 1 })
    const both = [liar.frame(asMessage(message)), liar.frame(other)]
    return message.round % 4 === 1 ? both : both.reverse()
  },
}

const late: Behaviour = {
  id: 'B10 observation withheld or late',
  transmit: (liar, to, message) => {
    if (message.kind !== 'observation') return null
    liar.fired(late)
    if (message.round % 2 === 0) liar.send(to, liar.frame(asMessage(message)), liar.stage.rng.between(15, 200))
    return []
  },
}

const malformed: Behaviour = {
  id: 'B11 observation out of type',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'observation') return null
    liar.fired(malformed)
    const { rng } = liar.stage
    const spoiled = Uint8Array.from(message.readings)
    const kinds: readonly (() => Uint8Array)[] = [
      () => new Uint8Array(0),
      () => spoiled.slice(0, spoiled.length - 1),
      () => Uint8Array.from([...spoiled, 0]),
      () => spoiled.fill(0xff),
      () => Uint8Array.from({ length: 4000 }, () => rng.below(256)),
      () => {
        spoiled[rng.below(spoiled.length)]! ^= 1 << rng.below(8)
        return spoiled
      },
      () => {
        spoiled[spoiled.length - 1] = 0xc3
        return spoiled
      },
    ]
    const clockMs = rng.chance(0.1) ? 0 : message.clockMs
    return [liar.frame(liar.make({ ...message, clockMs, readings: rng.pick(kinds)() }))]
  },
}

/** Every number of the readings changed. */
function moved(readings: readonly Reading[], change: (value: bigint, type: 'int64' | 'int176') => bigint): Reading[] {
  return readings.map((reading, feed) => {
    if (reading.values === null || feed === 1) return reading
    const at = feed === 0 ? 0 : 1
    const type = feed === 3 ? 'int64' : 'int176'
    const values = reading.values.map((value, i) => (i === at ? change(value as bigint, type) : value))
    return { ...reading, status: 0, values }
  })
}

const edges: Behaviour = {
  id: 'B12 edge of the honest range',
  readings: (liar, readings) => {
    liar.fired(edges)
    return moved(readings, (value) => (value < int64Max && value > 0n ? value + 45n : value))
  },
}

const extremes: Behaviour = {
  id: 'B13 extreme values',
  readings: (liar, readings) => {
    liar.fired(extremes)
    // All liars lie in the same direction, or they would outweigh each other.
    const isHigh = Math.floor(liar.stage.queue.nowMs / 1000) % 2 === 0
    const told = moved(readings, (_, type) => {
      const most = type === 'int64' ? int64Max : int176Max
      return isHigh ? most : -most - 1n
    })
    // Another event, or another place, than anybody saw; the true ones with an extreme value half of the time.
    const quake = told[3]!
    if (quake.values === null || liar.stage.rng.chance(0.5)) return told
    const event = liar.stage.rng.chance(0.5) ? 'invented' : quake.values[0]!
    return told.with(3, { ...quake, values: [event, quake.values[1]!, 'nowhere'] })
  },
}

const skewed: Behaviour = {
  id: 'B15 clock an hour off',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'observation') return null
    liar.fired(skewed)
    const offMs = [-3_600_000, 3_600_000, 1200, -1200][message.round % 4]!
    return [liar.frame(liar.make({ ...message, clockMs: Math.max(1, message.clockMs + offMs) }))]
  },
}

/** What malleability of a signature scheme offers, and a second signature on the same digest. */
function mangled(liar: Liar, signature: Uint8Array, digest: Uint8Array): Uint8Array[] {
  const { cast } = liar.stage
  const flipped = Uint8Array.from(signature)
  flipped[32]! ^= 0x80
  const changed = Uint8Array.from(signature)
  changed[5 + liar.stage.rng.below(59)]! ^= 1
  return [
    flipped,
    changed,
    new Uint8Array(64),
    new Uint8Array(64).fill(0xff),
    cast.engine.signAgain(digest, cast.keys[liar.member]!, liar.stage.rng.between(1, 9)),
  ]
}

const malleable: Behaviour = {
  id: 'B17 signatures retold',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'attestation' && message.kind !== 'observation') return null
    const { cast } = liar.stage
    liar.fired(malleable)
    const signatures = mangled(liar, message.signature, digestOfDraft(cast.engine, cast.now, message))
    const others = signatures.map((signature) => liar.frame(asMessage({ ...message, signature } as Observation)))
    return message.round % 2 === 0
      ? [liar.frame(asMessage(message)), ...others]
      : [...others, liar.frame(asMessage(message))]
  },
}

/** Behaviours of observers and attesters. */
export const observerBehaviours: readonly Behaviour[] = [
  equivocates,
  late,
  malformed,
  edges,
  extremes,
  skewed,
  malleable,
]
