// Binance.US: the 24-hour ticker of one spot market.

import type { Adapter } from '../../src/observe/adapter.js'
import { binanceTicker } from '../binance/ticker.js'

/** value/price of the pair; see ../binance/ticker.ts. */
export const binanceUs: Adapter = {
  id: 'binance-us',
  version: 1,
  title: 'Binance.US, spot ticker',
  docs: 'https://docs.binance.us/#get-24h-price-change-statistics',
  ...binanceTicker('api.binance.us'),
}
