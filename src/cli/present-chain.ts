// What happens on chains, in words: one line for each event of the delivery.

import { errorCodes } from '../base/error-codes.js'
import { formatDecimal } from '../core/value-json.js'
import type { ChainEvent } from '../deliver/chain-event.js'
import { counted, presentAge, visible } from './present.js'
import { typeable } from './shipped.js'

/** A line for people; null for what only a script wants to know. */
export type ChainPresenter = (event: ChainEvent) => string | null

type Paint = (code: number, text: string) => string
type News<K extends 'transmit' | 'request'> = Extract<ChainEvent, { event: K }>['news']

const green = 32
const yellow = 33
const red = 31
/** Feeds that are named in a line. */
const namedMax = 3
/** Strangers decide how many requests there are: at most one line of each kind in so many ms. */
const requestEveryMs = 900

/** A presenter; `steadyMs` is a clock that never jumps. */
export function createChainPresenter(paint: Paint, steadyMs: () => number = () => performance.now()): ChainPresenter {
  const requests = createRequestPresenter(paint, steadyMs)
  return (event) => {
    const { chain } = event
    switch (event.event) {
      case 'transmit': {
        const text = presentTransmit(event.news, paint)
        return text === null ? null : `${chain} ${short(event.news.target)}: ${text}`
      }
      case 'request': {
        const text = requests(event.news)
        return text === null ? null : `${chain}: ${text}`
      }
      case 'endpoint': {
        if (event.state === 'counting') return `${chain}: endpoint ${event.endpoint} ${paint(green, 'counts')}`
        const why = event.reason === '' ? '' : ` (${visible(event.reason)})`
        return `${chain}: endpoint ${event.endpoint} ${paint(yellow, 'does not count')}: ${event.state}${why}`
      }
      case 'sender': {
        const key = `${chain}: the key ${event.address}`
        if (!event.isRaised) return `${key} ${paint(green, `has no ${event.code} any more`)}`
        return `${key}: ${paint(red, event.code)}, ${event.sentence}. ${typeable(errorCodes[event.code])}`
      }
      case 'chain': {
        if (event.code === null) return `${chain}: ${paint(green, 'sending again')}`
        const advice = errorCodes[event.code as keyof typeof errorCodes]
        const what = `${chain}: ${paint(red, 'nothing is sent')}: ${event.code}, ${visible(event.why ?? '')}`
        return advice === undefined ? what : `${what}. ${typeable(advice)}`
      }
    }
  }
}

function presentTransmit(news: News<'transmit'>, paint: Paint): string | null {
  switch (news.event) {
    case 'due':
      return `${news.feed} is due (${reasons[news.reason]})`
    case 'waiting':
      // What the first sends, the others see.
      return news.place === 0 ? `this oracle's turn to bring ${named(news.feeds)}` : null
    case 'sent':
      return `sent ${named(news.feeds)} in ${news.txHash}`
    case 'confirmed': {
      const since = news.dueAtMs === null ? '' : `, ${presentAge(news.atMs - news.dueAtMs)} after it was due`
      return `${paint(green, 'confirmed')} ${named(news.feeds)} in block ${news.blockNumber}${paidText(news)}${since}`
    }
    case 'superseded': {
      const paid = paidText(news)
      const what = `another brought ${named(news.feeds)} first`
      return paid === '' ? what : `${what}: ours was in vain${paid}`
    }
    case 'undone':
      return `${paint(yellow, 'undone')}: a reorganisation took ${named(news.feeds)} back; it is under way again`
    case 'refused':
      return `${paint(yellow, 'refused')} ${named(news.feeds)}: ${visible(news.why)}${paidText(news)}`
    case 'overdue': {
      const { feed, storedMs, heartbeatMs, atMs } = news
      const since = storedMs === 0 ? 'nothing is stored yet' : `what is stored is ${presentAge(atMs - storedMs)} old`
      return `${paint(red, 'overdue')}: ${feed}; ${since}, and nobody renewed it in its ${presentAge(heartbeatMs)}`
    }
    case 'renewed':
      return `${news.feed} is ${paint(green, 'fresh again')}`
    case 'blind':
      return `${paint(red, 'cannot be read')}: ${visible(news.why)}; nothing is sent`
    case 'seeing':
      return paint(green, 'can be read again')
  }
}

