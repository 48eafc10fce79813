// Heavy reads: one each turn of the event loop, so many and no more waiting, and histories read page by page.

import { expect, it } from 'vitest'
import { turnBytesMax, waitingMax } from '../../src/api/limits.js'
import { createTurns } from '../../src/api/turns.js'
import { OracleError } from '../../src/base/errors.js'
import { serve, textsAt, timeOf, wordy } from './served.js'

it('come one each turn of the event loop, in order, and are refused beyond a bound', async () => {
  const takeTurn = createTurns()
  const turns: number[] = []
  let loop = 0
  const count = (): void => {
    loop++
    if (turns.length < waitingMax) setImmediate(count)
  }
  setImmediate(count)
  const taken = Array.from({ length: waitingMax }, async (_, i) => {
    await takeTurn()
    turns.push(i)
    return loop
  })
  const refused = await takeTurn().catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(OracleError)
  expect((refused as OracleError).code).toBe('API_BUSY')
  const loops = await Promise.all(taken)
  expect(turns).toEqual(Array.from({ length: waitingMax }, (_, i) => i))
  expect(new Set(loops).size).toBe(waitingMax)
  await takeTurn()
})

it('give whole histories, either way, however many pages they take', async () => {
  const served = await serve(wordy)
  try {
    for (let round = 1; round <= 40; round++) await served.report(round, textsAt(served, round))
    expect(turnBytesMax / served.kernel.layout.bytesMax).toBeLessThan(20)
    const rounds = async (query: string): Promise<number[]> => {
      const response = await served.get(`/v1/feeds/text-9/history?${query}`)
      const { entries } = (await response.json()) as { entries: { round: number; value: { text: string } }[] }
      expect(entries.every(({ round, value }) => Number.parseInt(value.text, 10) === round)).toBe(true)
      return entries.map(({ round }) => round)
    }
    const all = Array.from({ length: 40 }, (_, i) => i + 1)
    expect(await rounds('')).toEqual(all)
    expect(await rounds('reverse=true')).toEqual(all.toReversed())
    expect(await rounds('limit=33')).toEqual(all.slice(0, 33))
    expect(await rounds(`reverse=true&limit=20&toMs=${timeOf(30)}&fromMs=${timeOf(5)}`)).toEqual(
      all.slice(10, 30).toReversed(),
    )
    expect(await rounds(`fromMs=${timeOf(3)}&toMs=${timeOf(38)}`)).toEqual(all.slice(2, 38))
  } finally {
    await served.close()
  }
})
