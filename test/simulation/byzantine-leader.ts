// Leaders that lie: B01 to B08 of the fault table.

import { equalBytes } from '../../src/core/bytes.js'
import type { Observation, Proposal, Unverified } from '../../src/core/messages.js'
import { asMessage, type Behaviour, keyOf, type Liar } from './byzantine.js'
import { digestOfDraft } from './craft.js'

/** The observations of a decoded proposal with the digests its signature covers. */
function itemsOf(liar: Liar, proposal: Extract<Unverified, { kind: 'proposal' }>): Observation[] {
  const { engine, now } = liar.stage.cast
  return proposal.observations.map((item) => ({ ...item, digest: digestOfDraft(engine, now, item) }))
}

function propose(
  liar: Liar,
  { epoch, round }: Proposal | { epoch: number; round: number },
  items: Observation[],
): Proposal {
  return liar.make({ kind: 'proposal', epoch, round, observations: items }) as Proposal
}

/** The own observation of a slot, told differently. */
function retold(liar: Liar, own: Observation): Observation {
  const { epoch, round, clockMs, readings, evidence } = own
  return liar.make({
    kind: 'observation',
    epoch,
    round,
    clockMs: clockMs + liar.stage.rng.between(1, 40),
    readings,
    evidence,
  }) as Observation
}

/** Makes the second proposal of a slot and lets every liar attest to both, each to its half of the committee. */
function twinOf(liar: Liar, proposal: Extract<Unverified, { kind: 'proposal' }>): Proposal | null {
  const { gang } = liar
  const { contexts, committee } = liar.stage.cast.now
  const key = keyOf(proposal)
  const known = gang.twins.get(key)
  if (known !== undefined) return known
  const items = itemsOf(liar, proposal)
  const own = items.findIndex((item) => item.member === liar.member)
  const other = [...items]
  if (own >= 0) other[own] = retold(liar, items[own]!)
  else if (items.length > committee.thresholds.available) other.pop()
  else return null
  const twin = propose(liar, proposal, other)
  gang.twins.set(key, twin)
  const { kernel } = contexts[0]!
  const headers = [kernel.report(proposal, items), kernel.report(proposal, other)]
  const isLoud = liar.stage.rng.chance(0.3)
  for (const accomplice of gang.liars) {
    const frames = headers.map(({ epoch, round, attestedAtMs, root }) =>
      accomplice.frame(accomplice.make({ kind: 'attestation', epoch, round, attestedAtMs, root })),
    )
    for (const to of accomplice.others) {
      const side = gang.split.has(to) ? 1 : 0
      accomplice.send(to, frames[side]!)
      if (isLoud) accomplice.send(to, frames[1 - side]!, 5)
    }
  }
  return twin
}

const equivocates: Behaviour = {
  id: 'B01 two proposals',
  transmit: (liar, to, message) => {
    if (message.kind !== 'proposal') return null
    const twin = twinOf(liar, message)
    if (twin === null) return null
    liar.fired(equivocates)
    const mine = liar.frame(asMessage(message))
    const other = liar.frame(twin)
    if (message.round % 3 === 0) return [mine, other]
    return [liar.gang.split.has(to) ? other : mine]
  },
}

const omits: Behaviour = {
  id: 'B02 honest observations left out',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'proposal') return null
    const { available } = liar.stage.cast.now.committee.thresholds
    const items = itemsOf(liar, message)
    const isTooFew = message.round % 2 === 0
    const least = isTooFew ? Math.max(1, liar.gang.liars.length) : available
    const honest = items.filter((item) => liar.others.includes(item.member))
    const left = honest.slice(0, Math.max(0, items.length - least))
    if (left.length === 0) return null
    liar.fired(omits)
    return [
      liar.frame(
        propose(
          liar,
          message,
          items.filter((item) => !left.includes(item)),
        ),
      ),
    ]
  },
}

