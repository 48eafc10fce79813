// A chain beside the demo's oracles: contracts that they push to, a pull and a request, and what all of it came to.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient } from '../client/create-client.js'
import { type Committee, type Feed, parseCommittee } from '../core/committee.js'
import { kindOf } from '../core/leaf.js'
import { statuses } from '../core/status.js'
import { formatDecimal } from '../core/value-json.js'
import type { SigningEngine } from '../crypto/engine-wasm.js'
import type { FeedDeclaration } from '../feed/declaration.js'
import type { OracleEvent } from '../oracle-event.js'
import type { Anvil } from './anvil.js'
import { createBlocks } from './demo-blocks.js'
import type { ChainFeedView, ChainNews, ChainView, PullView } from './demo-chain-view.js'
import { deployContracts, timeOf } from './demo-contracts.js'
import { createLedger } from './demo-ledger.js'
import { configureChain, makePayers, type Payers } from './demo-payers.js'

export interface DemoChainParts {
  readonly anvil: Anvil
  readonly engine: SigningEngine
  /** The folder of committee.json and the oracles' folders. */
  readonly folder: string
  readonly names: readonly string[]
  readonly declarations: readonly FeedDeclaration[]
  /** Where the chain's time begins: before the oracles' own, so that what they are asked is old enough to be answered. */
  readonly genesisS: number
  /** Time between two steps of a replay; null with live sources. */
  readonly stepMs: number | null
  readonly onNews: (news: ChainNews) => void
  readonly onNote: (sentence: string) => void
}

export interface DemoChain {
  /** Mines on the oracles' clock from now on, and shows what there is to show; `api` is that of an oracle that lives. */
  begin(nowMs: () => number, api: () => string | null): void
  onEvent(oracle: string, event: OracleEvent): void
  /** Another report is there to be read. */
  onReport(): void
  /**
   * Resolves when everything was shown once: pushes, facades, the pull, the request. What has one origin the hub does not
   * refuse at once, but when half of the time is over; that is not waited for.
   */
  readonly shown: Promise<void>
  view(): ChainView
  /** Waits for what is still on its way, at most `patienceMs`, and reads the feeds once more. */
  finish(patienceMs: number): Promise<ChainView>
  /** Ends the wait of `finish`. */
  hurry(): void
  close(): Promise<void>
}

const feedsShown = 2
const preferred = ['btc-usd', 'eth-usd']
/** How often it is seen whether a block is due. Live ones come once a second, as block times cannot be closer. */
const blockEveryMs = { replay: 50, live: 1000 } as const
const liveStageMs = 4000
const replayDeviationPpm = 2000
const lookEveryMs = 250
/** Reports that a buyer tries before it takes the contracts' no for an answer, and further attempts at showing it all. */
const triesMax = 3

/** The feeds that go on chain: numbers of several origins first, the best known of them at the head. */
function chosen(committee: Committee, declarations: readonly FeedDeclaration[]): readonly Feed[] {
  const rank = (feed: Feed): number => (isSingle(feed, declarations) ? 2 : preferred.includes(feed.name) ? 0 : 1)
  const numbers = committee.feeds.filter(({ fields }) => kindOf(fields) === 0)
  return [...numbers].sort((a, b) => rank(a) - rank(b) || a.index - b.index).slice(0, feedsShown)
}

function isSingle(feed: Feed, declarations: readonly FeedDeclaration[]): boolean {
  return declarations.find(({ name }) => name === feed.name)?.singleSource !== null
}

/** Two steps a turn, as long as the feeds' validity has room for the turns of f silent members and one more. */
function stageOf(stepMs: number | null, feeds: readonly Feed[], f: number): number {
  if (stepMs === null) return liveStageMs
  const validMs = Math.min(...feeds.map(({ validForS }) => validForS * 1000))
  return Math.max(2000, Math.min(2 * stepMs, Math.floor((validMs - 5000) / (f + 0.5))))
}

