// The pure work of a round, in one process: pack, hash, P8, root; beside bare hashing of the same bytes.

import { committeeTemplate } from '../src/cli/template.js'
import { parseCommittee } from '../src/core/committee.js'
import { createContext } from '../src/core/context.js'
import type { Observation } from '../src/core/messages.js'
import { createWasmEngine } from '../src/crypto/engine-wasm.js'
import { createBoard } from '../src/observe/board.js'
import { noEvidence, writeSynthetic } from '../src/observe/synthetic.js'
import { figure, median } from './figure.js'

/** Medians over `rounds` rounds of 10,000 feeds and four observations that differ in every value. */
export async function benchKernel(rounds = 40): Promise<void> {
  const engine = await createWasmEngine()
  const members = Array.from({ length: 4 }, (_, i) => ({
    name: `oracle-${i + 1}`,
    address: `0x${(i + 1).toString(16).padStart(40, '1')}`,
    peerKey: `0x${(i + 1).toString(16).padStart(64, '1')}`,
    endpoint: `127.0.0.1:${7001 + i}`,
  }))
  const committee = parseCommittee(engine, committeeTemplate(engine, { lineage: noEvidence, members, feeds: 10_000 }))
  const context = createContext(engine, committee, 0)
  const { layout } = context.kernel
  const boards = members.map(() => createBoard(committee, layout, () => undefined))
  const times = { update: [], snapshot: [], hash: [], report: [], root: [], bare: [] } as Record<string, number[]>
  const timed = <T>(name: string, action: () => T): T => {
    const began = performance.now()
    const result = action()
    times[name]!.push(performance.now() - began)
    return result
  }
  for (let round = 1; round <= rounds; round++) {
    boards.forEach((board, self) => {
      timed('update', () => writeSynthetic(board, committee, self, 1, round, 1_700_000_000_000 + round))
    })
    const observations = boards.map((board, member): Observation => {
      const readings = timed('snapshot', () => board.observe())
      const digest = timed('hash', () => engine.keccak256(readings))
      const clockMs = 1_700_000_000_000 + round
      return {
        kind: 'observation',
        epoch: 0,
        round,
        member,
        clockMs,
        evidence: noEvidence,
        readings,
        digest,
        signature: digest,
      }
    })
    const report = timed('report', () => context.kernel.report({ epoch: 0, round }, observations))
    timed('root', () => context.kernel.root(report.values))
    timed('bare', () => {
      for (let bundle = 0; bundle < committee.bundles.length; bundle++) engine.keccak256(engine.keccak256(leafBytes))
      for (let node = 1; node < committee.bundles.length; node++) engine.keccak256(pairBytes)
    })
  }
  for (const [name, samples] of Object.entries(times))
    figure(`kernel-${name}`, median(samples), 'ms', { feeds: 10_000 })
  figure('kernel-root-over-bare-hashing', median(times['root']!) / median(times['bare']!), 'ratio')
}

const leafBytes = new Uint8Array(32 + 16 * 96)
const pairBytes = new Uint8Array(64)
