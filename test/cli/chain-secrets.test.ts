// The key in an endpoint's URL: no command for chains says it, whatever the endpoint does, echoing it included.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RpcProxy, startProxy } from '../chain/rpc-proxy.js'
import { openScene, type Said, type Scene } from './chain-scene.js'

let scene: Scene
let proxy: RpcProxy
let broken: Server
let at: readonly string[]
const secret = '/v2/SECRETKEY?apikey=SECRET2'

beforeAll(async () => {
  scene = await openScene()
  proxy = await startProxy(scene.anvil.url)
  broken = createServer((request, response) => {
    response.statusCode = 500
    response.end(`cannot serve http://${request.headers.host}${request.url}`)
  })
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
  at = ['--deployment', join(scene.folder, 'deployment-31337.json')]
}, 60_000)
afterAll(async () => {
  await new Promise((resolve) => broken.close(resolve))
  await proxy.stop()
  await scene.close()
})

/** Runs a command whose endpoint has a key, and expects that it is not told. */
async function kept(args: readonly string[], origin: string, code: string | null): Promise<Said> {
  const said = await scene.run(args, [`${origin}${secret}`])
  expect(said.error?.code ?? null, said.stderr).toBe(code)
  expect(`${said.stdout}${said.stderr}`).not.toMatch(/SECRET/)
  return said
}

const deploy = (): readonly string[] => ['deploy', scene.folder, ...scene.key, '--no-shadow', 'a test of other things']
const all = (): readonly (readonly string[])[] => [
  deploy(),
  ['status', ...at],
  ['read', 'btc-usd', ...at],
  ['rotate', scene.folder, ...at],
  ['pause', ...at],
  ['request', 'btc-usd', ...at, ...scene.key, '--committee', scene.folder, '--deadline', '1'],
]

/** A JSON-RPC error that repeats what it was asked with; everything else goes through. */
function echo(methods: readonly string[]): void {
  proxy.onReply = (call, reply) => {
    if (!methods.includes(call.method)) return reply
    const message = `execution of ${proxy.url}${secret} failed: path ${secret}, key SECRETKEY, query apikey=SECRET2`
    return { error: { code: -32_000, message, data: { path: secret } } }
  }
}

describe('the key of an endpoint', () => {
  it('stays untold when a transaction or an estimate is refused with it', async () => {
    echo(['eth_sendRawTransaction'])
    await kept(deploy(), proxy.url, 'TRANSACTION_REFUSED')
    echo(['eth_estimateGas'])
    await kept(deploy(), proxy.url, 'TRANSACTION_REVERTED')
    proxy.mend()
  })

  it('stays untold when all is well, in what goes into config.json too', async () => {
    const said = await kept(deploy(), proxy.url, null)
    expect(said.json.config.endpoints).toEqual([{ name: expect.any(String), urlFile: 'endpoint-1.url' }])
    for (const args of all().slice(1, -1)) await kept(args, proxy.url, null)
    // Nobody answers: that is told by its deadline, which is brought about once the request is made.
    const asking = scene.begin(all().at(-1)!, [`${proxy.url}${secret}`])
    let told = ''
    asking.stdout!.on('data', (bytes) => (told += bytes))
    await new Promise<void>((resolve) => {
      asking.stderr!.on('data', (bytes) => {
        told += bytes
        if (told.includes('Asked in block')) resolve()
      })
    })
    await scene.anvil.ask('evm_increaseTime', 700)
    await scene.anvil.mine()
    expect(await new Promise((resolve) => asking.once('close', resolve)), told).toBe(1)
    expect(told).toContain('"end":"expired"')
    expect(told).not.toMatch(/SECRET/)
  })

  it('stays untold when a call reverts, or a registry is none', async () => {
    const stranger = await scene.keyOf('stranger', '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d')
    await kept(['pause', ...at, ...stranger], proxy.url, 'TRANSACTION_REVERTED')
    echo(['eth_call'])
    for (const args of all().slice(1)) await kept(args, proxy.url, 'CHAIN_NO_QUORUM')
    proxy.mend()
  })

  it('stays untold at a dead port, in a page of an error, and in an error for everything', async () => {
    const dead = 'http://127.0.0.1:1'
    const page = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`
    for (const origin of [dead, page]) for (const args of all()) await kept(args, origin, 'CHAIN_NO_QUORUM')
    echo(['eth_chainId', 'eth_getBlockByNumber'])
    for (const args of all()) await kept(args, proxy.url, 'CHAIN_NO_QUORUM')
    proxy.mend()
  })
})
