// Which file holds the reports of a committee: slots begin anew, and values lie differently, under another one.

import { concat, fromHex, toHex } from '../core/bytes.js'
import type { Committee } from '../core/committee.js'
import type { Engine } from '../core/engine.js'

/**
 * A file name for the reports under one S and one set of bundles, whose ids fix feeds, fields and order. A new generation
 * or other feeds begin a new file; endpoints and timers do not.
 */
export function reportsName(engine: Engine, committee: Committee): string {
  const ids = committee.bundles.map((bundle) => fromHex(bundle.id, 32)!)
  return `reports-${toHex(engine.keccak256(concat(committee.salt, ...ids))).slice(2, 18)}`
}
