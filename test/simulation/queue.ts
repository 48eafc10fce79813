// Simulated time: actions in order of their millisecond, then of their making; nothing runs by itself.

interface Item {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** A binary heap of actions and the steady clock they move. */
export class Queue {
  /** True time of the simulation in milliseconds, from 0. */
  nowMs = 0
  readonly #heap: Item[] = []
  #made = 0

  /** Runs `run` after `delayMs` (at least 0). */
  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run)
  }

  /** Runs `run` at `atMs`, or now when that has passed. */
  at(atMs: number, run: () => void): void {
    const heap = this.#heap
    const item = { atMs: Math.max(atMs, this.nowMs), order: this.#made++, run }
    let at = heap.length
    heap.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(item, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = item
  }

  /** The time of the next action; Infinity when there is none. */
  nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Infinity
  }

  /** Moves the clock to the next action and runs it. */
  runNext(): void {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined) throw new Error('nothing is left to run')
    const last = heap.pop()!
    const size = heap.length
    if (size > 0) {
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= size) break
        if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++
        if (!isBefore(heap[child]!, last)) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = last
    }
    this.nowMs = first.atMs
    first.run()
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
