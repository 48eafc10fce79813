// What the commands for chains refuse before anything is paid, what a lying endpoint cannot do, and a deployment that is killed.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changing } from '../chain/quorum-fixture.js'
import { type RpcProxy, startProxy } from '../chain/rpc-proxy.js'
import { openScene, rich, type Said, type Scene } from './chain-scene.js'

let scene: Scene
let proxies: readonly RpcProxy[]
const units = 6_400_010_000_000n
/** Public accounts of anvil's mnemonic: worthless anywhere else. */
const poorKey = `0x${'17'.repeat(32)}`

beforeAll(async () => {
  scene = await openScene(['--block-time', '1'])
  proxies = await Promise.all([0, 1, 2].map(() => startProxy(scene.anvil.url)))
  await scene.attest(units)
}, 60_000)
afterAll(async () => {
  for (const proxy of proxies) await proxy.stop()
  await scene.close()
})

const nonce = async (): Promise<number> =>
  Number(await scene.anvil.ask('eth_getTransactionCount', rich.address, 'latest'))
const out = (name: string): string => join(scene.folder, name)
const plain = (name: string): string[] => ['deploy', scene.folder, ...scene.key, '--out', out(name)]
const shadowed = (name: string): string[] => [...plain(name), '--api', scene.served.api.url]
const withoutShadow = (name: string): string[] => [...plain(name), '--no-shadow', 'a test of other things']

/** Refused with `code`, with nothing sent and no file begun. */
async function refused(said: Promise<Said>, code: string, name: string): Promise<string> {
  const before = await nonce()
  const { code: exit, error, json, stderr } = await said
  expect(`${exit} ${error?.code} ${stderr.includes('    at ')}`).toBe(`1 ${code} false`)
  expect(json).toBeNull()
  expect(await nonce()).toBe(before)
  expect(existsSync(out(name))).toBe(false)
  return error!.message
}

/** An account that answers every call with these words. */
async function answering(address: string, words: readonly bigint[]): Promise<void> {
  const code = words
    .map((word, i) => `7f${word.toString(16).padStart(64, '0')}60${(32 * i).toString(16).padStart(2, '0')}52`)
    .join('')
  await scene.anvil.ask('anvil_setCode', address, `0x${code}60${(32 * words.length).toString(16)}6000f3`)
}

describe('assay chain deploy refuses', () => {
  it('another chain than the profile says', async () => {
    const owners = ['--owner', rich.address, '--guardian', rich.address]
    const said = scene.run([...withoutShadow('a.json'), '--chain', 'base', ...owners])
    expect(await refused(said, 'CHAIN_ID_WRONG', 'a.json')).toContain('its chain id is 31337, not 8453')
  })

  it('a chain that is not local without owner and guardian', async () => {
    const said = scene.run([...withoutShadow('b.json'), '--chain', 'base', '--chain-id', '31337'])
    expect(await refused(said, 'DEPLOYMENT_UNFIT', 'b.json')).toContain('--owner')
  })

  it('a key without funds, and says how much it lacks', async () => {
    const poor = await scene.keyOf('poor', poorKey)
    const said = scene.run(['deploy', scene.folder, ...poor, '--out', out('c.json'), '--no-shadow', 'a test'])
    expect(await refused(said, 'KEY_UNFUNDED', 'c.json')).toMatch(
      /has 0\.000000 ETH on local; up to \d+\.\d{6} ETH are needed/,
    )
  })

  it('no key at all, or no endpoint', async () => {
    const keyless = scene.run(['deploy', scene.folder, '--out', out('d.json'), '--no-shadow', 'a test'])
    await refused(keyless, 'KEY_FILE_UNREADABLE', 'd.json')
    await refused(scene.run(withoutShadow('d.json'), []), 'CHAIN_CONFIG_INVALID', 'd.json')
  })

  it('a first value that differs from what its sources say here', async () => {
    scene.price = '70000'
    const said = await refused(scene.run([...shadowed('e.json'), ...scene.sources]), 'SHADOW_MISMATCH', 'e.json')
    scene.price = '64000'
    expect(said).toContain('btc-usd: the committee attests 64000.10000000')
    expect(said).toContain(
      'says 70000.00000000: 85712 ppm apart, allowed are 20000 (outlierPercent of its declaration)',
    )
  })

  it('a first value that differs from another oracle’s, and takes one within the bound', async () => {
    const aggregator = `0x${'ab'.repeat(20)}`
    const nowS = BigInt(Math.floor(Date.now() / 1000))
    const compare = ['--compare', `btc-usd=${aggregator}:3600`]
    const bound = ['--shadow-ppm', '1000']
    await answering(aggregator, [8n, 6_500_000_000_000n, 0n, nowS, 8n])
    const said = scene.run([...shadowed('f.json'), ...compare, ...bound])
    expect(await refused(said, 'SHADOW_MISMATCH', 'f.json')).toContain(
      '15383 ppm apart, allowed are 1000 (--shadow-ppm)',
    )
    await refused(scene.run([...shadowed('f.json'), ...compare]), 'SHADOW_ABSENT', 'f.json')
    await answering(aggregator, [8n, 6_500_000_000_000n, 0n, nowS - 4_000n, 8n])
    const old = scene.run([...shadowed('f.json'), ...compare, ...bound])
    expect(await refused(old, 'SHADOW_ABSENT', 'f.json')).toContain('allowed are 3600 s')
    // Of other decimals, and near enough: what is refused then is only the empty key.
    await answering(aggregator, [6n, 64_000_200_000n, 0n, nowS, 6n])
    const poor = await scene.keyOf('poorer', poorKey)
    const near = ['deploy', scene.folder, ...poor, '--out', out('f.json'), '--api', scene.served.api.url]
    await refused(scene.run([...near, ...compare, ...bound]), 'KEY_UNFUNDED', 'f.json')
  })

  it('feeds that nothing can be held against, unless it is said why', async () => {
    const said = await refused(scene.run(plain('g.json')), 'SHADOW_ABSENT', 'g.json')
    expect(said).toContain('btc-usd has no attested value')
    await refused(scene.run(shadowed('g.json')), 'SHADOW_ABSENT', 'g.json')
  })

  it('what no committee has', async () => {
    const facade = scene.run([...withoutShadow('h.json'), '--facade', 'eth-usd', '--api', scene.served.api.url])
    await refused(facade, 'DEPLOYMENT_UNFIT', 'h.json')
    await refused(scene.run([...withoutShadow('h.json'), '--store', 'bundle=gone']), 'DEPLOYMENT_UNFIT', 'h.json')
  })

  it('options that cannot be meant, with exit code 2', async () => {
    const wrong = [
      ['--owner', '0x12'],
      ['--compare', 'btc-usd'],
    ]
    const all = await Promise.all(wrong.map((more) => scene.run([...withoutShadow('i.json'), ...more])))
    expect(all.map(({ code }) => code)).toEqual([2, 2])
  })
})

