// Who follows a run of the demo, and the words for it: what it is, how it goes, how it ended.

import { join } from 'node:path'
import { toJson } from '../base/to-json.js'
import { formatDecimal, type JsonValue } from '../core/value-json.js'
import type { FeedDeclaration } from '../feed/declaration.js'
import { type ChainNews, chainLines, chainNews, chainSummary } from './demo-chain-view.js'
import type { ReportView, Tally } from './demo-reports.js'
import type { RunFacts, RunResult } from './demo-run.js'
import type { DemoSources } from './demo-sources.js'
import { totalsOf } from './demo-table.js'
import { counted, nearest, presentFeed } from './present.js'
import { assayCommand } from './shipped.js'

/** What follows a run: a terminal, lines of text, or JSON lines. */
export interface Audience {
  readonly onReady: (facts: RunFacts, sources: DemoSources) => void
  readonly onReport: (report: ReportView, tally: Tally) => void
  readonly onNote: (sentence: string) => void
  readonly onChain: (news: ChainNews) => void
  readonly onDone: (result: RunResult) => void
  /** Called in any case, at last. */
  readonly close: () => void
}

const lineEveryMs = 3000

/** The last line of --json. */
function summaryOf(result: RunResult, oracles: number): Record<string, unknown> {
  const { facts, latest, tally, chain } = result
  const feeds = (latest?.feeds ?? []).map(({ name, feedId, value, status, observedAtMs, attestedAtMs }) => ({
    ...{ name, feedId },
    ...plainValue(value, facts.declarations.get(name)),
    ...{ status, observedAtMs, attestedAtMs },
  }))
  const { rounds, reports, latencyMs, skippedRounds } = tally
  const counts = { mode: facts.mode, oracles, rounds, reports, feeds, latencyMs, skippedRounds }
  return { ...counts, chain: chain === null ? null : chainSummary(chain) }
}

/** A value as one decimal string: of a structured one its first number that is no identity, with all of it beside. */
function plainValue(value: JsonValue | null, declaration: FeedDeclaration | undefined): Record<string, unknown> {
  if (value === null || typeof value === 'string') return { value }
  const leaves = declaration?.leaves ?? []
  const fields = Object.fromEntries(
    leaves.map(({ name, type, decimals }) => {
      const part = value[name]!
      return [name, type.startsWith('int') ? formatDecimal(BigInt(part), decimals) : part]
    }),
  )
  const main = leaves.find(({ combine }) => combine === 'median') ?? leaves[0]
  return { value: main === undefined ? null : fields[main.name], fields }
}

/** The lines that say what a run is. */
export function bannerOf(facts: RunFacts, sources: DemoSources): readonly string[] {
  const { folder, isKept, apiUrl, oracles, pids } = facts
  const processes = Object.entries(pids).map(([name, pid]) => `${name} ${pid ?? '(none)'}`)
  const attest = oracles === 1 ? 'attests' : 'attest'
  return [
    `Assay demo, ${sources.mode}: ${counted(oracles, 'oracle')} on this machine ${attest} ${counted(facts.declarations.size, 'feed')}`,
    `Values: ${sources.sentence}`,
    `API: ${apiUrl}/v1/feeds   Stop: Ctrl-C`,
    ...(facts.chain === null ? [] : [`Chain: ${facts.chain.url} (anvil, ${facts.chain.pid})`]),
    `Pids: ${processes.join(', ')}`,
    `Folder: ${nearest(folder)} (${isKept ? 'kept' : 'removed at the end; --keep DIR keeps it'})`,
  ]
}

/** The lines that say how it ended: the counts, and each feed's last value. */
function endingOf({ facts, latest, tally, chain }: RunResult): readonly string[] {
  return [
    ...totalsOf({ report: latest, tally, members: facts.oracles }),
    ...(latest?.feeds ?? []).map(({ name, value, status }) => {
      return `${name}  ${presentFeed(value, facts.declarations.get(name))}  ${status}`
    }),
    ...(chain === null ? [] : chainLines(chain, facts.declarations)),
  ]
}

/** The lines that say what can be done with it now. */
export function nextOf({ facts, latest }: RunResult): readonly string[] {
  const folder = nearest(facts.folder)
  if (!facts.isKept) return [`Keep a run, and check its reports: ${assayCommand} demo --keep DIR`]
  const kept = `Kept in ${folder}: committee.json, reports, and an oracle each in oracle-N`
  if (latest === null) return [kept]
  const report = join(folder, 'reports', `${latest.epoch}-${latest.round}.json`)
  const committee = join(folder, 'committee.json')
  return [kept, `Check one: ${assayCommand} verify ${report} --committee ${committee} --any-age`]
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** An audience of scripts. */
export function jsonLines(): Audience {
  return {
    onReady: (facts, { sentence, skipped }) => {
      const { mode, folder, apiUrl, oracles, pids } = facts
      const { url, pid, chainId, addresses } = facts.chain ?? {}
      const chain = facts.chain === null ? null : { url, pid, chainId, ...addresses }
      print(JSON.stringify({ event: 'ready', mode, sentence, oracles, pids, folder, api: apiUrl, chain, skipped }))
    },
    onReport: ({ epoch, round, attestedAtMs, latencyMs, signers }, { reports, skippedRounds }) =>
      print(
        JSON.stringify({ event: 'report', epoch, round, attestedAtMs, signers, latencyMs, reports, skippedRounds }),
      ),
    onNote: (sentence) => print(JSON.stringify({ event: 'note', sentence })),
    onChain: (news) => print(toJson({ event: 'chain', ...news })),
    onDone: (result) => print(JSON.stringify(summaryOf(result, result.facts.oracles))),
    close: () => undefined,
  }
}

/** An audience without a terminal: a line every few seconds. */
export function textLines(): Audience {
  let shownAtMs = -Infinity
  let told: RunFacts | null = null
  return {
    onReady: (facts, sources) => {
      told = facts
      for (const line of bannerOf(facts, sources)) print(line)
      for (const line of sources.skipped) print(`skipped: ${line}`)
    },
    onReport: (report, { reports, skippedRounds }) => {
      if (performance.now() - shownAtMs < lineEveryMs) return
      shownAtMs = performance.now()
      const values = report.feeds.slice(0, 4).map(({ name, value, status }) => {
        const text = presentFeed(value, told?.declarations.get(name))
        return `${name} ${text}${status === 'OK' ? '' : ` ${status}`}`
      })
      const more = report.feeds.length > 4 ? `, and ${report.feeds.length - 4} more` : ''
      print(`${counted(reports, 'report')}, ${skippedRounds} skipped: ${values.join(', ')}${more}`)
    },
    onNote: print,
    onChain: (news) => print(`on chain: ${chainNews(news)}`),
    onDone: (result) => [...endingOf(result), ...nextOf(result)].forEach(print),
    close: () => undefined,
  }
}
