// kill −9 at every named point of a sender's life on a real node: no effect twice, none lost, no gap that stays (B36, I06).

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ended, startChild } from '../store/child.js'
import { type Scene, withScene } from './sender-scene.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-kill-'))
afterAll(() => rmSync(folder, { recursive: true }))

const lines = ['before its line', 'half its line', 'line not synced', 'line synced']
const points: readonly string[] = [
  ...['header', 'first', 'next', 'raise', 'end', 'lost', 'final'].flatMap((subject) =>
    lines.map((line) => `${subject}: ${line}`),
  ),
  ...[0, 1, 2, 3].flatMap((nonce) => [`sign ${nonce}: before`, `sign ${nonce}: after`]),
  ...[1, 2, 3, 4, 5, 6].flatMap((number) => [`send ${number}: before`, `send ${number}: after`]),
  ...['sight: head read', 'sight: no receipt read', 'sight: receipt read'],
  ...['doubt: before asking', 'doubt: asked'],
  ...['told: sent', 'told: alarm', 'told: end 1', 'told: end 2', 'told: end 3'],
]

/** Runs the child against the scene's node until it ends; how it ended. */
async function live(scene: Scene, path: string, point: string): Promise<string> {
  const { signal, code, errors, lines } = await ended(
    startChild('chain/child-sender', [scene.anvil.url, path, scene.counter, point]),
  )
  return signal ?? `${code} ${lines.join()}${errors}`
}

/** Goes on where the dead process ended; its caller submits all jobs again, as it cannot know what became of them. */
async function recover(scene: Scene, path: string): Promise<void> {
  const slots = [1, 2, 3]
  const counts = (): Promise<readonly number[]> => Promise.all(slots.map(scene.count))
  const stillWanted = async ({ data }: { readonly data: string }): Promise<boolean> =>
    (await scene.count(Number(data))) === 0
  const sender = await scene.open({ confirmations: 2, finalityBlocks: 4 }, { stillWanted, path })
  await sender.look()
  for (const slot of slots) await sender.submit(scene.job(slot))
  await sender.idle()
  let blocks = 0
  while (!(await counts()).every((count) => count === 1)) {
    await scene.round(sender)
    blocks++
    expect(Math.max(...(await counts()))).toBeLessThanOrEqual(1)
    expect(blocks).toBeLessThanOrEqual(6)
  }
  for (let i = 0; i < 6; i++) await scene.round(sender)
  expect(await counts()).toEqual([1, 1, 1])
  expect(new Set(scene.ends())).toEqual(new Set(slots.map((slot) => `job ${slot} done`)))
  // Nothing is left waiting: what the chain and the pool count agrees.
  const latest = await scene.anvil.ask('eth_getTransactionCount', scene.address, 'latest')
  expect(await scene.anvil.ask('eth_getTransactionCount', scene.address, 'pending')).toBe(latest)
  expect(sender.facts().underWay).toEqual([])
}

describe('kill -9', () => {
  it('is what ends each life below: left alone, the child comes through', () =>
    withScene(async (scene) => {
      const path = join(folder, 'whole')
      expect(await live(scene, path, 'never')).toBe('0 taken,3 ends told, 6 sent')
      expect(readFileSync(path, 'utf8')).toContain('"kind":"lost"')
      await recover(scene, path)
    }))

  it.each(points.map((point, index) => [point, index] as const))(
    'at "%s" loses nothing and does nothing twice',
    (point, index) =>
      withScene(async (scene) => {
        const path = join(folder, `journal-${index}`)
        expect(await live(scene, path, point)).toBe('SIGKILL')
        await recover(scene, path)
      }),
  )

  it('again and again, in the middle of the recovery as well', () =>
    withScene(async (scene) => {
      const path = join(folder, 'often')
      const deaths = [
        'first: line synced',
        'send 1: before',
        'sight: no receipt read',
        'raise: half its line',
        'lost: line synced',
      ]
      for (const point of deaths) expect(await live(scene, path, point)).toMatch(/^(SIGKILL|0 )/)
      await recover(scene, path)
    }))
})
