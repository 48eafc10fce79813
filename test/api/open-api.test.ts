// The OpenAPI document: it names every route, each reference leads somewhere, and it describes what is answered.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Served, serve } from './served.js'

let served: Served
// biome-ignore lint/suspicious/noExplicitAny: walked as a tree
let document: any
beforeAll(async () => {
  served = await serve()
  document = await (await served.get('/openapi.json')).json()
})
afterAll(() => served.close())

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 and names every route', () => {
    expect([document.openapi, document.info.title, document.info.version]).toEqual(['3.1.0', 'Assay', '0.1.0'])
    expect(Object.keys(document.paths).sort()).toEqual([
      '/healthz',
      '/metrics',
      '/readyz',
      '/v1/chains',
      '/v1/committee',
      '/v1/feeds',
      '/v1/feeds/{name}',
      '/v1/feeds/{name}/history',
      '/v1/peers',
      '/v1/reports/latest',
      '/v1/reports/{epoch}/{round}',
      '/v1/sources',
      '/v1/stream',
    ])
  })

  it('has a summary, described answers and every path parameter of each operation', () => {
    for (const [path, item] of Object.entries<Record<string, unknown>>(document.paths)) {
      expect([path, Object.keys(item).filter((method) => !['get', 'head'].includes(method))]).toEqual([path, []])
      // biome-ignore lint/suspicious/noExplicitAny: walked as a tree
      const { summary, responses, parameters = [] } = item['get'] as any
      expect(summary.length).toBeGreaterThan(5)
      expect(responses['200']).toBeDefined()
      // biome-ignore lint/suspicious/noExplicitAny: walked as a tree
      for (const [status, answer] of Object.entries<any>(responses)) {
        expect([path, status, /^[2-5]\d\d$/.test(status), answer.description.length > 3]).toEqual([
          path,
          status,
          true,
          true,
        ])
        if (status !== '304') expect(Object.values<{ schema: object }>(answer.content)[0]!.schema).toBeTypeOf('object')
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      // biome-ignore lint/suspicious/noExplicitAny: walked as a tree
      const told = parameters.filter((parameter: any) => parameter.in === 'path')
      expect(told.map((parameter: { name: string }) => parameter.name)).toEqual(inPath)
      for (const parameter of parameters) {
        expect(['path', 'query']).toContain(parameter.in)
        expect(parameter.schema.type).toBeTypeOf('string')
        if (parameter.in === 'path') expect(parameter.required).toBe(true)
      }
    }
  })

  it('refers only to schemas that it holds, and holds none in vain', () => {
    const used = new Set<string>()
    const walk = (value: unknown): void => {
      if (Array.isArray(value)) return value.forEach(walk)
      if (typeof value !== 'object' || value === null) return
      for (const [key, inner] of Object.entries(value)) {
        if (key === '$ref') used.add(String(inner))
        else walk(inner)
      }
    }
    walk(document)
    const held = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
    expect([...used].sort()).toEqual(held.sort())
    expect(held.every((reference) => /^#\/components\/schemas\/[a-z-]+$/.test(reference))).toBe(true)
  })
})
