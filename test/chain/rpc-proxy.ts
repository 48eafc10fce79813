// An endpoint in front of a real chain that tests make lie, lag, hang or fail: it changes answers, it invents none.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One JSON-RPC call. */
export interface Call {
  readonly method: string
  readonly params: readonly unknown[]
}

/** What the real chain answered. */
export interface Reply {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** The proxy. A fault that is null lets everything through. */
export interface RpcProxy {
  readonly url: string
  /** Every method that was asked, in order. */
  readonly asked: string[]
  /** How many calls the chain is answering now; those that a test answers or leaves hanging are not among them. */
  busy: number
  /** Answers in place of the chain when it returns true. */
  onRaw: ((call: Call, response: ServerResponse) => boolean) | null
  /** Changes a call before the chain sees it. */
  onCall: ((call: Call) => Call) | null
  /** Changes the chain's answer. */
  onReply: ((call: Call, reply: Reply) => Reply) | null
  /** Lets everything through again. */
  mend(): void
  stop(): Promise<void>
}

/** A proxy to `target` on a free port of 127.0.0.1. */
export async function startProxy(target: string): Promise<RpcProxy> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => void answer(Buffer.concat(chunks).toString(), response))
  })
  const answer = async (text: string, response: ServerResponse): Promise<void> => {
    const asked = JSON.parse(text) as Call & { readonly id: number }
    proxy.asked.push(asked.method)
    if (proxy.onRaw?.(asked, response) === true) return
    const { onReply } = proxy
    const call = proxy.onCall?.(asked) ?? asked
    const body = JSON.stringify({ jsonrpc: '2.0', id: asked.id, method: call.method, params: call.params })
    const headers = { 'content-type': 'application/json' }
    proxy.busy++
    const reply = await fetch(target, { method: 'POST', headers, body })
      .then((answered) => answered.json() as Promise<Reply>)
      // The chain behind was stopped with this question under way: a test is at its end, and the asker learns it by the socket.
      .catch(() => null)
    proxy.busy--
    if (reply === null) return void response.destroy()
    const { result, error } = onReply?.(asked, reply) ?? reply
    const told = error === undefined ? { result: result ?? null } : { error }
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, ...told }))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: RpcProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    busy: 0,
    onRaw: null,
    onCall: null,
    onReply: null,
    mend: () => Object.assign(proxy, { onRaw: null, onCall: null, onReply: null }),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
