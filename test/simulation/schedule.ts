// What happens in one run, drawn from its seed: who lies and how, and the faults of machines, network, clocks and disks.

import type { Behaviour } from './byzantine.js'
import { frameBehaviours } from './byzantine-frames.js'
import { leaderBehaviours } from './byzantine-leader.js'
import { observerBehaviours } from './byzantine-observer.js'
import { deriveSeed, Rng } from './rng.js'

/** Faults of the environment; docs in environment.ts, where each is made to happen. */
export type StepKind =
  | 'partition'
  | 'ring'
  | 'bridge'
  | 'one-way'
  | 'flap'
  | 'clog'
  | 'slow'
  | 'break'
  | 'crash'
  | 'crash-before-write'
  | 'crash-after-write'
  | 'crash-torn'
  | 'crash-after-sync'
  | 'lost'
  | 'restored'
  | 'damaged'
  | 'double'
  | 'disk-full'
  | 'disk-error'
  | 'disk-slow'
  | 'store-full'
  | 'clock-nudge'
  | 'clock-jump'
  | 'clock-strobe'
  | 'clock-drift'
  | 'leap'
  | 'absence'
  | 'gaps'
  | 'halt'
  | 'moved'

/** One fault: from `atMs` for `forMs`, on the members `who`; `amount` is a size whose meaning depends on the kind. */
export interface Step {
  readonly atMs: number
  readonly kind: StepKind
  readonly who: readonly number[]
  readonly forMs: number
  readonly amount: number
}

export interface Schedule {
  /** 64 bits, as 0x hex: delays, noise and choices inside the run. */
  readonly seed: string
  readonly n: number
  /** Wall time at true time 0, ms since 1970. */
  readonly epochMs: number
  readonly delayMaxMs: number
  /** Members that lie, and how. */
  readonly liars: readonly { readonly member: number; readonly behaviours: readonly string[] }[]
  /** Members that run with the committee document of the generation before (B32). */
  readonly outdated: readonly number[]
  /** Members that join only when the storm is over (B31). */
  readonly late: readonly number[]
  readonly steps: readonly Step[]
  /** When every fault that can end has ended. */
  readonly healMs: number
}

/** Every way to lie, by id. */
export const behaviours: ReadonlyMap<string, Behaviour> = new Map(
  [...leaderBehaviours, ...observerBehaviours, ...frameBehaviours].map((behaviour) => [behaviour.id, behaviour]),
)

/** Faults that any member may meet: they end, and leave nothing behind. */
const passing: readonly StepKind[] = [
  'partition',
  'partition',
  'ring',
  'bridge',
  'one-way',
  'flap',
  'clog',
  'slow',
  'break',
  'crash',
  'crash',
  'crash-before-write',
  'crash-after-write',
  'crash-torn',
  'crash-after-sync',
  'disk-full',
  'disk-error',
  'disk-slow',
  'store-full',
  'clock-nudge',
  'leap',
  'absence',
  'gaps',
  'gaps',
  'halt',
  'moved',
]
/** Faults that make a member count among the f for good, or until real time has caught up. */
const lasting: readonly StepKind[] = [
  'lost',
  'restored',
  'damaged',
  'double',
  'clock-jump',
  'clock-strobe',
  'clock-drift',
]

const wallTimes = [1_760_000_000_000, 0x8000_0000 * 1000 - 1500, 0x1_0000_0000 * 1000 - 1500, 951_782_398_000]

/** The committee size of the `index`-th schedule: 65 % of 4, 20 % of 7, 10 % of 10, 5 % of 13. */
export function sizeOf(index: number): number {
  const at = index % 20
  return at < 13 ? 4 : at < 17 ? 7 : at < 19 ? 10 : 13
}

/** The `index`-th negative control of a run (B40): f+1 members lie together, which is one too many. */
export function drawControl(seed: bigint, index: number, n: number): Schedule {
  const own = deriveSeed(seed ^ 0x40n, index)
  const rng = new Rng(own)
  const liars = rng.shuffled(Array.from({ length: n }, (_, i) => i)).slice(0, Math.floor((n - 1) / 3) + 1)
  const ways = index % 2 === 0 ? ['B01 two proposals'] : ['B02 honest observations left out', 'B13 extreme values']
  return {
    seed: hexOf(own),
    n,
    epochMs: wallTimes[0]!,
    delayMaxMs: 6,
    liars: liars.map((member) => ({ member, behaviours: ways })),
    outdated: [],
    late: [],
    steps: [],
    healMs: 6000,
  }
}

