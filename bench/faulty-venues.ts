// Venues for a benchmark: tickers in the venues' own words, on loopback, each well until it is given a fault.

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { applyLie, parseLie } from '../src/replay/lie.js'
import { tickers } from '../src/replay/tickers.js'

/** killed: nothing listens; slow: answers after every deadline; lying: 30 % too high; flapping: fails for 5 s of every 10. */
export type Fault = 'killed' | 'slow' | 'lying' | 'flapping'

export interface FaultyVenues {
  /** Adapter host → where it is served here. */
  readonly origins: Readonly<Record<string, string>>
  readonly loopback: readonly string[]
  /** Gives a venue, by the id of its adapter, a fault; null heals it. */
  readonly set: (venue: string, fault: Fault | null) => Promise<void>
  readonly close: () => Promise<void>
}

const slowMs = 20_000
const flapMs = 5_000
const lie = parseLie('+30%')

/** One server a venue, so that one can be killed; `priceOf` is the truth, as a decimal text, at a time in ms since 1970. */
export async function startFaultyVenues(
  venues: readonly string[],
  priceOf: (symbol: string, nowMs: number) => { readonly base: string; readonly quote: string; readonly price: string },
): Promise<FaultyVenues> {
  const faults = new Map<string, Fault>()
  const servers = new Map<string, { readonly server: Server; readonly port: number }>()
  for (const venue of venues) {
    const server = createServer((request, response) => {
      const nowMs = Date.now()
      const fault = faults.get(venue)
      if (fault === 'flapping' && Math.floor(nowMs / flapMs) % 2 === 0) return void response.writeHead(503).end()
      const answer = (): void => reply(venue, request.url ?? '/', fault === 'lying', response, nowMs)
      if (fault === 'slow') setTimeout(answer, slowMs).unref()
      else answer()
    })
    const port = await listen(server, 0)
    servers.set(venue, { server, port })
  }

  function reply(venue: string, target: string, isLie: boolean, response: ServerResponse, nowMs: number): void {
    const { asked, ticker, unknown } = tickers[venue]!
    const { pathname, searchParams } = new URL(target, 'http://venue.invalid')
    const symbol = asked(pathname, searchParams)
    if (symbol === null) return void response.writeHead(404).end()
    const { base, quote, price } = priceOf(symbol, nowMs)
    const { status, mediaType, body } =
      base === '' ? unknown(symbol) : ticker({ base, quote }, isLie ? applyLie(price, lie) : price, nowMs)
    response.writeHead(status, { 'content-type': mediaType }).end(body)
  }

  const of = (venue: string): { server: Server; port: number } => servers.get(venue)!
  return {
    origins: Object.fromEntries(venues.map((venue) => [tickers[venue]!.host, `http://127.0.0.1:${of(venue).port}`])),
    loopback: venues.map((venue) => `127.0.0.1:${of(venue).port}`),
    set: async (venue, fault) => {
      const { server, port } = of(venue)
      const wasKilled = faults.get(venue) === 'killed'
      if (fault === null) faults.delete(venue)
      else faults.set(venue, fault)
      if (fault === 'killed') await stop(server)
      else if (wasKilled) await listen(server, port)
    },
    close: async () => {
      for (const { server } of servers.values()) if (server.listening) await stop(server)
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function stop(server: Server): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return stopped
}
