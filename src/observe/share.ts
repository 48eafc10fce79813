// One run for all who ask for the same thing at the same time.

import { within } from './scopes.js'

interface Run<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  askers: number
}

/**
 * Shares runs by key: who comes while one is under way gets its result. A caller whose `signal` aborts is told so at
 * once (with the signal's reason); the run itself is called off when no caller is left.
 */
export class Share<T> {
  readonly #runs = new Map<string, Run<T>>()

  async run(key: string, signal: AbortSignal, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    const run = this.#runs.get(key) ?? this.#start(key, action)
    run.askers++
    try {
      return await within(signal, run.result)
    } finally {
      run.askers--
      if (run.askers === 0 && this.#runs.get(key) === run) {
        this.#runs.delete(key)
        run.controller.abort(signal.reason)
      }
    }
  }

  #start(key: string, action: (signal: AbortSignal) => Promise<T>): Run<T> {
    const controller = new AbortController()
    const result = action(controller.signal)
    const run: Run<T> = { result, controller, askers: 0 }
    this.#runs.set(key, run)
    const over = (): void => {
      if (this.#runs.get(key) === run) this.#runs.delete(key)
    }
    result.then(over, over)
    return run
  }
}
