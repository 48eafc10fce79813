// Stored reports of a span, page by page: each page takes its own turn of the event loop.

import type { Entry, ReadValue, Span } from '../store/report-store.js'
import { historyMax, turnBytesMax } from './limits.js'
import type { NodeView } from './node-view.js'

/** `read` of each report of `span`, at most `limit` of them; `takeTurn` comes before each page. */
export async function readHistory<T>(
  { kernel, store }: Pick<NodeView, 'kernel' | 'store'>,
  takeTurn: () => Promise<void>,
  span: Span & { readonly limit: number },
  read: ReadValue<T>,
): Promise<Entry<T>[]> {
  const pageOf = Math.max(1, Math.min(historyMax, Math.floor(turnBytesMax / kernel.layout.bytesMax)))
  const entries: Entry<T>[] = []
  let rest: Span = span
  for (;;) {
    await takeTurn()
    const limit = Math.min(pageOf, span.limit - entries.length)
    const page = store.history({ ...rest, limit }, read)
    entries.push(...page)
    const last = page.at(-1)
    if (last === undefined || page.length < limit || entries.length >= span.limit) return entries
    // Attested times rise from slot to slot, so the next page starts one millisecond on.
    rest = span.reverse ? { ...rest, toMs: last.attestedAtMs - 1 } : { ...rest, fromMs: last.attestedAtMs + 1 }
  }
}
