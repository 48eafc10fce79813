// When nothing is under way towards some servers: no HTTP request of node:http, no operation on a file. For tests in lockstep.

import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'

/** Requests that began, and those that ended, by host and port: several tests run at once, each with servers of its own. */
const begun = new Map<string, number>()
const ended = new Map<string, number>()
subscribe('http.client.request.start', (message) => {
  const { request } = message as { readonly request: ClientRequest }
  const host = `${request.getHeader('host')}`
  begun.set(host, (begun.get(host) ?? 0) + 1)
  request.once('close', () => void ended.set(host, (ended.get(host) ?? 0) + 1))
})

const isWaiting = (name: string): boolean => name.startsWith('FSReq') || name === 'TCPConnectWrap'

/** Some turns of the event loop: more than a chain of promises between two calls takes. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Resolves when all that was begun towards `urls` has ended; an Error after `deadlineMs` of real time. */
export async function quiet(urls: readonly string[], deadlineMs = 60_000): Promise<void> {
  const hosts = urls.map((url) => new URL(url).host)
  const sum = (counts: ReadonlyMap<string, number>): number =>
    hosts.reduce((total, host) => total + (counts.get(host) ?? 0), 0)
  const isBusy = (): boolean => sum(begun) > sum(ended) || process.getActiveResourcesInfo().some(isWaiting)
  const endMs = performance.now() + deadlineMs
  for (;;) {
    await turns()
    const before = sum(begun)
    while (isBusy()) {
      await turns()
      if (performance.now() > endMs) throw new Error(`${sum(begun) - sum(ended)} requests are still under way`)
    }
    // ethers begins each request with a timer of a millisecond. One that is set by now fires before this one.
    await new Promise((resolve) => setTimeout(resolve, 1))
    await turns()
    if (!isBusy() && sum(begun) === before) return
  }
}
