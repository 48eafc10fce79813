// The network between processes: a TCP relay before every member that knows by process who dials, and can be cut by pair.
//
// TLS is end to end, so a relay is no more than a wire. Two processes with one key look alike to it; their process ids do not.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A process at the end of a wire, and where it really listens. */
export interface Station {
  readonly pid: number
  readonly port: number
}

/** Where the connections of `dialler` to the endpoint of `member` lead now; null: nowhere. */
export type Route = (dialler: number, member: number) => Station | null

interface Wire {
  readonly dialler: number
  readonly member: number
  readonly to: Station
  readonly ends: readonly [Socket, Socket]
}

/** Relays on `ports`, one for the endpoint of each member. */
export class Relays {
  /** Changed by a test at any time; `cut` ends what it no longer allows. */
  route: Route = () => null
  readonly #servers: Server[] = []
  readonly #wires = new Set<Wire>()
  readonly #pids: () => readonly number[]

  constructor(pids: () => readonly number[]) {
    this.#pids = pids
  }

  async listen(ports: readonly number[]): Promise<void> {
    await Promise.all(
      ports.map((port, member) => {
        const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#arrived(socket, member))
        this.#servers.push(server)
        return new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
      }),
    )
  }

  /** Ends every connection that the route, as it is now, would not make. */
  cut(): void {
    for (const wire of this.#wires) {
      if (this.route(wire.dialler, wire.member)?.pid !== wire.to.pid) for (const end of wire.ends) end.destroy()
    }
  }

  close(): void {
    for (const server of this.#servers) server.close()
    for (const { ends } of this.#wires) for (const end of ends) end.destroy()
  }

  #arrived(near: Socket, member: number): void {
    near.on('error', () => undefined)
    const dialler = pidOf(near.remotePort!, this.#pids())
    const to = dialler === null ? null : this.route(dialler, member)
    if (dialler === null || to === null) return void near.destroy()
    const far = connect({ host: '127.0.0.1', port: to.port, noDelay: true })
    far.on('error', () => undefined)
    const wire: Wire = { dialler, member, to, ends: [near, far] }
    this.#wires.add(wire)
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.once('close', () => {
        this.#wires.delete(wire)
        other.destroy()
      })
      end.pipe(other)
    }
  }
}

/** Which of `pids` owns the local TCP socket on `port`, by the kernel's tables. */
function pidOf(port: number, pids: readonly number[]): number | null {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find((fields) => fields[1] === `0100007F:${hex}` && fields[9] !== '0')
  if (line === undefined) return null
  const link = `socket:[${line[9]}]`
  return pids.find((pid) => ownsLink(pid, link)) ?? null
}

function ownsLink(pid: number, link: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === link
      } catch {
        return false
      }
    })
  } catch {
    return false
  }
}
