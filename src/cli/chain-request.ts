// `assay chain request`: asks for one feed through a contract, as a contract would, and waits for the answer.

import { setTimeout as wait } from 'node:timers/promises'
import { readClock } from '../base/clock.js'
import { OracleError } from '../base/errors.js'
import { meaningOf } from '../chain/deploy.js'
import { requesterData } from '../chain/init-code.js'
import {
  type Asked,
  askedIn,
  type Ended,
  endOf,
  findAsked,
  hubOf,
  openOf,
  requesterFace,
} from '../chain/request-view.js'
import { madeAt, type OnceNews, sendOnce } from '../chain/send-once.js'
import type { Feed } from '../core/committee.js'
import { isoTime } from '../core/iso-time.js'
import { statuses } from '../core/status.js'
import { formatDecimal } from '../core/value-json.js'
import {
  type ChainOptions,
  committeeAt,
  type KeyOptions,
  meanwhile,
  nowMsAt,
  type OpenedChain,
  openSender,
  withChain,
} from './chain-context.js'
import { requireDeployment } from './chain-deployment.js'
import { paired, type Talk } from './chain-talk.js'
import { presentAge } from './present.js'

export interface RequestOptions extends ChainOptions, KeyOptions {
  readonly deployment: string
  readonly committee: string
  /** An example requester that stands; another is deployed unless given. */
  readonly requester?: string
  /** A request that was made: only its end is waited for. */
  readonly id?: string
}

/** EXPIRED of the hub: nobody answered in time. */
const expired = 256
/** The hub takes only reports attested so much later than the request, s. */
const laterS = 30
const tellEveryMs = 10_000

/** Asks, unless it was asked already, and waits; 0 with a value, 1 with a refusal or none in time. */
export function request(name: string, options: RequestOptions, talk: Talk): Promise<number> {
  return withChain(options, talk, async (chain) => {
    const { deployed } = requireDeployment(options.deployment, chain.profile.chainId)
    const { hub, fromBlock } = deployed
    if (hub === null)
      throw new OracleError('DEPLOYMENT_UNFIT', 'this deployment has no hub for requests', { path: '/hub' })
    const { committee } = await committeeAt(options.committee)
    const feed = committee.feeds.find((one) => one.name === name)
    if (feed === undefined)
      throw new OracleError('CLIENT_FEED_UNKNOWN', `the committee has no feed ${name}`, { path: name })
    const asking: Asking = { chain, hub, fromBlock, feed, options, talk }
    const asked = options.id === undefined ? await askOnce(asking) : await madeBefore(asking, options.id)
    if (asked.feedId !== feed.feedId) throw unfit(`request ${asked.id} is for another feed than ${name}`)
    if (options.requester !== undefined && asked.requester !== options.requester)
      throw unfit(`request ${asked.id} is of another requester, ${asked.requester}`)
    talk.say(`Asked in block ${asked.block}, id ${asked.id}; answers are reports attested more than ${laterS} s later`)
    const ended = await waitForEnd(asking, asked)
    return tell(talk, { feed, requester: asked.requester, asked, ended, chain: chain.profile.name })
  })
}

interface Asking {
  readonly chain: OpenedChain
  readonly hub: string
  /** Nothing of the hub is in earlier blocks. */
  readonly fromBlock: number
  readonly feed: Feed
  readonly options: RequestOptions
  readonly talk: Talk
}

/** The request that a requester asks now, or the open one that it asked in an earlier run. */
async function askOnce(asking: Asking): Promise<Asked> {
  const { chain, hub, feed, options, talk } = asking
  const { quorum } = chain
  const requester = options.requester ?? (await makeRequester(asking))
  for (let isAgain = false; ; isAgain = true) {
    const head = await quorum.head()
    const other = await hubOf(quorum, head, requester)
    if (other !== hub) throw unfit(`requester ${requester} asks another hub, ${other}`)
    const open = await openOf(quorum, head, hub, requester)
    if (open !== null) {
      talk.say(`${requester} has asked and waits for the answer: nothing more is sent`)
      return madeBefore(asking, open)
    }
    const sender = await openSender(quorum, options, talk)
    talk.say(`Asking for ${feed.name} through ${requester} …`)
    const again = `Run the command again with --requester ${requester}: where it has asked by then, its answer is waited for and nothing is sent`
    try {
      const wanted = { to: requester, data: requesterFace.encodeFunctionData('ask') }
      const asked = askedIn(await sendOnce(sender, wanted).catch(meanwhile(again, { requester })), hub)
      if (asked === null) throw unfit(`requester ${requester} asked for nothing`)
      return asked
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
      if (error.facts['reason'] === 'Settled()') throw await settled(asking, requester, error)
      // An earlier run may have asked with that nonce.
      if (error.code !== 'NONCE_TAKEN' || isAgain) throw error
      talk.say(`  ${error.message}; looking at the requester again`)
    }
  }
}

