import { describe, expect, it } from 'vitest'
import { cronGapMs } from '../../src/feed/cron.js'

const minute = 60_000
const day = 86_400_000

describe('cron expressions', () => {
  it.each([
    ['* * * * *', minute],
    ['*/5 * * * *', 5 * minute],
    ['*/7 * * * *', 7 * minute],
    ['0 * * * *', 60 * minute],
    ['*/10 * * * * *', 10_000],
    ['30 0 16 * * *', day],
    ['0 16 * * 1-5', 3 * day],
    ['0 16 * * 0', 7 * day],
    ['0 16 * * 7', 7 * day],
    ['0 0 1 * *', 31 * day],
    ['0 0 1 1 *', 366 * day],
    ['0 0 29 2 *', 1461 * day],
    ['*/5 8-20 * * *', (24 - 20) * 60 * minute + 8 * 60 * minute - 55 * minute],
    ['0,10,50 * * * *', 40 * minute],
  ])('%s is silent for at most %d ms', (expression, gapMs) => {
    expect(cronGapMs(expression)).toBe(gapMs)
  })

  it.each([
    '',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * 32 * *',
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    '5/10 * * * *',
    '-1 * * * *',
    '1,, * * * *',
    'a * * * *',
    '* * * jan *',
    '*  * * * *',
    '0 0 31 2 *',
    '0 0 1 * 1',
    '1.5 * * * *',
  ])('%j is refused', (expression) => {
    expect(cronGapMs(expression)).toBeNull()
  })
})
