// Reports made from a number, so that a test knows what every stored one must be.

import type { ReportBlob } from '../../src/store/report-blob.js'

/** Report number `i`: one slot a number, 100 ms apart, values of `bytes` bytes; one source time a report, at offset 6. */
export function reportOf(i: number, bytes = 3000): ReportBlob {
  const values = new Uint8Array(bytes).fill(i & 255)
  new DataView(values.buffer).setUint32(6, i)
  return {
    epoch: Math.floor(i / 50),
    round: (i % 50) + 1,
    attestedAtMs: 1_700_000_000_000 + 100 * i,
    root: new Uint8Array(32).fill((i * 7) & 255),
    signers: [0, 2, 3],
    signatures: [0, 2, 3].map((signer) => new Uint8Array(64).fill((i + signer) & 255)),
    values,
  }
}

/** The number that reportOf put into the values. */
export function numberIn(values: Uint8Array): number {
  return new DataView(values.buffer, values.byteOffset).getUint32(6)
}
