// What the id of a request's job says: one answer by one report, or one try to tell the requester that there was none.

import { fromHex } from '../core/bytes.js'

/** answer: onAnswer; refuse: a report whose status is not OK; expire: the deadline is over. */
export type RequestAct = 'answer' | 'refuse' | 'expire'

/** What a job is known by, also after a restart. */
export interface RequestJob {
  /** Chain and hub in one word: `31337/0x…`. */
  readonly hub: string
  /** The request's id on chain. */
  readonly id: string
  readonly act: RequestAct
  /** T of the report, or when the turn began in which it is told that there was none. */
  readonly atMs: number
}

/** `request/31337/0x…/0x…/answer/T`. */
export function requestJobId({ hub, id, act, atMs }: RequestJob): string {
  return `request/${hub}/${id}/${act}/${atMs}`
}

/** What `requestJobId` was made of; null for any other text. */
export function parseRequestJob(text: string): RequestJob | null {
  const [word, chain, hub, id, act, time, ...rest] = text.split('/')
  if (word !== 'request' || rest.length > 0 || fromHex(hub ?? '', 20) === null || fromHex(id ?? '', 32) === null)
    return null
  if (act !== 'answer' && act !== 'refuse' && act !== 'expire') return null
  if (![chain, time].every((number) => /^(?:0|[1-9][0-9]{0,14})$/.test(number ?? ''))) return null
  return { hub: `${chain}/${hub}`, id: id!, act, atMs: Number(time) }
}
