// The highest block that enough endpoints confirm by number and hash, or where they part.

import { type Block, keyOf } from './answers.js'

/** One endpoint with the head it reports. */
export interface Voter<M> {
  readonly member: M
  readonly latest: Block
}

/** Members that say the same of one height. */
export interface Camp<M> {
  readonly block: Block
  readonly members: readonly M[]
}

/** agreed: `others` have another block at that height. split: several blocks at one height, and no quorum for any. */
export type HeadVerdict<M> =
  | {
      readonly kind: 'agreed'
      readonly block: Block
      readonly members: readonly M[]
      readonly others: readonly Camp<M>[]
    }
  | { readonly kind: 'split'; readonly camps: readonly Camp<M>[] }
  | { readonly kind: 'none' }

/**
 * Begins at the highest number that `quorum` heads reach and goes down at most `walkMax` blocks past heights that too few
 * can show; `blockAt` is null where a member has no block to show. A contradiction that no quorum decides ends the walk:
 * below it they may agree, but one of them is wrong about the chain, and it is not known which.
 */
export async function agreeOnHead<M>(
  voters: readonly Voter<M>[],
  quorum: number,
  walkMax: number,
  blockAt: (member: M, number: number) => Promise<Block | null>,
): Promise<HeadVerdict<M>> {
  const top = voters.map(({ latest }) => latest.number).sort((a, b) => b - a)[quorum - 1]
  if (top === undefined) return { kind: 'none' }
  for (let number = top; number >= 0 && number > top - walkMax; number--) {
    const able = voters.filter(({ latest }) => latest.number >= number)
    const shown = await Promise.all(
      able.map(async ({ member, latest }) => ({
        member,
        block: latest.number === number ? latest : await blockAt(member, number),
      })),
    )
    const camps = campsOf(shown)
    const winner = camps.find(({ members }) => members.length >= quorum)
    if (winner !== undefined) {
      const others = camps.filter((camp) => camp !== winner)
      return { kind: 'agreed', block: winner.block, members: winner.members, others }
    }
    if (camps.length > 1) return { kind: 'split', camps }
  }
  return { kind: 'none' }
}

function campsOf<M>(shown: readonly { readonly member: M; readonly block: Block | null }[]): readonly Camp<M>[] {
  const camps = new Map<string, { block: Block; members: M[] }>()
  for (const { member, block } of shown) {
    if (block === null) continue
    const camp = camps.get(keyOf(block)) ?? { block, members: [] }
    camp.members.push(member)
    camps.set(keyOf(block), camp)
  }
  return [...camps.values()]
}
