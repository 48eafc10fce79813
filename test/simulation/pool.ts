// Deals the schedules of a run to threads and adds up what they bring; the result does not depend on who played what.

import { Worker } from 'node:worker_threads'
import { type ChunkOrder, type ChunkResult, createPlayer, type PlayChunk } from './chunk.js'

export interface PoolOrder extends Omit<ChunkOrder, 'from' | 'to'> {
  readonly count: number
  /** 1 plays in this thread; more need the compiled files. */
  readonly workers: number
  /** No further chunk is dealt once a violation came. */
  readonly stopsAtFirst: boolean
  readonly progress?: (played: number) => void
}

const chunkSize = 20

/** All results, in order of their schedules. */
export async function playAll(order: PoolOrder): Promise<ChunkResult[]> {
  const results: ChunkResult[] = []
  let next = 0
  let isStopped = false
  const serve = async (play: PlayChunk): Promise<void> => {
    while (next < order.count && !isStopped) {
      const from = next
      next = Math.min(order.count, next + chunkSize)
      const { seed, n, isControl, codes } = order
      const result = await play({ seed, n, isControl, codes, from, to: next })
      results.push(result)
      if (order.stopsAtFirst && result.violations.length > 0) isStopped = true
      order.progress?.(results.reduce((sum, each) => sum + each.hashes.length, 0))
    }
  }
  if (order.workers <= 1) await serve(createPlayer())
  else {
    const threads = Array.from(
      { length: order.workers },
      () => new Worker(new URL('./worker.js', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 64 } }),
    )
    try {
      await Promise.all(threads.map((thread) => serve((chunk) => ask(thread, chunk))))
    } finally {
      await Promise.all(threads.map((thread) => thread.terminate()))
    }
  }
  return results.sort((a, b) => a.from - b.from)
}

function ask(thread: Worker, order: ChunkOrder): Promise<ChunkResult> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('message', (answer: { result: ChunkResult } | { error: string }) => {
      thread.off('error', reject)
      if ('result' in answer) resolve(answer.result)
      else reject(new Error(`schedules ${order.from} to ${order.to}: ${answer.error}`))
    })
    thread.postMessage(order)
  })
}
