// The demo on a terminal: redraws the table in place when it changed, and asks the API what the sources complain of.

import type { SourceFacts } from '../observe/facts.js'
import { type Audience, bannerOf, nextOf } from './demo-audience.js'
import type { ReportView, Tally } from './demo-reports.js'
import type { Run, RunFacts } from './demo-run.js'
import { renderDemo } from './demo-table.js'

const redrawMs = 250
const askMs = 2000
const notesMax = 20
const none: Tally = { reports: 0, rounds: 0, skippedRounds: 0, latencyMs: { p50: 0, p99: 0 } }

/** Draws `run()` on standard output, a terminal, until closed. */
export function createScreen(run: () => Run | null): Audience {
  let banner: readonly string[] = []
  let facts: RunFacts | null = null
  let report: ReportView | null = null
  let tally = none
  let refusals: readonly string[] = []
  let drawn: readonly string[] = []
  let columnsDrawn = 0
  const notes: string[] = []
  const timers: NodeJS.Timeout[] = []

  const draw = (): void => {
    const { columns = 80, rows = 24 } = process.stdout
    const troubles = (run()?.oracles() ?? []).flatMap(({ name, folder, ended, lost }) =>
      ended === null && lost.size === 0 ? [] : [{ name, folder, ended, lost: [...lost] }],
    )
    const nowMs = facts?.mode === 'live' ? Date.now() : (report?.attestedAtMs ?? 0)
    const lines = renderDemo(
      {
        ...{ banner, report, nowMs, troubles, refusals, tally, notes },
        mode: facts?.mode ?? 'live',
        declarations: facts?.declarations ?? new Map(),
        chain: facts?.chain == null ? null : (run()?.chain() ?? facts.chain),
        members: facts?.oracles ?? 0,
      },
      { columns, rows, hasColour: (process.env['NO_COLOR'] ?? '') === '' },
    ).slice(0, rows - 1)
    if (columns === columnsDrawn && lines.join('\n') === drawn.join('\n')) return
    process.stdout.write(frame(lines, drawn.length, columns !== columnsDrawn))
    drawn = lines
    columnsDrawn = columns
  }
  const ask = async (): Promise<void> => {
    const page = (await run()?.ask('/v1/sources')) as { sources: SourceFacts[] } | null | undefined
    if (page === null || page === undefined) return
    refusals = page.sources
      .filter(({ state, lastError }) => state !== 'counting' && lastError !== null)
      // A replay's sources are read before the clock turns to their step: until then they are ahead of it.
      .filter(({ lastError }) => facts?.mode === 'live' || lastError!.code !== 'SOURCE_FUTURE')
      .sort((a, b) => b.lastError!.atMs - a.lastError!.atMs)
      .map(({ feed, adapter, lastError }) => `${feed} ${adapter}: ${lastError!.code}, ${lastError!.message}`)
  }
  return {
    onReady: (ready, sources) => {
      facts = ready
      const left = sources.skipped.length
      banner = [
        ...bannerOf(ready, sources),
        ...(left > 0 ? [`Skipped: ${sources.skipped.slice(0, 3).join('; ')}`] : []),
      ]
      process.stdout.write('\u001b[?25l')
      timers.push(
        setInterval(draw, redrawMs),
        setInterval(() => void ask(), askMs),
      )
      draw()
    },
    onReport: (newest, counted) => {
      report = newest
      tally = counted
    },
    onNote: (sentence) => {
      notes.push(sentence)
      if (notes.length > notesMax) notes.shift()
    },
    // The table shows it.
    onChain: () => undefined,
    onDone: (result) => {
      draw()
      process.stdout.write(`\n${nextOf(result).join('\n')}\n`)
    },
    close: () => {
      for (const timer of timers) clearInterval(timer)
      if (timers.length > 0) process.stdout.write('\u001b[?25h')
    },
  }
}

/**
 * One write that puts `lines` over the `linesUp` lines above the cursor, each line over its old self, so that nothing
 * flickers; all is erased first only where the width changed. Terminals that know ?2026 show it at once.
 */
function frame(lines: readonly string[], linesUp: number, isErased: boolean): string {
  const back = linesUp === 0 ? '' : `\u001b[${linesUp}A`
  const text = lines.map((line) => `${line}\u001b[K\n`).join('')
  return `\u001b[?2026h${back}\r${isErased ? '\u001b[J' : ''}${text}\u001b[J\u001b[?2026l`
}
