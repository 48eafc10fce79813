// Commands that gave up waiting and are run again on a real chain: what they sent before counts, and nothing is done twice.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openScene, rich, type Said, type Scene } from './chain-scene.js'

let scene: Scene
let at: readonly string[]

beforeAll(async () => {
  scene = await openScene()
  const said = await scene.run(['deploy', scene.folder, ...scene.key, '--no-shadow', 'a test of other things'])
  expect(said.code, said.stderr).toBe(0)
  at = ['--deployment', join(scene.folder, 'deployment-31337.json')]
  // From here on a block comes when a test says so.
  await scene.anvil.ask('evm_setAutomine', false)
}, 60_000)
afterAll(() => scene.close())

const nonce = async (): Promise<number> =>
  Number(await scene.anvil.ask('eth_getTransactionCount', rich.address, 'latest'))
const patience = ['--deadline', '1']
const request = (...more: string[]): Promise<Said> =>
  scene.run(['request', 'btc-usd', ...at, '--committee', scene.folder, ...more])
/** The facts of an error. */
function factsOf(said: Said): { nonce: number; requester: string; id: string; hash: string } {
  return JSON.parse(said.stderr.trim().split('\n').at(-1)!).error.facts
}

/** Expects that the command gave up, having sent at nonce `used`. */
function gaveUp(said: Said, used: number, words: string): void {
  expect(`${said.code} ${said.error?.code}`, said.stderr).toBe('1 TRANSACTION_NOT_MINED')
  expect(said.error!.message).toContain(`(nonce ${used} of ${rich.address})`)
  expect(said.error!.message).toContain(words)
  expect(factsOf(said).hash).toMatch(/^0x[0-9a-f]{64}$/)
}

describe('a command that is run again', () => {
  it('pauses once: at the same nonce while nothing is in a block, not at all afterwards', async () => {
    const before = await nonce()
    const pause = ['pause', ...at, ...scene.key]
    for (let i = 0; i < 2; i++) gaveUp(await scene.run([...pause, ...patience]), before, 'looks at the registry first')
    await scene.anvil.mine()
    expect((await scene.run(pause)).json).toMatchObject({ state: 'paused', called: null })
    expect(await nonce()).toBe(before + 1)
  })

  it('looks again when the nonce of its call went to the same call of an earlier run', async () => {
    const before = await nonce()
    const end = ['pause', '--end', ...at, ...scene.key]
    gaveUp(await scene.run([...end, ...patience]), before, 'looks at the registry first')
    // At a lower price, so that it is another transaction.
    const { baseFeePerGas } = await scene.anvil.ask<{ baseFeePerGas: string }>('eth_getBlockByNumber', 'latest', false)
    const second = scene.begin([...end, '--max-gwei', (Number(baseFeePerGas) / 8e8).toFixed(3)])
    let stderr = ''
    let stdout = ''
    second.stdout!.on('data', (bytes) => (stdout += bytes))
    await new Promise<void>((resolve) => {
      second.stderr!.on('data', (bytes) => {
        stderr += bytes
        if (stderr.includes('  sent ')) resolve()
      })
    })
    // The first one is in this block: the second run must not send a third.
    await scene.anvil.mine()
    expect(await new Promise((resolve) => second.once('close', resolve)), stderr).toBe(0)
    expect(stderr).toContain('looking at the registry again')
    expect(JSON.parse(stdout)).toMatchObject({ state: 'waits', called: null })
    expect((await scene.run(end)).json).toMatchObject({ state: 'waits', called: null })
    expect(await nonce()).toBe(before + 1)
  })

  it('takes back a proposal that is not there any more without a word of error', async () => {
    const said = await scene.run(['rotate', '--cancel', ...at, ...scene.key])
    expect(said).toMatchObject({ code: 0, json: { state: 'none', called: null } })
  })

  it('goes on with the requester that it deployed, and with the request that this one made', async () => {
    const before = await nonce()
    const first = await request(...scene.key, ...patience)
    gaveUp(first, before, 'another requester is deployed')
    const { requester } = factsOf(first)
    expect(first.stderr).toContain(`--requester ${requester} goes on from there`)
    // It is not there yet: nothing is asked, and no other is deployed.
    expect((await request(...scene.key, '--requester', requester)).error).toMatchObject({ code: 'CONTRACT_UNFIT' })
    await scene.anvil.mine()
    expect(await scene.anvil.ask('eth_getCode', requester, 'latest')).not.toBe('0x')

    for (let i = 0; i < 2; i++) {
      const asking = await request(...scene.key, ...patience, '--requester', requester)
      gaveUp(asking, before + 1, `--requester ${requester}`)
    }
    await scene.anvil.mine()
    await scene.anvil.ask('evm_increaseTime', 700)
    await scene.anvil.mine()
    const waiting = await request(...scene.key, '--requester', requester)
    expect(waiting, waiting.stderr).toMatchObject({ code: 1, json: { end: 'expired', requester } })
    expect(waiting.stderr).toContain('nothing more is sent')
    expect(await nonce()).toBe(before + 2)

    // With the id no key is needed.
    const { id } = waiting.json
    expect(await request('--id', id)).toMatchObject({ code: 1, json: { end: 'expired', id, requester } })
    const strange = await request('--id', `0x${'5'.repeat(64)}`)
    expect(strange.error).toMatchObject({ code: 'CONTRACT_UNFIT' })
    expect(strange.error!.message).toContain('has no request')
    expect(await nonce()).toBe(before + 2)
  })
})
