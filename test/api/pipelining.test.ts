import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Served, serve } from './served.js'

let served: Served
beforeEach(async () => {
  served = await serve()
  await served.report(1)
})
afterEach(() => served.close())

const request = 'GET /v1/feeds HTTP/1.1\r\nhost: a\r\n\r\n'

/** What `count` requests sent at once are answered with, until nothing has come for a while or the connection ends. */
async function answersTo(count: number): Promise<{ readonly statuses: number; readonly isEnded: boolean }> {
  const socket = connect(Number(new URL(served.api.url).port), '127.0.0.1')
  await once(socket, 'connect')
  let text = ''
  let isEnded = false
  socket.on('data', (bytes) => {
    text += bytes
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isEnded = true
  })
  socket.write(request.repeat(count))
  for (let length = -1; length !== text.length && !isEnded; ) {
    length = text.length
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  socket.destroy()
  return { statuses: (text.match(/HTTP\/1\.1 200/g) ?? []).length, isEnded }
}

it('answers a few requests that a client sends ahead', async () => {
  expect(await answersTo(8)).toEqual({ statuses: 8, isEnded: false })
})

it('ends a connection that sends a thousand ahead, before they are begun', async () => {
  const { statuses, isEnded } = await answersTo(1000)
  expect(isEnded).toBe(true)
  expect(statuses).toBeLessThanOrEqual(8)
})
