// Counts what was dropped, by reason, and tells the owner.

import type { DropReason, TransportEvents } from './transport.js'

/** One transport's drops; `tell` is the owner's onDrop. */
export class Drops {
  readonly #counts: Partial<Record<DropReason, number>> = {}
  readonly #tell: TransportEvents['onDrop']

  constructor(tell: TransportEvents['onDrop']) {
    this.#tell = tell
  }

  count(member: number | null, reason: DropReason, count = 1): void {
    if (count === 0) return
    this.#counts[reason] = (this.#counts[reason] ?? 0) + count
    this.#tell(member, reason, count)
  }

  get counts(): Readonly<Partial<Record<DropReason, number>>> {
    return { ...this.#counts }
  }
}
