// The ten statuses of a value, best to worst: what a reader is told beside every number (I-6).

/** Names by code: the code is what meta packs and what P8 ranks; a larger code is worse. */
export const statuses: readonly [
  'OK',
  'LOW_CONFIDENCE',
  'LOW_LIQUIDITY',
  'CLAMPED',
  'MARKET_CLOSED',
  'DIVERGED',
  'STALE',
  'OUT_OF_RANGE',
  'HALT',
  'NO_DATA',
] = [
  'OK',
  'LOW_CONFIDENCE',
  'LOW_LIQUIDITY',
  'CLAMPED',
  'MARKET_CLOSED',
  'DIVERGED',
  'STALE',
  'OUT_OF_RANGE',
  'HALT',
  'NO_DATA',
]

export type Status = (typeof statuses)[number]

/** Codes by name: statusCodes.OK is 0, statusCodes.NO_DATA is 9. NO_DATA holds exactly when there is no value. */
export const statusCodes: Readonly<Record<Status, number>> = {
  OK: 0,
  LOW_CONFIDENCE: 1,
  LOW_LIQUIDITY: 2,
  CLAMPED: 3,
  MARKET_CLOSED: 4,
  DIVERGED: 5,
  STALE: 6,
  OUT_OF_RANGE: 7,
  HALT: 8,
  NO_DATA: 9,
}
