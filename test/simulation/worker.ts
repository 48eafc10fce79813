// A thread that plays the chunks it is sent.

import { parentPort } from 'node:worker_threads'
import { type ChunkOrder, createPlayer } from './chunk.js'

const play = createPlayer()

parentPort?.on('message', (order: ChunkOrder) => {
  play(order).then(
    (result) => parentPort?.postMessage({ result }),
    (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? error.stack : String(error) }),
  )
})
