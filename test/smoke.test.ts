import { it } from 'vitest'
import { parseCommittee } from '../src/core/committee.js'
import { createContext } from '../src/core/context.js'
import { packReadings } from '../src/core/layout.js'
import { domainOf, observationDigest, proposalDigest, reportDigest, sealedDigest } from '../src/core/typed-data.js'
import { createWasmEngine } from '../src/crypto/engine-wasm.js'
import { hashable } from '../src/network/verify.js'
import { createRunner, type Runner } from '../src/runner.js'
import { committeeDocument, memberKey } from './committee-document.js'

it('smoke', async () => {
  const engine = await createWasmEngine()
  const committee = parseCommittee(engine, committeeDocument(engine, 4))
  let steady = 0
  const wall = 1_700_000_000_000
  const inner = domainOf(engine, committee.digest)
  const outer = domainOf(engine, committee.salt)
  const queue: (() => void)[] = []
  const runners: Runner[] = []
  const log: string[] = []
  for (let self = 0; self < 4; self++) {
    const context = createContext(engine, committee, self)
    const key = memberKey(engine, self)
    const runner: Runner = createRunner(
      { context, engine, durable: { wish: 0, floor: { epoch: 0, round: 0 }, floorMs: 0 }, authorship: () => 'mine' },
      {
        now: () => ({ wallMs: wall + steady, steadyMs: steady }),
        persist: (durable) => void queue.push(() => runners[self]!.dispatch({ kind: 'persisted', durable })),
        observe: (slot) =>
          void queue.push(() => {
            const time = wall + steady
            const readings = packReadings(
              context.kernel.layout,
              committee.feeds.map((feed) => ({
                status: 0,
                groups: 3,
                spreadPpm: 10,
                timeMs: time,
                values: feed.fields.map((f) =>
                  f.type === 'string'
                    ? 'x'
                    : f.type === 'bool'
                      ? 1n
                      : f.combine === 'identity'
                        ? 5n
                        : 1000n + BigInt(self),
                ),
              })),
            )
            runners[self]!.dispatch({ kind: 'observed', slot, readings, evidence: new Uint8Array(32) })
          }),
        sign: (draft) => {
          const digest =
            draft.kind === 'observation'
              ? observationDigest(engine, inner, { ...draft, readingsHash: engine.keccak256(draft.readings) })
              : draft.kind === 'proposal'
                ? proposalDigest(engine, inner, {
                    ...draft,
                    observationsHash: engine.keccak256(hashable(draft.observations)),
                  })
                : draft.kind === 'attestation'
                  ? reportDigest(engine, outer, draft)
                  : sealedDigest(engine, outer, draft.reportDigest)
          return { digest, signature: engine.sign(digest, key) }
        },
        transmit: (to, frame) => void queue.push(() => runners[to]!.receive(self, frame)),
        deliver: (r) =>
          log.push(`${steady} ${self} deliver ${r.epoch}/${r.round} T+${r.attestedAtMs - wall} signers ${r.signers}`),
        deliverSeals: (s) => log.push(`${steady} ${self} seals ${s.round} ${s.signers}`),
        keepEvidence: (m) => log.push(`evidence ${m}`),
        countDrop: (from, reason) => log.push(`${steady} ${self} drop ${from} ${reason}`),
        halt: (c) => log.push(`halt ${c}`),
        refused: (e) => log.push(`refused ${e.code}`),
      },
    )
    runners.push(runner)
  }
  for (let a = 0; a < 4; a++)
    for (let b = 0; b < 4; b++) if (a !== b) runners[a]!.dispatch({ kind: 'session', member: b, up: true })
  for (; steady < 8000; ) {
    let n = 0
    while (queue.length > 0 && n++ < 5000) queue.shift()!()
    const next = Math.min(...runners.map((r) => r.wakeAtMs()))
    steady = Math.max(steady + 1, Math.min(next, steady + 500))
    for (const r of runners) if (r.wakeAtMs() <= steady) r.dispatch({ kind: 'tick' })
  }
  console.log(log.slice(0, 60).join('\n'), log.length)
})
