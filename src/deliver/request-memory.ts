// What a desk of requests remembers over a restart, as JSON bytes; read back strictly, since a disk may give anything.

import { fromHex, utf8 } from '../core/bytes.js'
import type { OpenRequest } from './request-book.js'
import type { ReadMark } from './request-reader.js'

/** What is remembered. */
export interface DeskMemory {
  /** Chain and hub in one word: `31337/0x…`. */
  readonly hub: string
  readonly mark: ReadMark
  readonly requests: readonly OpenRequest[]
}

const version = 1
const ends = ['answered', 'refused', 'gone']

/** `memory` as bytes; feeds by id, since another committee may count them otherwise. */
export function packMemory({ hub, mark, requests }: DeskMemory, feedIds: readonly string[]): Uint8Array {
  const open = requests.map(({ feed, ...request }) => ({ ...request, feedId: feedIds[feed] }))
  return utf8(JSON.stringify({ version, hub, ...mark, open }))
}

/** The memory of `hub` in `bytes`, without requests for feeds that are unknown by now; null where they hold none. */
export function openMemory(bytes: Uint8Array, hub: string, feedIds: readonly string[]): DeskMemory | null {
  try {
    const memory = fieldsOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    if (memory['version'] !== version || memory['hub'] !== hub) return null
    const mark = {
      readTo: integer(memory['readTo'], -1),
      marks: list(memory['marks']).map((entry) => {
        const { number, hash } = fieldsOf(entry)
        return { number: integer(number), hash: hex(hash, 32) }
      }),
    }
    const requests = list(memory['open']).flatMap((entry) => requestOf(fieldsOf(entry), feedIds) ?? [])
    return { hub, mark, requests }
  } catch {
    return null
  }
}

type Fields = Readonly<Record<string, unknown>>

function requestOf(entry: Fields, feedIds: readonly string[]): OpenRequest | null {
  const end = entry['end'] === null ? null : fieldsOf(entry['end'])
  if (end !== null && !ends.includes(end['how'] as string)) throw new Error('no end of a request')
  const feed = feedIds.indexOf(hex(entry['feedId'], 32))
  const request: OpenRequest = {
    id: hex(entry['id'], 32),
    requester: hex(entry['requester'], 20),
    feed,
    requestedAtMs: integer(entry['requestedAtMs']),
    deadlineMs: integer(entry['deadlineMs']),
    callbackGas: integer(entry['callbackGas']),
    blockNumber: integer(entry['blockNumber']),
    blockHash: hex(entry['blockHash'], 32),
    sinceMs: entry['sinceMs'] === null ? null : integer(entry['sinceMs']),
    isAsked: entry['isAsked'] === true,
    isExpired: entry['isExpired'] === true,
    end:
      end === null
        ? null
        : {
            how: end['how'] as 'answered' | 'refused' | 'gone',
            blockNumber: integer(end['blockNumber']),
            isTold: end['isTold'] === true,
          },
  }
  return feed < 0 ? null : request
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
  return value as Fields
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('not a list')
  return value
}

function integer(value: unknown, least = 0): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) throw new Error('not a whole number')
  return value as number
}

function hex(value: unknown, bytes: number): string {
  if (typeof value !== 'string' || fromHex(value, bytes) === null) throw new Error('not 0x hex')
  return value
}
