// `assay chain request`: asks for one feed through a contract, as a contract would, and waits for the answer.

import { OracleError } from '../base/errors.js'
import { meaningOf } from '../chain/deploy.js'
import { requesterData } from '../chain/init-code.js'
import { type Asked, askedIn, type Ended, endOf, hubOf, requesterFace } from '../chain/request-view.js'
import { type OnceSender, sendOnce } from '../chain/send-once.js'
import type { Feed } from '../core/committee.js'
import { isoTime } from '../core/iso-time.js'
import { statuses } from '../core/status.js'
import { formatDecimal } from '../core/value-json.js'
import { type ChainOptions, committeeAt, type KeyOptions, nowMsAt, openSender, withChain } from './chain-context.js'
import { requireDeployment } from './chain-deployment.js'
import { paired, type Talk } from './chain-talk.js'
import { presentAge } from './present.js'

export interface RequestOptions extends ChainOptions, KeyOptions {
  readonly deployment: string
  readonly committee: string
  /** An example requester that stands; another is deployed unless given. */
  readonly requester?: string
}

/** EXPIRED of the hub: nobody answered in time. */
const expired = 256
/** The hub takes only reports attested so much later than the request, s. */
const laterS = 30
const tellEveryMs = 10_000

/** Asks and waits; 0 with a value, 1 with a refusal or none in time. */
export function request(name: string, options: RequestOptions, talk: Talk): Promise<number> {
  return withChain(options, talk, async ({ quorum, head, profile }) => {
    const { deployed } = requireDeployment(options.deployment, profile.chainId)
    const { hub } = deployed
    if (hub === null)
      throw new OracleError('DEPLOYMENT_UNFIT', 'this deployment has no hub for requests', { path: '/hub' })
    const { committee } = await committeeAt(options.committee)
    const feed = committee.feeds.find((one) => one.name === name)
    if (feed === undefined)
      throw new OracleError('CLIENT_FEED_UNKNOWN', `the committee has no feed ${name}`, { path: name })
    const sender = await openSender(quorum, options, talk)
    const requester = options.requester?.toLowerCase() ?? (await makeRequester(sender, hub, feed, talk))
    const other = await hubOf(quorum, options.requester === undefined ? await quorum.head() : head, requester)
    if (other !== hub)
      throw new OracleError('CONTRACT_UNFIT', `requester ${requester} asks another hub, ${other}`, {
        path: '--requester',
      })
    talk.say(`Asking for ${name} through ${requester} …`)
    const receipt = await sendOnce(sender, { to: requester, data: requesterFace.encodeFunctionData('ask') })
    const asked = askedIn(receipt, hub)
    if (asked === null || asked.feedId !== feed.feedId)
      throw new OracleError('CONTRACT_UNFIT', `requester ${requester} asked for another feed`, { path: '--requester' })
    talk.say(`Asked in block ${asked.block}, id ${asked.id}; answers are reports attested more than ${laterS} s later`)
    const ended = await waitForEnd(sender, hub, asked, talk)
    return tell(talk, { feed, requester, asked, ended, chain: profile.name })
  })
}

async function makeRequester(sender: OnceSender, hub: string, feed: Feed, talk: Talk): Promise<string> {
  talk.say('Deploying the example requester …')
  const meaning = new TextDecoder().decode(meaningOf(feed))
  const { contractAddress } = await sendOnce(sender, { to: null, data: requesterData(hub, sender.address, meaning) })
  return contractAddress!
}

/** The end of the request; null when its deadline is over and nothing happened. Endpoints that fail are waited for. */
async function waitForEnd(
  { quorum, wait, clock }: OnceSender,
  hub: string,
  asked: Asked,
  talk: Talk,
): Promise<Ended | null> {
  let toldMs = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      const head = await quorum.head()
      const ended = await endOf(quorum, head, hub, asked)
      if (ended !== null) return ended
      const leftMs = asked.deadlineS * 1000 - nowMsAt(head)
      if (leftMs < 0) return null
      if (clock().steadyMs - toldMs >= tellEveryMs) {
        toldMs = clock().steadyMs
        talk.say(`  block ${head.number}: no answer yet, ${presentAge(leftMs)} left`)
      }
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
      talk.say(`  waiting: ${error.message}`)
    }
    await wait(Math.min(2_000, Math.max(100, quorum.profile.blockMs / 2)))
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
