import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agreeOnHead } from '../../src/chain/agree-on-head.js'
import type { Block } from '../../src/chain/answers.js'

/** Blocks of one chain up to `head`; from `forkAt` on those of branch `branch`. Height 12 is the highest. */
interface View {
  readonly head: number
  readonly forkAt: number
  readonly branch: number
  /** Heights that it does not show although they are below its head. */
  readonly holes: readonly number[]
}

const hashAt = ({ forkAt, branch }: View, number: number): string =>
  `${number}/${number >= forkAt ? `${forkAt}.${branch}` : 'main'}`
const blockAt = (view: View, number: number): Block => ({
  ...{ number, hash: hashAt(view, number), parentHash: hashAt(view, number - 1), timestampMs: number, baseFee: null },
})
const shows = (view: View, number: number): boolean =>
  number === view.head || (number < view.head && !view.holes.includes(number))

const view: fc.Arbitrary<View> = fc.record({
  head: fc.integer({ min: 0, max: 12 }),
  forkAt: fc.constantFrom(2, 6, 99),
  branch: fc.integer({ min: 0, max: 1 }),
  holes: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 3 }),
})

const ask = (views: readonly View[], quorum: number, walkMax = 20) =>
  agreeOnHead(
    views.map((member) => ({ member, latest: blockAt(member, member.head) })),
    quorum,
    walkMax,
    async (member, number) => (shows(member, number) ? blockAt(member, number) : null),
  )

describe('the agreed head, over any views of 1 to 7 endpoints', () => {
  it('is the highest block that a majority shows, and a contradiction above it stops the walk', () =>
    fc.assert(
      fc.asyncProperty(fc.array(view, { minLength: 1, maxLength: 7 }), async (views) => {
        const quorum = Math.floor(views.length / 2) + 1
        const verdict = await ask(views, quorum)
        for (let number = 12; number >= 0; number--) {
          const hashes = views.filter((one) => shows(one, number)).map((one) => hashAt(one, number))
          const count = (hash: string): number => hashes.filter((other) => other === hash).length
          const winner = hashes.find((hash) => count(hash) >= quorum)
          const isReached = views.filter(({ head }) => head >= number).length >= quorum
          if (winner !== undefined) {
            if (verdict.kind !== 'agreed') throw new Error(`${verdict.kind}, not agreed on ${winner}`)
            expect([verdict.block.hash, verdict.members.length]).toEqual([winner, count(winner)])
            expect(verdict.others.flatMap(({ members }) => members).length).toBe(hashes.length - count(winner))
            return
          }
          if (isReached && new Set(hashes).size > 1) {
            expect(verdict.kind).toBe('split')
            return
          }
        }
        expect(verdict.kind).toBe('none')
      }),
      { numRuns: 2_000 },
    ))

  it('is looked for only so far down', async () => {
    const hole = Array.from({ length: 8 }, (_, i) => 4 + i)
    const views = [12, 13].map((head) => ({ head, forkAt: 99, branch: 0, holes: [...hole, 12] }))
    expect((await ask(views, 2, 9)).kind).toBe('none')
    expect(await ask(views, 2, 10)).toMatchObject({ kind: 'agreed', block: { number: 3 } })
  })

  it('needs a quorum of heads', async () => {
    expect((await ask([], 1)).kind).toBe('none')
    expect((await ask([{ head: 5, forkAt: 99, branch: 0, holes: [] }], 2)).kind).toBe('none')
  })
})
