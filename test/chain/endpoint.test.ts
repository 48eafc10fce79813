import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import nock from 'nock'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { OracleError } from '../../src/base/errors.js'
import { toBlock, toInteger } from '../../src/chain/answers.js'
import { createEndpoint, type Endpoint } from '../../src/chain/endpoint.js'
import { EndpointError } from '../../src/chain/endpoint-error.js'
import { callOf } from '../../src/chain/questions.js'

const host = 'http://rpc.example'
const ends: (() => void)[] = []
// Other files of this process talk to 127.0.0.1; nock is on for this one only, and never lets a name be looked up.
beforeAll(() => {
  if (!nock.isActive()) nock.activate()
  nock.disableNetConnect()
  nock.enableNetConnect('127.0.0.1')
})
afterEach(() => {
  for (const end of ends.splice(0)) end()
  nock.cleanAll()
})
afterAll(() => {
  nock.enableNetConnect()
  nock.restore()
})

function endpointAt(url: string, limits: { timeoutMs?: number; bytesMax?: number } = {}): Endpoint {
  const endpoint = createEndpoint({ name: 'one', url }, 31_337, { timeoutMs: 300, bytesMax: 10_000, ...limits })
  ends.push(() => endpoint.close())
  return endpoint
}

/** A real server, for what happens below HTTP. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function faultOf(work: Promise<unknown>): Promise<EndpointError> {
  const error = await work.then(
    (value) => new Error(`it answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (error instanceof EndpointError) return error
  throw error
}

const chainId = (endpoint: Endpoint): Promise<number> => endpoint.ask('eth_chainId', [], toInteger)
const told = (result: unknown) => (_: string, body: unknown) => ({
  jsonrpc: '2.0',
  id: (body as { id: number }).id,
  result,
})

describe('an endpoint, nock in front of ethers’ provider', () => {
  it('asks one call a request and gives its answer', async () => {
    const bodies: unknown[] = []
    nock(host)
      .post('/', (body) => bodies.push(body) > 0)
      .times(2)
      .reply(200, told('0x7a69'))
    const endpoint = endpointAt(host)
    expect(await Promise.all([chainId(endpoint), chainId(endpoint)])).toEqual([31_337, 31_337])
    expect(bodies).toMatchObject([{ method: 'eth_chainId', params: [] }, { method: 'eth_chainId' }])
  })

  it('asks again each time: nothing is remembered', async () => {
    nock(host).post('/').reply(200, told('0x1'))
    nock(host).post('/').reply(200, told('0x2'))
    const endpoint = endpointAt(host)
    expect([await chainId(endpoint), await chainId(endpoint)]).toEqual([1, 2])
  })

  it.each([
    ['a page', 200, '<!DOCTYPE html><p>Just a moment…', 'body'],
    ['text', 200, 'OK', 'body'],
    ['cut JSON', 200, '{"jsonrpc":"2.0","id":1,"resu', 'body'],
    ['an empty body', 200, '', 'body'],
    ['a batch', 200, '[{"jsonrpc":"2.0","id":1,"result":"0x1"}]', 'body'],
    ['the answer to another request', 200, '{"jsonrpc":"2.0","id":99,"result":"0x1"}', 'body'],
    ['an error that is none', 200, '{"jsonrpc":"2.0","id":1,"error":null}', 'body'],
    ['no result', 200, '{"jsonrpc":"2.0","id":1}', 'shape'],
    ['a number for a quantity', 200, '{"jsonrpc":"2.0","id":1,"result":31337}', 'shape'],
    ['a quantity beyond 2^53', 200, '{"jsonrpc":"2.0","id":1,"result":"0xffffffffffffffff"}', 'shape'],
    ['a rate limit within JSON', 200, '{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"slow down"}}', 'busy'],
    ['an error', 200, '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"header not found"}}', 'refused'],
    ['500', 500, '{"jsonrpc":"2.0","id":1,"result":"0x7a69"}', 'status'],
    ['a redirect', 307, '', 'status'],
    ['401', 401, 'no', 'status'],
  ] as const)('%s is %s', async (_, status, body, fault) => {
    nock(host).post('/').reply(status, body, { location: 'http://other.example/' })
    expect((await faultOf(chainId(endpointAt(host)))).fault).toBe(fault)
  })

  it('429 is not asked again, and says for how long', async () => {
    nock(host).post('/').reply(429, 'slow down', { 'retry-after': '7' })
    const error = await faultOf(chainId(endpointAt(host)))
    expect([error.fault, error.message, error.restMs]).toEqual(['status', 'HTTP 429', 7_000])
    expect(nock.pendingMocks()).toEqual([])
  })

  it('a hang ends at the deadline', async () => {
    nock(host).post('/').delay(5_000).reply(200, told('0x7a69'))
    const startMs = performance.now()
    expect((await faultOf(chainId(endpointAt(host)))).fault).toBe('timeout')
    expect(performance.now() - startMs).toBeLessThan(2_000)
  })

  it('a lost connection does not show the address, which may hold a key', async () => {
    nock(host)
      .post('/key-of-mine')
      .replyWithError(Object.assign(new Error('at /key-of-mine'), { code: 'ECONNRESET' }))
    const error = await faultOf(chainId(endpointAt(`${host}/key-of-mine`)))
    expect([error.fault, error.message]).toEqual(['unreachable', 'the connection failed (ECONNRESET)'])
  })

  it('a wrong head, with a hash that is none, is no block', async () => {
    nock(host)
      .post('/')
      .reply(200, told({ number: '0x10', hash: '0x12', parentHash: '0x', timestamp: '0x1' }))
    const error = await faultOf(endpointAt(host).ask('eth_getBlockByNumber', ['latest', false], toBlock))
    expect([error.fault, error.message]).toEqual(['shape', 'eth_getBlockByNumber: data is not 32 bytes long'])
  })

  it.each([
    ['objects', ['eth_getBlockByNumber'], `,"x":[${'{},'.repeat(100_000)}0]`, 'the answer is padded'],
    ['zeros', ['eth_getBlockByNumber'], `,"x":[${'0,'.repeat(100_000)}0]`, 'the answer is padded'],
    ['blanks', ['eth_getBalance'], ' '.repeat(200_000), 'the answer has more than 128000 bytes'],
    ['a long block', ['eth_getBlockByNumber'], ' '.repeat(600_000), 'the answer has more than 512000 bytes'],
  ])('padded with %s is no answer, though what it says is right', async (_, [method], padding, message) => {
    nock(host).post('/').reply(200, `{"jsonrpc":"2.0","id":1,"result":"0x1"${padding}}`)
    const endpoint = endpointAt(host, { bytesMax: 8_000_000, timeoutMs: 5_000 })
    const error = await faultOf(endpoint.ask(method!, [], toInteger))
    expect([error.fault, error.message]).toEqual(['body', message])
  })

  it('keeps the key in its URL to itself, whoever repeats it', async () => {
    const message = 'project SECRETKEY1 has no access, see http://127.0.0.1:1/v3/SECRETKEY1'
    nock(host)
      .post('/v3/SECRETKEY1')
      .reply(200, { jsonrpc: '2.0', id: 1, error: { code: 1, message } })
    const error = await faultOf(chainId(endpointAt(`${host}/v3/SECRETKEY1`)))
    expect(error.message).toBe('project [hidden] has no access, see [hidden]')
  })

  it('the words of a stranger stay one short line', async () => {
    const message = `a\u001b[2J\nb${'c'.repeat(1_000)}`
    nock(host)
      .post('/')
      .reply(200, { jsonrpc: '2.0', id: 1, error: { code: 1, message } })
    const error = await faultOf(chainId(endpointAt(host)))
    expect(error.message).toMatch(/^a \[2J bc+…$/)
    expect(error.message.length).toBeLessThan(200)
  })
})

describe('an endpoint, a real server behind it', () => {
  beforeAll(() => nock.restore())

  it('a body that drips ends at the deadline', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('{'), 40)
      response.on('close', () => clearInterval(timer))
    })
    const startMs = performance.now()
    expect((await faultOf(chainId(endpointAt(url)))).fault).toBe('timeout')
    expect(performance.now() - startMs).toBeLessThan(2_000)
  })

  it('a body without an end ends at its bound', async () => {
    let sent = 0
    const url = await serve((_, response) => {
      const more = (): void => {
        sent += 4_096
        if (!response.destroyed && sent < 50_000_000) response.write(`{${' '.repeat(4_095)}`, more)
      }
      more()
    })
    const error = await faultOf(chainId(endpointAt(url, { timeoutMs: 5_000 })))
    expect([error.fault, error.message]).toEqual(['body', 'the answer has more than 10000 bytes'])
    expect(sent).toBeLessThan(20_000_000)
  })

  it('a kept connection that ends as it is used again is no fault; one that ends anew is', async () => {
    const uses = new Map<unknown, number>()
    let isDown = false
    const url = await serve((request, response) => {
      const use = (uses.get(request.socket) ?? 0) + 1
      uses.set(request.socket, use)
      if (use > 1 || isDown) request.socket.destroy()
      request.on('data', (body: Buffer) => {
        const { id } = JSON.parse(body.toString()) as { id: number }
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: '0x1' }))
      })
    })
    const endpoint = endpointAt(url)
    expect([await chainId(endpoint), await chainId(endpoint)]).toEqual([1, 1])
    expect([...uses.values()]).toEqual([2, 1])
    isDown = true
    expect((await faultOf(chainId(endpoint))).message).toBe('the connection failed (ECONNRESET)')
    expect([...uses.values()]).toEqual([2, 2, 1])
  })

  it('a body that breaks off, and nobody there, are unreachable', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', '100').write('{"jsonrpc"')
      setTimeout(() => response.destroy(), 20)
    })
    expect((await faultOf(chainId(endpointAt(url)))).fault).toBe('unreachable')
    expect((await faultOf(chainId(endpointAt('http://127.0.0.1:1')))).message).toContain('ECONNREFUSED')
  })
})

describe('what is configured', () => {
  it.each(['ftp://rpc.example', 'rpc.example', 'http://', 'file:///etc/passwd', 'data:,x', 'http://a b'])(
    '%s is refused',
    (url) => {
      const make = (): Endpoint => createEndpoint({ name: 'one', url }, 1, { timeoutMs: 1, bytesMax: 1 })
      expect(make).toThrow(OracleError)
      expect(make).toThrow('The URL of endpoint one is not http or https')
    },
  )
})

describe('a reverted call', () => {
  const { refused } = callOf('0x00', '0x12345678')
  const error = (message: string, rpcCode: number, data?: unknown): EndpointError =>
    new EndpointError('refused', message, { rpcCode, data })

  it.each([
    ['geth, anvil', error('execution reverted: no', 3, '0xABcd')],
    ['parity', error('VM execution error.', 3, 'Reverted 0xabCD')],
    ['ganache', error('VM Exception: revert', -32000, { data: '0xabcd' })],
  ])('of %s is an answer with its data', (_, answer) => {
    expect(refused?.(answer)).toEqual({ reverted: true, data: '0xabcd' })
  })

  it('without data is empty, and another error is none', () => {
    expect(refused?.(error('execution reverted', -32000))).toEqual({ reverted: true, data: '0x' })
    const other = error('header not found', -32000, '0xabcd')
    expect(() => refused?.(other)).toThrow(other)
  })
})
