// What a hub is sent for a request: an answer with its report behind it, or the news that the deadline is over; and its gas.

import { IRequestHub__factory } from '../chain/generated/factories/IRequestHub__factory.js'
import { abiEncode } from '../core/abi.js'
import { concat, fromHex, toHex } from '../core/bytes.js'
import { type Committee, keysOf } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import { readReading } from '../core/layout.js'
import { kindOf } from '../core/leaf.js'
import type { ReportKernel } from '../core/report.js'
import { toCalldata } from '../core/report-calldata.js'
import { buildReport, type ReportParts } from '../core/report-json.js'
import { statusCodes } from '../core/status.js'
import type { Held } from './newest-report.js'
import { gas } from './plan.js'
import { createPacker, isSealed } from './push-data.js'
import type { OpenRequest } from './request-book.js'

/** A transaction to a hub. */
export interface HubCall {
  /** Calldata, 0x hex. */
  readonly data: string
  /** No less than it can use, with a callback that spends all it gets. */
  readonly gasLimit: number
}

export interface RequestPacker {
  /** The answer to a request by a report: a value, or the refusal that the report is. */
  answer(request: OpenRequest, held: Held): HubCall
  expire(request: OpenRequest): HubCall
}

/** Gas above a plain push: the request's slots and their end, its event, and what the call itself takes. */
const hubGas = 40_000
/** A feed is hashed and copied, not stored. */
const feedGas = 2_000
/** What ends a request without a report: its slots, its event. */
const expireGas = 30_000

const hub = IRequestHub__factory.createInterface()

/** The packer of `committee`. */
export function requestPacker(engine: Engine, committee: Committee, kernel: ReportKernel): RequestPacker {
  const keys = keysOf(committee)
  const { shapeOf } = createPacker(engine, committee, kernel)
  /** Requests of one bundle share what is behind their calldata. */
  const appended = new WeakMap<ReportParts, Map<number, Uint8Array>>()

  const appendix = (report: ReportParts, bundle: number): Uint8Array => {
    const known = appended.get(report) ?? new Map<number, Uint8Array>()
    appended.set(report, known)
    const found = known.get(bundle)
    if (found !== undefined) return found
    const bytes = buildReport(engine, committee, kernel, report, [bundle])
    const signatures = isSealed(committee, report) ? 'seals' : 'attestations'
    const made = toCalldata(engine, bytes, keys, { signatures, trailer: true })
    known.set(bundle, made)
    return made
  }

  /** The bytes of a structured value; none for a number, and none where the status speaks. */
  const encodedOf = (feed: number, { packed }: Held): string => {
    const { fields } = committee.feeds[feed]!
    const { status, values } = readReading(kernel.layout, packed, feed)
    if (kindOf(fields) === 0 || status !== statusCodes.OK || values === null) return '0x'
    const types = fields.map(({ type }) => type)
    return toHex(abiEncode(types, values))
  }

  return {
    answer: ({ id, feed, callbackGas }, held) => {
      const { report } = held
      const { index } = committee.bundles.find(({ feeds }) => feeds.includes(feed))!
      const call = fromHex(hub.encodeFunctionData('answer', [id, encodedOf(feed, held)]))!
      const data = concat(call, appendix(report, index))
      const { signatures, feedsOf, siblingsOf } = shapeOf(report)
      const used =
        gas.fixed +
        hubGas +
        gas.signature * signatures +
        feedGas * feedsOf(index) +
        gas.sibling * siblingsOf(index) +
        callbackOf(callbackGas)
      return { data: toHex(data), gasLimit: gasOf(data.length, used) }
    },
    expire: ({ id, callbackGas }) => {
      const data = hub.encodeFunctionData('expire', [id])
      return { data, gasLimit: gasOf((data.length - 2) / 2, expireGas + callbackOf(callbackGas)) }
    },
  }
}

/** A call gets at most 63/64 of what is left. */
function callbackOf(callbackGas: number): number {
  return Math.ceil((callbackGas * 64) / 63)
}

/** EIP-7623: calldata costs at least `byteFloor`, whatever is done with it. */
function gasOf(bytes: number, used: number): number {
  return gas.transaction + Math.max(gas.byte * bytes + used, gas.byteFloor * bytes)
}
