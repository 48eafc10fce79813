// A process that stores reports: without end, to be killed, or on a disk that runs full, to be watched (B39).

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { nodeDisk } from '../../src/base/disk.js'
import { openReportStore } from '../../src/store/report-store.js'
import { createSlotRecord, openSlotRecord } from '../../src/store/slot-record.js'
import { numberIn, reportOf } from './reports.js'

const [mode, directory] = process.argv.slice(2) as [string, string]
const path = join(directory, 'reports')
const identity = { address: new Uint8Array(20), salt: new Uint8Array(32), generation: 1 }
const codeOf = (error: unknown): string => (error as { code: string }).code
const say = (line: string): void => console.log(line)

async function open() {
  return openReportStore({
    path,
    onState: (state, code) => say(`state ${state} ${code}`),
    headroomBytes: mode === 'limit' ? 0 : 64 * 1024,
    growBytes: 256 * 1024,
    recheckMs: 20,
  })
}

/** Stores reports from number `first` on until one is refused; returns the number refused. */
async function fill(store: Awaited<ReturnType<typeof open>>, first: number): Promise<number> {
  for (let i = first; ; i++) {
    try {
      // Several at once, so that batches are refused as well.
      await Promise.all([store.put(reportOf(i)), store.put(reportOf(i))])
    } catch (error) {
      say(`refused ${i} ${codeOf(error)}`)
      return i
    }
  }
}

async function write(): Promise<void> {
  const store = await open()
  const first = store.latest() === null ? 0 : numberIn(store.latest()!.values) + 1
  for (let i = first; ; i++) {
    await store.put(reportOf(i))
    say(`stored ${i}`)
  }
}

async function runFull(): Promise<void> {
  const slotPath = join(directory, 'slots')
  await createSlotRecord({ disk: nodeDisk, path: slotPath, identity })
  const record = await openSlotRecord({ disk: nodeDisk, path: slotPath, identity })
  const store = await open()
  let end = await fill(store, 0)
  for (let again = 0; again < 50; again++) await store.put(reportOf(end)).catch((error) => codeOf(error))
  // The record has its room already: a full disk does not keep it from being written.
  await record.persist({ wish: 1, floor: { epoch: 1, round: 9 }, floorMs: 1 })
  say(`record ${record.standing}`)
  if (mode === 'full') {
    say('waiting')
    while (store.state !== 'open') await setTimeout(10)
    end = await fill(store, end)
  }
  const numbers = store.range({ limit: 100_000 }).map(({ values }) => numberIn(values))
  say(`holds ${numbers.length} of ${end} ${numbers.every((n, i) => n === i)}`)
  await store.close()
}

async function runOut(): Promise<void> {
  const slotPath = join(directory, 'slots')
  await createSlotRecord({ disk: nodeDisk, path: slotPath, identity })
  const record = await openSlotRecord({ disk: nodeDisk, path: slotPath, identity })
  const store = await open()
  await store.put(reportOf(0))
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    say(`descriptors ${codeOf(error)}`)
  }
  // What is open goes on; what is opened now is refused, and taken neither for missing nor for damaged.
  await store.put(reportOf(1))
  await record.persist({ wish: 1, floor: { epoch: 1, round: 9 }, floorMs: 1 })
  say(`going on ${record.standing} ${store.state}`)
  say(`record ${await openSlotRecord({ disk: nodeDisk, path: slotPath, identity }).catch(codeOf)}`)
  const other = openReportStore({ path: `${path}-2`, onState: () => {} })
  say(`store ${await other.catch(codeOf)}`)
  for (const descriptor of taken) closeSync(descriptor)
  const again = await openSlotRecord({ disk: nodeDisk, path: slotPath, identity })
  say(`again ${again.standing} ${again.durable.floor.round}`)
  await store.close()
}

if (mode === 'write') await write()
else if (mode === 'descriptors') await runOut()
else await runFull()