const reuses: Behaviour = {
  id: 'B03 old observations',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'proposal') return null
    const items = itemsOf(liar, message)
    const at = items.findIndex((item) => liar.others.includes(item.member))
    const old = liar.gang.observations.get(items[at]?.member ?? -1)?.[0]
    if (old === undefined || equalBytes(old.signature, items[at]!.signature)) return null
    const { clockMs, readings, evidence, signature } = old
    items[at] = { ...items[at]!, clockMs, readings, evidence, signature }
    liar.fired(reuses)
    return [liar.frame(propose(liar, message, items))]
  },
}

const duplicates: Behaviour = {
  id: 'B04 repeated or reordered observers',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'proposal') return null
    const items = itemsOf(liar, message)
    const own = items.findIndex((item) => item.member === liar.member)
    if (own < 0) return null
    const rest = items.filter((_, i) => i !== own)
    // All others replaced by copies of the own observation, but for a few; or just the wrong order.
    const copies = message.round % 2 === 0 ? items.length - Math.min(rest.length, 1) : 0
    const list = copies > 0 ? [...Array(copies).fill(items[own]!), ...rest.slice(0, 1)] : [...items].reverse()
    liar.fired(duplicates)
    return [liar.frame(propose(liar, message, list))]
  },
}

const silent: Behaviour = {
  id: 'B05 silent leader',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'begin' && message.kind !== 'proposal') return null
    liar.fired(silent)
    return []
  },
}

const slow: Behaviour = {
  id: 'B06 leader just under the timeout',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'begin') return null
    const { queue, cast } = liar.stage
    const nextMs = liar.memory.get('begin') ?? 0
    const isSameRound = liar.memory.get('round') === message.round
    if (queue.nowMs < nextMs && !isSameRound) {
      liar.fired(slow)
      return []
    }
    liar.memory.set('round', message.round)
    liar.memory.set('begin', queue.nowMs + cast.now.committee.timing.progressMs * 0.85)
    return null
  },
}

const falseReport: Behaviour = {
  id: 'B07 report that does not follow',
  transmit: (liar, to, message) => {
    if (message.kind !== 'attestation') return null
    const { epoch, round, attestedAtMs } = message
    const root = message.root.map((byte) => byte ^ 1)
    const attestation = liar.make({ kind: 'attestation', epoch, round, attestedAtMs, root })
    const { n, intersecting } = liar.stage.cast.now.committee.thresholds
    const certificate = liar.frame({
      kind: 'certificate',
      epoch,
      round,
      attestedAtMs,
      root,
      digest: attestation.digest,
      signers: Array.from({ length: n }, (_, i) => i).slice(0, intersecting),
      signatures: Array(intersecting).fill(attestation.signature),
    })
    liar.fired(falseReport)
    void to
    return [liar.frame(attestation), certificate]
  },
}

const withholds: Behaviour = {
  id: 'B08 report for few',
  transmit: (liar, to, message) => {
    if (message.kind !== 'attestation' && message.kind !== 'seal' && message.kind !== 'certificate') return null
    if (to === liar.others[0]) return null
    liar.fired(withholds)
    return []
  },
}

/** Without a quorum: seals on what was only proposed. */
const sealsEarly: Behaviour = {
  id: 'B08 seals without a quorum',
  transmit: (liar, _to, message) => {
    if (message.kind !== 'attestation') return null
    const digest = digestOfDraft(liar.stage.cast.engine, liar.stage.cast.now, message)
    liar.fired(sealsEarly)
    const { epoch, round } = message
    return [
      liar.frame(asMessage(message)),
      liar.frame(liar.make({ kind: 'seal', epoch, round, reportDigest: digest })),
      liar.frame(liar.make({ kind: 'seal', epoch, round, reportDigest: new Uint8Array(32) })),
    ]
  },
}

/** Behaviours of leaders and of those who keep reports back. */
export const leaderBehaviours: readonly Behaviour[] = [
  equivocates,
  omits,
  reuses,
  duplicates,
  silent,
  slow,
  falseReport,
  withholds,
  sealsEarly,
]
