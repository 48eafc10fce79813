// `assay report`: a stored report as report.json, out of a stopped oracle's folder.

import { join } from 'node:path'
import { OracleError } from '../base/errors.js'
import { loadConfig } from '../config.js'
import type { Slot } from '../core/messages.js'
import { reportKernel } from '../core/report.js'
import { buildReport } from '../core/report-json.js'
import { createWasmEngine } from '../crypto/engine-wasm.js'
import { lockDirectory } from '../store/directory-lock.js'
import { openReportStore } from '../store/report-store.js'
import { reportsName } from '../store/reports-name.js'

/** The bytes of report.json of `slot`, or of the latest report; REPORT_UNKNOWN, DIRECTORY_IN_USE while the oracle runs. */
export async function storedReport(folder: string, slot: Slot | null): Promise<Uint8Array> {
  const engine = await createWasmEngine()
  const { committee, state } = loadConfig(engine, folder)
  const lock = await lockDirectory(state)
  try {
    const store = await openReportStore({ path: join(state, reportsName(engine, committee)), onState: () => undefined })
    try {
      const found = slot === null ? store.latest() : store.bySlot(slot)
      if (found === null) {
        const which = slot === null ? 'no report yet' : `no report of slot ${slot.epoch}/${slot.round}`
        throw new OracleError('REPORT_UNKNOWN', `the store has ${which}`, { path: folder })
      }
      const { seals, ...report } = found
      const parts = seals === null ? report : { ...report, seals }
      return buildReport(engine, committee, reportKernel(engine, committee), parts)
    } finally {
      await store.close()
    }
  } finally {
    await lock.release()
  }
}
