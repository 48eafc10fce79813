// An oracle's side of the replay clock, for tests: it reads the steps and says that it has read them.

import { type ClientRequest, get } from 'node:http'

export type Line = { readonly step: number; readonly nowMs: number } | { readonly end: true }

/** Follows a replay clock under a name; `read` answers for a step. */
export class Follower {
  readonly lines: Line[] = []
  isClosed = false
  /** The last step for which the go was given. */
  gone = -1
  readonly #clockUrl: string
  readonly #name: string
  readonly #request: ClientRequest
  #wake: (() => void)[] = []

  constructor(clockUrl: string, name: string) {
    this.#clockUrl = clockUrl
    this.#name = name
    this.#request = get(`${clockUrl}?oracle=${name}`, { agent: false }, (response) => {
      let rest = ''
      response.on('data', (bytes) => {
        const parts = (rest + bytes).split('\n')
        rest = parts.pop()!
        for (const part of parts) {
          const line = JSON.parse(part) as Line | { readonly go: number }
          if ('go' in line) this.gone = line.go
          else this.lines.push(line)
        }
        this.#wakeAll()
      })
      response.on('close', () => this.#end())
      response.on('error', () => this.#end())
    })
    this.#request.on('error', () => this.#end())
  }

  get steps(): number[] {
    return this.lines.flatMap((line) => ('step' in line ? [line.step] : []))
  }

  /** Waits until `fits`; rejects after three seconds. */
  async until(fits: () => boolean): Promise<void> {
    const endsMs = performance.now() + 3000
    while (!fits()) {
      const leftMs = endsMs - performance.now()
      if (leftMs <= 0) throw new Error(`${this.#name}: waited in vain after ${JSON.stringify(this.lines.slice(-3))}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 20))
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Says that this oracle holds the answers of a step, or is done with it; returns the status. */
  async say(what: 'ready' | 'read', step: number): Promise<number> {
    const answer = await fetch(`${this.#clockUrl}/${what}?oracle=${this.#name}&step=${step}`, { method: 'POST' })
    await answer.arrayBuffer()
    return answer.status
  }

  read(step: number): Promise<number> {
    return this.say('read', step)
  }

  /** Reads every step as it comes, calling `at` before it is ready, until the end. */
  async follow(at: (step: number) => Promise<void> = async () => undefined): Promise<void> {
    for (let seen = 0; ; seen++) {
      await this.until(() => this.lines.length > seen || this.isClosed)
      const line = this.lines[seen]
      if (line === undefined || 'end' in line) return
      await at(line.step)
      await this.say('ready', line.step)
      await this.until(() => this.gone >= line.step || this.isClosed)
      await this.say('read', line.step)
    }
  }

  die(): void {
    this.#request.destroy()
  }

  #end(): void {
    this.isClosed = true
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}
