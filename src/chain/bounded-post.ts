// One HTTP POST to an endpoint, with a deadline for the whole of it and a bound on the answer, in the form ethers asks for.

// The modules themselves, as ethers has them: what stands in for the network in tests replaces their members.
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { FetchGetUrlFunc, FetchRequest, GetUrlResponse } from 'ethers'
import { answerBytesMax, isPadded } from './answer-bounds.js'
import { EndpointError } from './endpoint-error.js'

/** Bounds of one answer. */
export interface PostLimits {
  readonly timeoutMs: number
  readonly bytesMax: number
}

/** A way to post that keeps its connections, and the end of them. */
export interface BoundedPost {
  readonly getUrl: FetchGetUrlFunc
  close(): void
}

/** What ethers' own way lacks: a body that drips, or never ends, ends with an EndpointError; so does all but 2xx JSON. */
export function createBoundedPost(limits: PostLimits): BoundedPost {
  const options = { keepAlive: true, maxSockets: 16, timeout: 60_000 }
  const agents = { http: new http.Agent(options), https: new https.Agent(options) }
  return {
    async getUrl(request) {
      const endMs = performance.now() + limits.timeoutMs
      try {
        return await post(request, limits, agents)
      } catch (error) {
        // A kept connection may end as it is used again; that says nothing of the endpoint. Every call may be repeated.
        if (!(error instanceof StaleConnection)) throw error
        return post(request, { ...limits, timeoutMs: Math.max(1, endMs - performance.now()) }, agents)
      }
    },
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

/** A kept connection was lost before an answer began. */
class StaleConnection extends EndpointError {}

function post(
  { url, body }: FetchRequest,
  { timeoutMs, bytesMax }: PostLimits,
  agents: { readonly http: http.Agent; readonly https: https.Agent },
): Promise<GetUrlResponse> {
  const target = new URL(url)
  const sent = body ?? new Uint8Array()
  const lengthMax = Math.min(bytesMax, answerBytesMax(sent))
  const headers = {
    'content-type': 'application/json',
    'content-length': sent.length,
    accept: 'application/json',
    'accept-encoding': 'identity',
  }
  return new Promise((resolve, reject) => {
    const request =
      target.protocol === 'https:'
        ? https.request(target, { method: 'POST', headers, agent: agents.https })
        : http.request(target, { method: 'POST', headers, agent: agents.http })
    const end = (error: EndpointError | null, response?: GetUrlResponse): void => {
      clearTimeout(deadline)
      if (response !== undefined) return resolve(response)
      reject(error)
      request.destroy()
    }
    const deadline = setTimeout(
      () => end(new EndpointError('timeout', `no whole answer in ${Math.round(timeoutMs)} ms`)),
      timeoutMs,
    )
    // The reason only: messages of the system may hold the address, which may hold a key.
    const lost = (error: Error & { code?: string }): void => {
      const Loss = request.reusedSocket && !isAnswered ? StaleConnection : EndpointError
      end(new Loss('unreachable', `the connection failed (${error.code ?? 'unknown'})`))
    }
    let isAnswered = false
    request.on('error', lost)
    request.on('response', (response) => {
      isAnswered = true
      const status = response.statusCode ?? 0
      if (status < 200 || status > 299) return end(refusalOfStatus(status, response))
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > lengthMax) return end(new EndpointError('body', `the answer has more than ${lengthMax} bytes`))
        chunks.push(chunk)
      })
      response.on('error', lost)
      response.on('aborted', () => end(new EndpointError('unreachable', 'the connection ended within the answer')))
      response.on('end', () => {
        const whole = Buffer.concat(chunks)
        const first = whole.find((byte) => byte > 32)
        if (first === 0x3c) return end(new EndpointError('body', 'a page came in place of JSON'))
        if (first !== 0x7b) return end(new EndpointError('body', 'the answer is not a JSON object'))
        if (isPadded(whole)) return end(new EndpointError('body', 'the answer is padded'))
        end(null, { statusCode: status, statusMessage: '', headers: {}, body: whole })
      })
    })
    request.end(sent)
  })
}

function refusalOfStatus(status: number, response: IncomingMessage): EndpointError {
  const after = Number(response.headers['retry-after'])
  const restMs = Number.isFinite(after) && after > 0 ? after * 1000 : 0
  return new EndpointError('status', `HTTP ${status}`, { restMs })
}
