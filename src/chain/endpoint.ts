// One JSON-RPC endpoint: ethers' provider on a bounded way, one request at a time for one answer, and nothing remembered.

import { FetchRequest, JsonRpcProvider, Network } from 'ethers'
import { OracleError } from '../base/errors.js'
import { createBoundedPost, type PostLimits } from './bounded-post.js'
import { EndpointError, tame } from './endpoint-error.js'
import { createRedactor } from './redact.js'

/** An endpoint as it is configured. The URL may hold a key: it is never shown, the name is. */
export interface EndpointConfig {
  readonly name: string
  readonly url: string
}

/** One endpoint, not believed by itself. */
export interface Endpoint {
  readonly name: string
  /** What `parse` makes of the answer to `method`; EndpointError for everything else, a parse that throws included. */
  ask<T>(method: string, params: readonly unknown[], parse: (answer: unknown) => T): Promise<T>
  close(): void
}

/** An endpoint of chain `chainId`; asks nothing by itself, and does not check that the chain is that one. */
export function createEndpoint({ name, url }: EndpointConfig, chainId: number, limits: PostLimits): Endpoint {
  const post = createBoundedPost(limits)
  const provider = new Provider(requestTo(name, url, post.getUrl, limits), chainId)
  const redact = createRedactor(url)
  return {
    name,
    async ask(method, params, parse) {
      const answer = await provider.send(method, [...params]).catch((error: unknown) => {
        if (error instanceof EndpointError) throw withMessage(error, redact(error.message))
        throw new EndpointError('body', 'the answer is not JSON-RPC')
      })
      try {
        return parse(answer)
      } catch (error) {
        throw new EndpointError(
          'shape',
          redact(`${method}: ${error instanceof Error ? tame(error.message) : 'malformed'}`),
        )
      }
    },
    close() {
      provider.destroy()
      post.close()
    },
  }
}

function withMessage({ fault, restMs, rpcCode, data }: EndpointError, message: string): EndpointError {
  return new EndpointError(fault, message, { restMs, rpcCode, data })
}

/** ethers' provider without batches, cache, retries and guesses at what an error means. */
class Provider extends JsonRpcProvider {
  constructor(request: FetchRequest, chainId: number) {
    super(request, Network.from(chainId), { staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1 })
  }

  override getRpcError(_payload: unknown, answer: { readonly error?: unknown }): Error {
    const { error } = answer
    if (typeof error !== 'object' || error === null) return new EndpointError('body', 'the answer is not JSON-RPC')
    const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown }
    const text = typeof message === 'string' ? tame(message) : 'no message'
    const rpcCode = typeof code === 'number' ? code : null
    const busy = rpcCode === -32005 || rpcCode === 429 || /rate.?limit|too many requests|limit exceeded/i.test(text)
    return new EndpointError(busy ? 'busy' : 'refused', text, { rpcCode, data })
  }
}

function requestTo(name: string, url: string, getUrl: FetchRequest['getUrlFunc'], limits: PostLimits): FetchRequest {
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url)) {
    const facts = { endpoint: name }
    throw new OracleError('CHAIN_CONFIG_INVALID', `The URL of endpoint ${name} is not http or https`, { facts })
  }
  const request = new FetchRequest(url)
  request.getUrlFunc = getUrl
  request.timeout = limits.timeoutMs
  return request
}
