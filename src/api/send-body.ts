// Sends bytes with their ETag, or says that the reader has them.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Body } from './snapshot.js'

/** Answers `body` as JSON, or 304 when If-None-Match names it. */
export function sendBody(request: FastifyRequest, reply: FastifyReply, { bytes, etag }: Body): FastifyReply {
  reply.header('etag', etag)
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known !== undefined && (known.includes(etag) || known.includes('*'))) return reply.code(304).send()
  return reply.type('application/json').send(bytes)
}
