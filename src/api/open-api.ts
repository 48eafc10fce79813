// The OpenAPI document, made from the schemas in schemas/ and the routes' own: it cannot tell of other routes than there are.

import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { documents } from '../schema/generated/validators.js'

/** Schemas of answers: their names in schemas/ and, without the folder, in the document. */
const names = ['report', ...Object.keys(documents).filter((name) => name.startsWith('api/'))]

/** An answer with a JSON body of schema `name`. */
export function answer(description: string, name: string, type: string = 'application/json'): Record<string, unknown> {
  return { description, content: { [type]: { schema: { $ref: `${name}#` } } } }
}

/** Prepares `app` to describe the routes that follow. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Assay',
        version,
        description:
          'Attested values of one committee. Verify what you use: the client does, and report.json lets anybody.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
    },
    refResolver: { buildLocalReference: (schema) => String(schema['$id']) },
  })
  for (const name of names) app.addSchema(renamed(documents[name]) as object)
}

/** A schema with the names of the OpenAPI document in place of ours. */
function renamed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(renamed)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== '$schema')
      .map(([key, value]) => {
        if (key === '$id') return [key, shortName(String(value))]
        if (key === '$ref') return [key, `${shortName(String(value))}#`]
        return [key, renamed(value)]
      }),
  )
}

function shortName(id: string): string {
  return id.replace(/^assay:(api\/)?/, '')
}
