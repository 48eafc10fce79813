// Binance: the 24-hour ticker of one spot market.

import type { Adapter } from '../../src/observe/adapter.js'
import { binanceTicker } from './ticker.js'

/** value/price of the pair; see ticker.ts. */
export const binance: Adapter = {
  id: 'binance',
  version: 1,
  title: 'Binance, spot ticker',
  docs: 'https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints',
  ...binanceTicker('api.binance.com'),
}
