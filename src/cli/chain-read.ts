// `assay chain read`: one feed as a contract would read it now, by what a quorum of endpoints says at one block.

import { OracleError } from '../base/errors.js'
import { readFacade, readStore } from '../chain/feed-view.js'
import { readLineage } from '../chain/lineage.js'
import { isoTime } from '../core/iso-time.js'
import { statuses } from '../core/status.js'
import { formatDecimal } from '../core/value-json.js'
import { type ChainOptions, nowMsAt, withChain } from './chain-context.js'
import { requireDeployment } from './chain-deployment.js'
import { valueText, whyNot } from './chain-status.js'
import { paired, type Talk } from './chain-talk.js'
import { presentAge } from './present.js'

export interface ReadOptions extends ChainOptions {
  readonly deployment: string
  /** Address of a facade to read through. */
  readonly facade?: string
  /** Seconds. */
  readonly maxAge?: number
  readonly any?: boolean
}

/** Prints the feed; 0 when a contract may use it, or with `any`; else 1. */
export async function chainRead(name: string, options: ReadOptions, talk: Talk): Promise<number> {
  return withChain(options, talk, async ({ quorum, head, profile }) => {
    const deployment = requireDeployment(options.deployment, profile.chainId)
    const feed = deployment.feeds.find((one) => one.name === name)
    if (feed === undefined) {
      const names = deployment.feeds.map((one) => one.name).join(', ')
      throw new OracleError('DEPLOYMENT_UNFIT', `no store of ${options.deployment} keeps ${name}, but ${names}`, {
        path: name,
      })
    }
    const facade = options.facade === undefined ? null : await readFacade(quorum, head, options.facade)
    if (facade !== null && facade.feedId !== feed.feedId)
      throw new OracleError('CONTRACT_UNFIT', `facade ${options.facade} shows another feed, ${facade.description}`, {
        path: '--facade',
      })
    const store = facade?.store ?? feed.store
    const reading = await readStore(quorum, head, store, feed.feedId)
    const nowMs = nowMsAt(head)
    if ((await readLineage(quorum, head, deployment.deployed.registry)).paused)
      talk.warn('the lineage is paused: nothing newer comes, and what is stored can be read until it is too old')
    const refusal = facade === null || facade.answer !== null ? null : `the facade refuses with ${facade.why}`
    const maxAgeMs = options.maxAge === undefined ? undefined : options.maxAge * 1000
    const reason = whyNot(reading, nowMs, maxAgeMs) ?? refusal
    const answer =
      facade === null || facade.answer === null ? null : formatDecimal(facade.answer.answer, facade.decimals)
    const value = reading === null ? null : valueText(feed, reading.value)
    talk.result(
      {
        ok: reason === null,
        reason,
        feed: name,
        chain: profile.name,
        block: head.number,
        store,
        facade: options.facade ?? null,
        value: reading === null || feed.kind === 1 ? value : formatDecimal(reading.value, feed.decimals),
        units: reading?.value ?? null,
        decimals: feed.decimals,
        unit: feed.unit,
        answer,
        attestedAtMs: reading?.attestedAtMs ?? null,
        observedAtMs: reading?.observedAtMs ?? null,
        validUntilMs: reading?.validUntilMs ?? null,
        groups: reading?.groups ?? null,
        spreadPpm: reading?.spreadPpm ?? null,
        status: reading === null ? null : (statuses[reading.status] ?? reading.status),
        ageMs: reading === null ? null : Math.max(0, nowMs - reading.observedAtMs),
      },
      [
        `${talk.bold(`${name}  ${value ?? 'no value'}`)}  ${reason === null ? talk.good('usable') : talk.bad(`NOT USABLE: ${reason}`)}`,
        ...(reading === null
          ? []
          : [
              paired([
                ['observed', `${isoTime(reading.observedAtMs)}, ${presentAge(nowMs - reading.observedAtMs)} ago`],
                ['attested', isoTime(reading.attestedAtMs)],
                ['valid until', isoTime(reading.validUntilMs)],
                ['status', `${statuses[reading.status] ?? reading.status}, ${reading.groups} groups of sources`],
                ['store', store],
                ...(options.facade === undefined
                  ? []
                  : [['facade', `${options.facade}${answer === null ? '' : ` answers ${answer}`}`] as const]),
                ['block', `${head.number} of ${profile.name} (${profile.chainId})`],
              ]),
            ]),
      ].join('\n'),
    )
    return reason === null || options.any === true ? 0 : 1
  })
}