/** The `index`-th schedule of a run from `seed`, with `n` members of which at most f are faulty at any time. */
export function drawSchedule(seed: bigint, index: number, n: number): Schedule {
  const own = deriveSeed(seed, index)
  const rng = new Rng(own)
  const f = Math.floor((n - 1) / 3)
  const order = rng.shuffled(Array.from({ length: n }, (_, i) => i))
  const frail = order.slice(0, f)
  const liarCount = rng.chance(0.25) ? 0 : rng.between(1, f)
  const liars = frail.slice(0, liarCount).map((member) => ({ member, behaviours: drawBehaviours(rng) }))
  const rest = frail.slice(liarCount)
  const outdated = rest.length > 0 && rng.chance(0.15) ? rest.splice(0, 1) : []
  const healMs = rng.between(300, 1600)
  const sturdy = order.filter((member) => !liars.some((liar) => liar.member === member) && !outdated.includes(member))
  const steps = Array.from({ length: rng.between(0, 6) }, () => drawStep(rng, n, sturdy, rest, healMs))
  if (liars.length > 0 && rest.length > 0 && rng.chance(0.3)) {
    // A record is lost where liars claim what they like (P9, B27 and B31 together).
    for (const liar of liars) liar.behaviours = ['B31 false wishes and claims', ...liar.behaviours.slice(1)]
    const atMs = rng.below(healMs)
    steps.push({ atMs, kind: 'lost', who: [rest[0]!], forMs: rng.between(20, 120), amount: 0 })
    // Started once more from what it adopted.
    steps.push({ atMs: atMs + rng.between(150, 400), kind: 'crash', who: [rest[0]!], forMs: 50, amount: 0 })
  }
  return {
    seed: hexOf(own),
    n,
    epochMs: rng.chance(0.7) ? wallTimes[0]! + rng.below(1_000_000) : rng.pick(wallTimes),
    delayMaxMs: rng.pick([2, 6, 6, 15]),
    liars,
    outdated,
    late: rng.chance(0.1) ? [rng.pick(sturdy)] : [],
    steps: steps.sort((a, b) => a.atMs - b.atMs),
    healMs,
  }
}

function hexOf(seed: bigint): string {
  return `0x${seed.toString(16).padStart(16, '0')}`
}

function drawBehaviours(rng: Rng): string[] {
  const ids = [...behaviours.keys()]
  return rng.shuffled(ids).slice(0, rng.between(1, 3))
}

function drawStep(rng: Rng, n: number, sturdy: readonly number[], frail: readonly number[], healMs: number): Step {
  const kind = frail.length > 0 && rng.chance(0.35) ? rng.pick(lasting) : rng.pick(passing)
  const from = lasting.includes(kind) ? frail : sturdy
  const who = rng.shuffled(from).slice(0, kind === 'gaps' ? rng.between(1, sturdy.length) : sizeFor(kind, rng, n))
  const amounts = [-86_400_000, -3_600_000, -1000, 1000, 3_600_000, 86_400_000]
  const amount = kind === 'clock-jump' ? rng.pick(amounts) : rng.below(1000)
  return { atMs: rng.below(healMs), kind, who, forMs: rng.between(50, 900), amount }
}

/** How many members a fault hits. */
function sizeFor(kind: StepKind, rng: Rng, n: number): number {
  const f = Math.floor((n - 1) / 3)
  switch (kind) {
    case 'partition':
      return rng.chance(0.6) ? f : rng.between(1, n - 1)
    case 'crash':
      return rng.chance(0.7) ? 1 : rng.between(1, n)
    case 'crash-before-write':
    case 'crash-after-write':
    case 'crash-torn':
    case 'crash-after-sync':
    case 'disk-full':
    case 'store-full':
    case 'moved':
      return rng.between(1, f + 1)
    default:
      return 1
  }
}