/** A request of the hub by its id, open or ended. */
async function madeBefore({ chain, hub, fromBlock }: Asking, id: string): Promise<Asked> {
  const { quorum } = chain
  const asked = await findAsked(quorum, await quorum.head(), hub, { id }, fromBlock)
  if (asked === null) throw unfit(`hub ${hub} has no request ${id}, or it was made long ago`, '--id')
  return asked
}

/** The refusal of a requester that has its answer, with the id of the request that got it. */
async function settled({ chain, hub, fromBlock }: Asking, requester: string, cause: OracleError): Promise<OracleError> {
  const { quorum } = chain
  const asked = await findAsked(quorum, await quorum.head(), hub, { requester }, fromBlock)
  if (asked === null) return cause
  const message = `${cause.message}: requester ${requester} has had its answer. --id ${asked.id} shows it`
  return new OracleError(cause.code, message, { facts: { ...cause.facts, requester, id: asked.id }, cause })
}

async function makeRequester({ chain, hub, feed, options, talk }: Asking): Promise<string> {
  const sender = await openSender(chain.quorum, options, talk)
  talk.say('Deploying the example requester …')
  const meaning = new TextDecoder().decode(meaningOf(feed))
  const wanted = { to: null, data: requesterData(hub, sender.address, meaning) }
  let toBe: string | null = null
  // Said before it is in a block: whoever ends this here can go on with it, and pays for no other.
  const onNews = (news: OnceNews): void => {
    sender.onNews(news)
    if (news.kind !== 'sent' || toBe !== null) return
    toBe = madeAt(sender.address, news.nonce)
    talk.say(`  it will be requester ${toBe}: --requester ${toBe} goes on from there`)
  }
  const again = (): string =>
    `Once it is in the chain, run the command again with --requester ${toBe}; without that another requester is deployed`
  const { contractAddress } = await sendOnce({ ...sender, onNews }, wanted).catch((error: unknown) =>
    meanwhile(again(), { requester: toBe })(error),
  )
  return contractAddress!
}

/** The end of the request; null when its deadline is over and nothing happened. Endpoints that fail are waited for. */
async function waitForEnd({ chain, hub, talk }: Asking, asked: Asked): Promise<Ended | null> {
  const { quorum, profile } = chain
  const clock = readClock
  let from = asked.block
  let toldMs = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      const head = await quorum.head()
      const ended = await endOf(quorum, head, hub, asked, from)
      if (ended !== null) return ended
      // What is deeper stays as it was seen.
      from = Math.max(asked.block, head.number - profile.finalityBlocks)
      const leftMs = asked.deadlineS * 1000 - nowMsAt(head)
      if (leftMs < 0) return null
      if (clock().steadyMs - toldMs >= tellEveryMs) {
        toldMs = clock().steadyMs
        talk.say(`  block ${head.number}: no answer yet, ${presentAge(leftMs)} left`)
      }
    } catch (error) {
      if (!(error instanceof OracleError) || error.code === 'CONTRACT_UNFIT') throw error
      talk.say(`  waiting: ${error.message}`)
    }
    await wait(Math.min(2_000, Math.max(100, profile.blockMs / 2)))
  }
}

interface Told {
  readonly feed: Feed
  readonly requester: string
  readonly asked: Asked
  readonly ended: Ended | null
  readonly chain: string
}

function tell(talk: Talk, { feed, requester, asked, ended, chain }: Told): number {
  const { name, decimals, unit } = feed
  const isAnswered = ended?.end === 'answered'
  const units = isAnswered ? ended.value : null
  const value = units === null ? null : formatDecimal(units, decimals)
  const why = reasonOf(ended)
  const facts = {
    ok: isAnswered && ended.isTaken,
    ...{ feed: name, chain, requester, id: asked.id, askedInBlock: asked.block },
    ...{ value, unit, end: ended?.end ?? 'expired', reason: why },
    ...(ended === null ? {} : { ...ended, value }),
  }
  const lines = [
    why === null ? talk.bold(`${name}  ${value ?? 'answered'} ${unit}`) : talk.bad(`${name}: ${why}`),
    paired([
      ['request', asked.id],
      ['requester', requester],
      ...(ended === null ? [] : [['ended in', `block ${ended.block}, ${ended.hash}`] as const]),
      ...(isAnswered ? [['attested', isoTime(ended.attestedAtMs)] as const] : []),
    ]),
  ]
  talk.result(facts, lines.join('\n'))
  return facts.ok ? 0 : 1
}

/** Why there is no value; null where there is one. */
function reasonOf(ended: Ended | null): string | null {
  if (ended === null) return 'nobody answered in time; anybody may call expire() of the hub now'
  if (ended.end === 'cancelled') return 'the requester took it back'
  if (ended.end === 'answered') return ended.isTaken ? null : 'it was answered, but the requester’s callback failed'
  if (ended.status === expired) return 'nobody answered in time'
  return `refused: the committee says ${statuses[ended.status] ?? ended.status}`
}

function unfit(message: string, path = '--requester'): OracleError {
  return new OracleError('CONTRACT_UNFIT', message, { path })
}