const reasons: Readonly<Record<Extract<News<'transmit'>, { event: 'due' }>['reason'], string>> = {
  'first value': 'nothing is stored yet',
  status: 'its status changed',
  deviation: 'its value changed',
  heartbeat: 'its heartbeat ends',
}

const sentWords: Readonly<Record<Extract<News<'request'>, { event: 'sent' }>['act'], string>> = {
  answer: 'answer',
  refuse: 'the news that there is no value',
  expire: 'the news that its deadline is over',
}

/** Events of requests; of each kind that strangers can cause at will, one line a while with the number of those unsaid. */
function createRequestPresenter(paint: Paint, steadyMs: () => number): (news: News<'request'>) => string | null {
  const lines = new Map<string, { shownAtMs: number; unshown: number }>()
  const seldom = (kind: string, text: string): string | null => {
    const line = lines.get(kind) ?? { shownAtMs: -Infinity, unshown: 0 }
    lines.set(kind, line)
    if (steadyMs() - line.shownAtMs < requestEveryMs) {
      line.unshown++
      return null
    }
    const more = line.unshown > 0 ? `, and ${counted(line.unshown, 'other')} since the last line` : ''
    lines.set(kind, { shownAtMs: steadyMs(), unshown: 0 })
    return `${text}${more}`
  }
  return (news) => {
    const request = `request ${visible(news.id)}`
    switch (news.event) {
      case 'asked':
        return seldom('asked', `${request}: ${news.requester} asks for ${visible(news.feed)}`)
      case 'declined':
        return seldom('declined', `${request} of ${news.requester} ${paint(yellow, 'declined')}: ${news.why}`)
      case 'round':
      case 'waiting':
        return null
      case 'sent':
        return seldom('sent', `${request}: ${sentWords[news.act]} sent in ${news.txHash}`)
      case 'ended': {
        const by = news.by === 'us' ? 'by this oracle' : 'by another'
        const text = news.end === 'gone' ? `${request} is gone` : `${request} ${news.end} ${by}`
        return seldom('ended', `${text}${paidText(news)}`)
      }
      case 'failed':
        return seldom('failed', `${request}: ${paint(yellow, 'in vain')}, ${visible(news.why)}${paidText(news)}`)
      case 'expired':
        return seldom('expired', `${request} ${paint(red, 'expired')}: ${visible(news.why)}`)
      case 'forgotten':
        return `${paint(yellow, 'what was remembered of requests is lost')}: all of them are looked for anew`
    }
  }
}

/** ", 95,000 gas, 0.00021 ETH"; nothing where nothing was paid. */
function paidText({ gasUsed, feeWei }: { readonly gasUsed: bigint; readonly feeWei: bigint }): string {
  return gasUsed === 0n && feeWei === 0n ? '' : `, ${gasUsed.toLocaleString('en-US')} gas, ${presentWei(feeWei)}`
}

/** An amount in ETH, or in gwei below a ten-thousandth of one: whole units in full, at most four digits with a fraction. */
export function presentWei(wei: bigint): string {
  const size = wei < 0n ? -wei : wei
  const [decimals, unit] = size >= 10n ** 14n ? [18, 'ETH'] : [9, 'gwei']
  const surplus = BigInt(Math.max(0, Math.min(size.toString().length - 4, decimals)))
  const rounded = (wei / 10n ** surplus) * 10n ** surplus
  return `${formatDecimal(rounded, decimals).replace(/\.?0+$/, '')} ${unit}`
}

/** `btc-usd, eth-usd, gold and 97 others`. */
function named(feeds: readonly string[]): string {
  if (feeds.length <= namedMax) return feeds.join(', ')
  return `${feeds.slice(0, namedMax).join(', ')} and ${counted(feeds.length - namedMax, 'other')}`
}

/** The store of a target, by the ends of its address. */
function short(target: string): string {
  return target.replace(/^.*\/(0x.{4}).*(.{4})$/, '$1…$2')
}
