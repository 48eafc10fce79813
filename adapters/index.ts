// The table of adapters: a new source is a folder and a line here.

import type { Adapter } from '../src/observe/adapter.js'
import { binance } from './binance/adapter.js'
import { binanceUs } from './binance-us/adapter.js'
import { bitstamp } from './bitstamp/adapter.js'
import { coinbase } from './coinbase/adapter.js'
import { coinbaseStream } from './coinbase-stream/adapter.js'
import { cryptoCom } from './crypto-com/adapter.js'
import { ecb } from './ecb/adapter.js'
import { gemini } from './gemini/adapter.js'
import { httpJson } from './http-json/adapter.js'
import { kraken } from './kraken/adapter.js'
import { openMeteo } from './open-meteo/adapter.js'
import { usgs } from './usgs/adapter.js'

/** Every adapter of this version, one a source. */
export const adapters: readonly Adapter[] = [
  binance,
  binanceUs,
  bitstamp,
  coinbase,
  coinbaseStream,
  cryptoCom,
  ecb,
  gemini,
  httpJson,
  kraken,
  openMeteo,
  usgs,
]