describe('a deployment that is killed', () => {
  it('goes on where it was: one registry, no transaction twice', async () => {
    const before = await nonce()
    const owner = `0x${'0a'.repeat(20)}`
    const args = [...withoutShadow('killed.json'), '--owner', owner]
    // With the first transaction on its way, with the second, and when that is in a block and not yet in the file.
    for (const sign of ['  sent ', '  sent ', '  in block ']) {
      const child = scene.begin(args)
      child.stderr!.on('data', (bytes: Buffer) => {
        if (bytes.toString().includes(sign)) child.kill('SIGKILL')
      })
      expect(await new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)))).toBe('SIGKILL')
    }
    const said = await scene.run(args)
    expect(said.error).toBeNull()
    const { steps, shadow } = said.json
    const names = ['registry', 'start', 'store', 'hub', 'handover']
    expect(steps.map(({ step }: { step: string }) => step)).toEqual(names)
    expect(shadow).toEqual({ leftOut: 'a test of other things' })
    expect(await nonce()).toBe(before + names.length)
    const status = await scene.run(['status', '--deployment', out('killed.json')])
    expect(status.json.lineage).toMatchObject({ owner: rich.address, pendingOwner: owner })
  })
})

describe('a deployment that waits for its first values', () => {
  it('holds those of now against independent ones of now, whatever was compared before', async () => {
    const args = [...shadowed('waits.json'), ...scene.sources, '--push']
    await scene.attest(units)
    const child = scene.begin(args)
    let told = ''
    child.stderr!.on('data', (bytes: Buffer) => {
      told += bytes.toString()
      // The hub is on its way; first values come after it.
      if (/4 of 5[\s\S]* sent /.test(told)) child.kill('SIGKILL')
    })
    expect(await new Promise((resolve) => child.once('close', (_, signal) => resolve(signal))), told).toBe('SIGKILL')
    const before = await nonce()
    scene.price = '70000'
    await scene.attest(units)
    const said = await scene.run(args)
    expect(said.error, said.stderr).toMatchObject({ code: 'SHADOW_MISMATCH' })
    expect(await nonce()).toBeLessThanOrEqual(before + 1)
    scene.price = '65000'
    await scene.attest(6_500_010_000_000n)
    const done = await scene.run(args)
    expect(done.code, done.stderr).toBe(0)
    expect(done.json.shadow).toMatchObject([
      { feed: 'btc-usd', attested: '65000.10000000', independent: '65000.00000000' },
    ])
    expect(done.json.steps).toHaveLength(5)
    scene.price = '64000'
  })
})

