// The head that a quorum confirms, and the judgement of every endpoint by it.

import { OracleError } from '../base/errors.js'
import { agreeOnHead, type Camp, type HeadVerdict } from './agree-on-head.js'
import { type Block, toBlock, toInteger } from './answers.js'
import { EndpointError } from './endpoint-error.js'
import { blockOf, countingOf, fail, type Member, namesOf, noQuorum, type Panel, standingOf } from './quorum-member.js'

/** An endpoint whose head misses so many blocks that others have is stuck. */
const missedMax = 3
const walkMax = 16
const historyMax = 512

/** A way to find the head anew: CHAIN_NO_QUORUM when too few agree, CHAIN_SPLIT when they contradict each other. */
export function createHeadWatch(panel: Panel): () => Promise<Block> {
  const { members, quorum, profile, clock, liarMs, forkMs } = panel
  const lagMs = 2 * profile.blockMs
  /** Hashes of agreed blocks by number: what tells a reorganisation from a fall behind. */
  const history = new Map<number, string>()
  const looking = new Map<Member, Promise<boolean>>()
  let last: Block | null = null

  /** Asks one endpoint for its head, once at a time; false when it has none to show. */
  function look(member: Member): Promise<boolean> {
    const under = looking.get(member)
    if (under !== undefined) return under
    const work = lookAt(member).finally(() => looking.delete(member))
    looking.set(member, work)
    return work
  }

  /** For its head, and before it counts for its chain. */
  async function lookAt(member: Member): Promise<boolean> {
    const { endpoint, health } = member
    try {
      if (!member.isOfThisChain) {
        const chainId = await endpoint.ask('eth_chainId', [], toInteger)
        if (chainId !== profile.chainId) {
          health.out('foreign', `its chain id is ${chainId}, not ${profile.chainId}`, clock(), 0)
          return false
        }
        member.isOfThisChain = true
      }
      const latest = await endpoint.ask('eth_getBlockByNumber', ['latest', false], toHead)
      health.answered()
      if (latest.number !== member.latest?.number || latest.hash !== member.latest.hash)
        member.movedAtMs = clock().steadyMs
      member.latest = latest
      return true
    } catch (error) {
      if (!(error instanceof EndpointError)) throw error
      fail(panel, member, error)
      return false
    }
  }

  /** Puts out those of `seen` whose head stands still while most others go on, or for too long; returns the rest. */
  function dropFrozen(seen: readonly Member[]): readonly Member[] {
    const now = clock()
    const frozen = seen.filter((member) => {
      const stillMs = now.steadyMs - member.movedAtMs
      if (profile.frozenMs !== null && stillMs >= profile.frozenMs) return true
      if (stillMs < missedMax * profile.blockMs) return false
      const others = countingOf(panel).filter((other) => other !== member)
      const ahead = others.filter(({ latest }) => latest!.number >= member.latest!.number + missedMax)
      // More than half, so that one that boasts of blocks cannot put out those that wait for the next one.
      return ahead.length * 2 > others.length
    })
    for (const { health, latest, movedAtMs } of frozen) {
      const seconds = Math.round((now.steadyMs - movedAtMs) / 1000)
      health.out('frozen', `its head ${latest!.number} has not moved for ${seconds} s`, now, lagMs)
    }
    return seen.filter((member) => !frozen.includes(member))
  }

  /** Those of `asked` that show a head now. */
  async function seeing(asked: readonly Member[]): Promise<readonly Member[]> {
    const shown = await Promise.all(asked.map(look))
    return dropFrozen(asked.filter((_, i) => shown[i] === true))
  }

  function agree(seen: readonly Member[]): Promise<HeadVerdict<Member>> {
    const heads = seen.map((member) => ({ member, latest: member.latest! }))
    return agreeOnHead(heads, quorum, walkMax, (member, number) => blockOf(panel, member, number))
  }

  /** Judges everybody by the agreed block, and takes it for the head unless it only is behind the last one. */
  function settle(
    { block, members: same, others }: Extract<HeadVerdict<Member>, { kind: 'agreed' }>,
    seen: readonly Member[],
  ): Block {
    for (const camp of others) accuse(camp, block, namesOf(same))
    const isReplaced = history.has(block.number) && history.get(block.number) !== block.hash
    const known = isReplaced ? block.number : Math.max(block.number, last?.number ?? 0)
    for (const member of same) {
      const peers = same.filter((other) => other !== member)
      rank(member, known, peers.length >= quorum ? block.number : null)
    }
    // Those below it confirm nothing at that height; what they have is judged by what was agreed on before.
    for (const member of seen) {
      const { number, hash } = member.latest!
      const isFar = number < known - profile.lagBlocks
      if (number < block.number && (isFar || history.get(number) === hash)) rank(member, known, null)
    }
    if (same.filter(({ health }) => health.counts).length < quorum) throw noQuorum(panel, 'a head', standingOf(panel))
    // A chain does not lose blocks that a quorum had, unless others take their place: these endpoints are behind.
    if (last !== null && block.number < last.number && !isReplaced) return last
    remember(block)
    return block
  }

  /** Judges one that confirmed the agreed block by how far its own head is from it; `top` where a quorum stands beside it. */
  function rank({ health, latest }: Member, known: number, top: number | null): void {
    const { number } = latest!
    if (number < known - profile.lagBlocks)
      health.out('lagging', `its head ${number} is behind ${known}`, clock(), lagMs)
    else if (top !== null && number > top + profile.lagBlocks)
      health.out('lying', `it claims head ${number}, the others have ${top}`, clock(), forkMs)
    else health.agreed(clock())
  }

  function remember(block: Block): void {
    const parent = history.get(block.number - 1)
    const isNew = history.get(block.number) !== block.hash
    if (isNew && (history.has(block.number) || (parent !== undefined && parent !== block.parentHash))) history.clear()
    history.set(block.number - 1, block.parentHash)
    history.set(block.number, block.hash)
    for (const number of history.keys()) if (history.size > historyMax) history.delete(number)
    last = block
  }

  /** Names those who have another block than a quorum: for a while when it may be a fork, for long when it cannot. */
  function accuse({ block, members: who }: Camp<Member>, agreed: Block, others: string): void {
    const isFork = block.hash !== agreed.hash
    const what = isFork ? `hash ${block.hash}, ${others} say ${agreed.hash}` : `other fields than ${others} say`
    for (const { health } of who)
      health.out('lying', `its block ${block.number} has ${what}`, clock(), isFork ? forkMs : liarMs)
  }

  /** Judges an endpoint that is out by the head of the others. */
  async function compare(member: Member): Promise<void> {
    const head = last
    const { latest, health } = member
    if (head === null || latest === null || health.state === 'foreign') return
    const shown = latest.number > head.number ? await blockOf(panel, member, head.number) : latest
    if (shown === null) return
    const agreed = history.get(shown.number)
    if (agreed === undefined || agreed === shown.hash) {
      // Without a hash to hold against it, only how far behind it is can be judged.
      if (agreed !== undefined || latest.number < head.number - profile.lagBlocks)
        rank(member, head.number, head.number)
      return
    }
    const reason = `its block ${shown.number} has hash ${shown.hash}, others say ${agreed}`
    health.out('lying', reason, clock(), forkMs)
  }

  return async () => {
    const now = clock()
    const able = countingOf(panel)
    const rest = members.filter(({ health }) => !health.counts && health.isDue(now))
    // Those that are out are asked beside the others, so that one that hangs holds nobody up.
    const looks = rest.map(look)
    let seen = await seeing(able)
    let verdict: HeadVerdict<Member> = await agree(seen)
    if (verdict.kind === 'agreed') {
      rest.forEach((member, i) => {
        void looks[i]!.then((isShown) => (isShown && dropFrozen([member]).length > 0 ? compare(member) : undefined))
      })
    } else {
      // Too few, or divided: those that are out help to tell who is wrong, and so come back; they do not make the quorum.
      seen = [...seen, ...(await seeing(rest))]
      verdict = await agree(seen)
    }
    if (verdict.kind === 'agreed') return settle(verdict, seen)
    if (verdict.kind === 'none') throw noQuorum(panel, 'a head', standingOf(panel))
    const said = verdict.camps.map(({ block, members: who }) => `${namesOf(who)}: ${block.hash}`).join('; ')
    const { number } = verdict.camps[0]!.block
    const message = `${profile.name} is halted: endpoints contradict each other on block ${number} (${said})`
    throw new OracleError('CHAIN_SPLIT', message, { facts: { chain: profile.name, block: number, said } })
  }
}

function toHead(value: unknown): Block {
  const block = toBlock(value)
  if (block === null) throw new Error('there is no latest block')
  return block
}
