// Every story of test/scenarios/ is played again: what was found once stays mended.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createCasting } from './chunk.js'
import { run } from './run.js'
import type { Story } from './story.js'

const folder = new URL('../scenarios/', import.meta.url)
const stories = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Story)

it('there are stories', () => {
  expect(stories.length).toBeGreaterThan(0)
})

it.each(stories)('$name', async ({ schedule }) => {
  const { violation, reports } = await run(createCasting()(schedule.n), schedule)
  expect(violation).toBeNull()
  expect(reports).toBeGreaterThanOrEqual(10)
})
