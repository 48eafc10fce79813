// Whether anything may be decided on a chain now: a quorum agrees on its head, and the sequencer of a rollup is up.

import type { ErrorCode } from '../base/error-codes.js'
import { OracleError } from '../base/errors.js'
import type { Block } from './answers.js'
import type { RpcQuorum } from './rpc-quorum.js'
import { requireSequencer } from './sequencer.js'

/** Why nothing is decided. */
export interface Stop {
  readonly code: ErrorCode
  readonly why: string
  /** No quorum shows a head. Otherwise there is one, and it is the sequencer of which no good word is known. */
  readonly isBlind: boolean
}

export interface Gate {
  /** Looks at the chain; the agreed head, or null while the gate is closed. */
  look(): Promise<Block | null>
  /** Lets one head serve all that `action` does: nobody asks the endpoints for it again until that has ended. */
  holding(head: Block, action: () => Promise<void>): Promise<void>
  /** The newest head that was agreed on; null before the first. */
  head(): Block | null
  stop(): Stop | null
  /** The quorum, whose head is not to be had while the gate is closed; what is known of older blocks can still be read. */
  readonly rpc: Pick<RpcQuorum, 'head' | 'read' | 'blockAt'>
  /** The same for keys, which must know when they are blind: never closed. */
  readonly keysRpc: RpcQuorum
}

/** A gate before `quorum`, open until it has looked; `onChange` is told why it closes, and null when it opens. */
export function createGate(quorum: RpcQuorum, onChange: (stop: Stop | null) => void): Gate {
  let head: Block | null = null
  let stop: Stop | null = null
  let held: Block | null = null
  const headNow = (): Promise<Block> => (held === null ? quorum.head() : Promise.resolve(held))
  const set = (now: Stop | null): void => {
    const isChange = stop?.code !== now?.code
    stop = now
    if (isChange) onChange(now)
  }
  return {
    look: async () => {
      let block: Block | null = null
      try {
        block = await quorum.head()
        await requireSequencer(quorum, block)
        head = block
        set(null)
        return block
      } catch (error) {
        if (!(error instanceof OracleError)) throw error
        set({ code: error.code, why: error.message, isBlind: block === null })
        return null
      }
    },
    holding: async (block, action) => {
      held = block
      try {
        await action()
      } finally {
        held = null
      }
    },
    head: () => head,
    stop: () => stop,
    keysRpc: { ...quorum, head: headNow },
    rpc: {
      head: () => (stop === null ? headNow() : Promise.reject(new OracleError(stop.code, stop.why))),
      read: quorum.read,
      blockAt: quorum.blockAt,
    },
  }
}