/** Deploys, lets a contract ask, and tells the oracles of it in their config.json: they are not running yet. */
export async function startDemoChain(parts: DemoChainParts): Promise<DemoChain> {
  const { anvil, engine, folder, names, declarations, genesisS, stepMs, onNews, onNote } = parts
  const document = JSON.parse(readFileSync(join(folder, 'committee.json'), 'utf8')) as unknown
  const committee = parseCommittee(engine, document)
  const feeds = chosen(committee, declarations)
  const [bought] = feeds
  const asked = feeds.at(-1)!

  let isClosed = false
  let isHurried = false
  const wakers = new Set<() => void>()
  const told = (): void => {
    for (const wake of wakers) wake()
  }
  /** Waits for news, or a moment, until `is`; false when the chain closes before. */
  const until = async (is: () => boolean, patienceMs = Number.POSITIVE_INFINITY): Promise<boolean> => {
    const endsMs = performance.now() + patienceMs
    while (!is()) {
      if (isClosed || performance.now() >= endsMs) return false
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          wakers.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, lookEveryMs)
        wakers.add(wake)
      })
    }
    return true
  }
  let onMined: (mined: Parameters<ReturnType<typeof createLedger>['onMined']>[0]) => void = () => undefined
  const onFault = (error: unknown): void => onNote(`the chain does not answer: ${(error as Error).message}`)
  const blocks = createBlocks(anvil, genesisS, (mined) => onMined(mined), onFault)

  const payers = new Map<string, Payers>()
  const keys = Promise.all(names.map(async (name) => payers.set(name, await makePayers(join(folder, name)))))
  const contracts = await deployContracts({ anvil, blocks, engine, committee, asked })
  const { addresses, requestId, fromBlock } = contracts
  await keys
  const stageMs = stageOf(stepMs, feeds, committee.thresholds.f)
  const settings = feeds.map(({ name, validForS }) => ({
    name,
    ...(stepMs === null ? {} : { deviationPpm: replayDeviationPpm, heartbeatS: validForS }),
    allowSingleSource: true as const,
  }))
  for (const name of names) {
    const { pushes, requests } = payers.get(name)!
    for (const address of [pushes, requests]) await anvil.ask('anvil_setBalance', address, purse)
    const { store, hub } = addresses
    configureChain(join(folder, name), { url: anvil.url, store, hub, fromBlock, feeds: settings, stageMs })
  }
  const ledger = createLedger({ ...addresses, payers, updatedIn: contracts.updatedIn, endIn: contracts.endIn })

  let views: readonly ChainFeedView[] = []
  let pull: PullView | null = null
  let reports = 0
  let missing: readonly string[] = []
  let api: () => string | null = () => null
  let client: { readonly url: string; readonly client: Client } | null = null
  const reader = (): Client | null => {
    const url = api()
    if (url === null) return null
    if (client?.url !== url) client = { url, client: createClient({ url, committee: { document } }) }
    return client.client
  }

  const decimal = (feed: Feed, value: bigint): string => formatDecimal(value, feed.decimals)
  const readFeeds = async (): Promise<void> => {
    views = await Promise.all(
      feeds.map(async (feed): Promise<ChainFeedView> => {
        const found = await contracts.read(feed)
        return {
          feed: feed.name,
          facade: contracts.facadeOf(feed),
          value: found === null ? null : decimal(feed, found.value),
          status: found === null ? null : (statuses[found.status] ?? null),
          attestedAtMs: found?.attestedAtMs ?? 0,
          observedAtMs: found?.observedAtMs ?? 0,
          answer: found === null || found.answer === null ? null : decimal(feed, found.answer),
          refusal: found?.refusal ?? null,
          reported: null,
          ...ledger.feed(feed.name),
        }
      }),
    )
  }
  /** The same number in the signed report of T, proven by its signatures; null where no oracle has that report. */
  const reportedOf = async ({ feed: name, attestedAtMs }: ChainFeedView): Promise<string | null> => {
    const past = { fromMs: attestedAtMs, toMs: attestedAtMs, accept: statuses }
    const entries = await reader()
      ?.history(name, past)
      .catch(() => [])
    const result = entries?.find((entry) => entry.attestedAtMs === attestedAtMs)?.result
    return result?.ok === true && typeof result.feed.value === 'string' ? result.feed.value : null
  }

  /** A contract buys at a report that the store does not have yet, so that all of it has to be proven there. */
  const buy = async (feed: Feed): Promise<void> => {
    for (let tries = 0; !isClosed; ) {
      const report = await reader()
        ?.calldata([feed.name])
        .catch(() => null)
      const stored = await contracts.read(feed)
      if (report != null && timeOf(report) > (stored?.attestedAtMs ?? 0)) {
        const done = await contracts.buy(feed, report)
        const isRefused = typeof done === 'string'
        if (!isRefused) pull = { feed: feed.name, ...done, value: decimal(feed, done.value), refusal: null }
        // A price that is not OK, or too uncertain, stays so as a rule; one that is too old is a matter of the next report.
        else if (!done.startsWith('Stale') && ++tries === triesMax)
          pull = { feed: feed.name, value: null, refusal: done }
        if (pull !== null) return onNews({ what: 'pull', ...pull })
      }
      const before = reports
      await until(() => reports > before)
    }
  }
  const hasAll = (): boolean => views.length > 0 && views.every(({ value }) => value !== null)
  const isPushed = (feed: Feed): boolean => ledger.feed(feed.name).updates > 0
  const show = async (): Promise<void> => {
    // In a block is not yet in the head that was agreed on: who reads on at an older one finds nothing there.
    while (!isClosed && !hasAll()) {
      await until(() => feeds.every(isPushed))
      await readFeeds()
    }
    if (isClosed) return
    if (feeds.some((feed) => contracts.facadeOf(feed) === null)) await contracts.deployReaders(feeds)
    await readFeeds()
    if (pull === null) await buy(bought!)
    if (isSingle(asked, declarations)) onShown()
    await until(() => ledger.requestEnd() !== null)
    await readFeeds()
  }
  let showing: Promise<void> = Promise.resolve()
  let onShown: () => void = () => undefined
  const shown = new Promise<void>((resolve) => {
    onShown = resolve
  })
  /** All was shown, or given up. */
  let isSettled = false
  let looking: NodeJS.Timeout | undefined

  const request = (): ChainView['request'] => {
    const end = ledger.requestEnd()
    if (end === null) return { id: requestId, feed: asked.name, end: null }
    const { value, status } = contracts.outcomeIn(end.logs)
    return {
      ...{ id: requestId, feed: asked.name, end: end.end, by: end.by, txHash: end.txHash },
      value: value === null ? null : decimal(asked, value),
      status: end.end === 'answered' ? 'OK' : (statuses[status ?? -1] ?? 'EXPIRED'),
      ...ledger.requestCost(),
    }
  }
  const view = (): ChainView => ({
    ...{ chainId: 31_337, url: anvil.url, pid: anvil.pid, block: blocks.head(), addresses, missing },
    ...{ pushes: ledger.pushes(), reads: views, pull, request: request(), deployGas: contracts.gasUsed() },
  })

  return {
    begin: (nowMs, apiOf) => {
      api = apiOf
      onMined = (mined) => {
        const hadEnd = ledger.requestEnd() !== null
        const pushed = ledger.onMined(mined)
        if (pushed !== null) onNews({ what: 'push', ...pushed })
        if (!hadEnd && ledger.requestEnd() !== null) onNews({ what: 'request', ...request() })
        told()
      }
      blocks.run(nowMs, stepMs === null ? blockEveryMs.live : blockEveryMs.replay)
      const showOn = (triesLeft: number): Promise<void> =>
        show().then(
          () => {
            isSettled = true
            onShown()
          },
          async (error: unknown) => {
            if (isClosed) return
            // A head that moved between two questions is no reason to give up; what was deployed stays.
            await until(() => false, lookEveryMs)
            if (triesLeft > 0) return showOn(triesLeft - 1)
            onNote(`on chain: ${(error as Error).message}`)
            isSettled = true
            onShown()
          },
        )
      showing = showOn(triesMax)
      const look = async (): Promise<void> => {
        await readFeeds().catch(() => undefined)
        if (!isClosed) looking = setTimeout(() => void look(), 4 * lookEveryMs)
      }
      void look()
    },
    onEvent: (oracle, event) => {
      ledger.onEvent(oracle, event)
      const note = noteOf(event)
      if (note !== null) onNote(`${oracle}: ${note}`)
      told()
    },
    onReport: () => {
      reports++
      told()
    },
    ...{ shown, view },
    finish: async (patienceMs) => {
      await until(() => isHurried || (isSettled && ledger.underWay() === 0), patienceMs)
      await readFeeds().catch(() => undefined)
      views = await Promise.all(views.map(async (one) => ({ ...one, reported: await reportedOf(one) })))
      missing = [
        ...feeds.flatMap((feed) => (isPushed(feed) ? [] : [`a push of ${feed.name}`])),
        ...(pull === null ? [`a pull of ${bought!.name}`] : []),
        ...(ledger.requestEnd() === null ? [`the answer of ${asked.name}`] : []),
      ]
      return view()
    },
    hurry: () => {
      isHurried = true
      told()
    },
    close: async () => {
      isClosed = true
      told()
      clearTimeout(looking)
      contracts.close()
      await blocks.close()
      await showing
    },
  }
}

/** 10 ETH: more than an hour's budget. */
const purse = `0x${(10n ** 19n).toString(16)}`

/** What the reader should know of a delivery; null for what goes as it should. */
function noteOf(event: OracleEvent): string | null {
  switch (event.event) {
    case 'sender':
      return event.isRaised ? event.sentence : null
    case 'chain':
      return event.why
    case 'request':
      return event.news.event === 'declined' ? `a request was declined: ${event.news.why}` : null
    default:
      return null
  }
}