describe('endpoints that lie', () => {
  const three = (): string[] => proxies.map(({ url }) => `${url}/v2/verySecretKey`)
  const status = (): string[] => ['status', '--deployment', out('killed.json')]

  it('are named and outvoted when they are few, and never with their URL', async () => {
    proxies[2]!.onReply = changing('eth_getCode', () => '0x')
    proxies[0]!.onReply = null
    const said = await scene.run(status(), three())
    // No first value was pushed: that is why it is not all right.
    expect(said).toMatchObject({ code: 1, json: { isCommittee: true, lineage: { generation: 1 } } })
    expect(said.json.endpoints).toHaveLength(3)
    expect(said.stdout + said.stderr).not.toContain('verySecretKey')
  })

  it('say that there is no code: nothing is deployed again', async () => {
    proxies[1]!.onReply = changing('eth_getCode', () => '0x')
    const before = await nonce()
    const owner = ['--owner', `0x${'0a'.repeat(20)}`]
    const said = await scene.run([...withoutShadow('killed.json'), ...owner], three())
    expect(said).toMatchObject({ code: 1, error: { code: 'CONTRACT_UNFIT' } })
    expect(await scene.run(status(), three())).toMatchObject({ code: 1, error: { code: 'CONTRACT_UNFIT' } })
    expect(await nonce()).toBe(before)
    for (const proxy of proxies) proxy.mend()
  })

  it('are of another chain', async () => {
    for (const proxy of proxies.slice(1)) proxy.onReply = changing('eth_chainId', () => '0x1')
    const said = await scene.run(withoutShadow('j.json'), three())
    expect(said.stdout + said.stderr).not.toContain('verySecretKey')
    await refused(Promise.resolve(said), 'CHAIN_ID_WRONG', 'j.json')
    for (const proxy of proxies) proxy.mend()
  })

  it('contradict each other about code: nothing is done on anybody’s word', async () => {
    proxies.forEach((proxy, i) => {
      proxy.onReply = changing('eth_getCode', () => `0x6${i}`)
    })
    const said = await scene.run(status(), three())
    expect(said).toMatchObject({ code: 1, error: { code: 'CHAIN_NO_QUORUM' } })
    for (const proxy of proxies) proxy.mend()
  })
})

describe('a deployment file', () => {
  it('of addresses without code is refused', async () => {
    const document = JSON.parse(readFileSync(out('killed.json'), 'utf8'))
    document.deployed.registry = `0x${'77'.repeat(20)}`
    writeFileSync(out('moved.json'), JSON.stringify(document))
    const said = await scene.run(['status', '--deployment', out('moved.json')])
    expect(said).toMatchObject({ code: 1, error: { code: 'CONTRACT_UNFIT' } })
    expect(said.error!.message).toContain('there is no code at this address')
    rmSync(out('moved.json'))
  })

  it('that is not there, damaged, of another chain or not finished is refused', async () => {
    const begun = { version: 1, chainId: 31_337, steps: [], feeds: [], deployed: null }
    const texts = ['{"version":1}', JSON.stringify({ ...begun, chainId: 5 }), JSON.stringify(begun)]
    const read = (name: string): Promise<Said> => scene.run(['read', 'btc-usd', '--deployment', out(name)])
    const all = texts.map(async (text, i) => {
      writeFileSync(out(`odd-${i}.json`), text)
      return read(`odd-${i}.json`)
    })
    for (const said of await Promise.all([read('none.json'), ...all]))
      expect(said).toMatchObject({ code: 1, error: { code: 'DEPLOYMENT_UNFIT' } })
  })
})

describe('a chain whose clock stands still', () => {
  it('is told apart from a report that is of the future', async () => {
    const still = await openScene(['--timestamp', `${Math.floor(Date.now() / 1000) - 120}`])
    try {
      await still.attest(units)
      const args = [
        'deploy',
        still.folder,
        ...still.key,
        '--no-shadow',
        'a test',
        '--api',
        still.served.api.url,
        '--push',
      ]
      const said = await still.run(args)
      expect(said, said.stderr).toMatchObject({ code: 1, error: { code: 'TRANSACTION_REVERTED' } })
      expect(said.error!.message).toMatch(
        /FutureReport\(\d+\): the clock of this chain stands still, its last block \d+/,
      )
      expect(said.error!.message).toContain('evm_mine')
      await still.anvil.ask('evm_increaseTime', 120)
      await still.anvil.mine()
      expect((await still.run(args)).json?.steps).toHaveLength(5)
    } finally {
      await still.close()
    }
  })
})
