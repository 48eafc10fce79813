// What every step of one oracle shares: the committee, its place in it, and the functions they fix.

import type { Committee } from './committee.js'
import type { Engine } from './engine.js'
import { leaderSchedule } from './leader.js'
import { reportKernel } from './report.js'
import type { Context } from './state.js'
import { domainOf, reportDigest } from './typed-data.js'

/** The context of member `self`, an index into the committee's members. */
export function createContext(engine: Engine, committee: Committee, self: number): Context {
  const domain = domainOf(engine, committee.salt)
  return {
    committee,
    self,
    kernel: reportKernel(engine, committee),
    leaderOf: leaderSchedule(engine, committee.digest, committee.thresholds.n),
    digestOf: (header) => reportDigest(engine, domain, header),
  }
}
