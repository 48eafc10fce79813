// What a value schema says about signing: its leaves in order, and the digest that a feed's meaning carries.

import { toHex, utf8 } from '../core/bytes.js'
import { canonicalJson } from '../core/canonical.js'
import type { Combine } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import { documents } from '../schema/generated/validators.js'
import type { LeafPlan } from './declaration.js'

/** A signed property of a value schema, before a feed fills in what the schema leaves to it. */
export interface ValueLeaf {
  /** The property, in camelCase; the committee's field is its kebab-case. */
  readonly key: string
  readonly name: string
  readonly type: LeafPlan['type']
  readonly combine: Combine
  readonly decimals: number | 'feed'
  /** UCUM or currency code; null where the leaf is no measure. */
  readonly unit: string | null
  readonly bytesMax?: number
}

/** A value schema as feeds need it. */
export interface ValuePlan {
  /** keccak256 of the RFC 8785 bytes of the schema without its prose (title, description), 0x hex. */
  readonly digest: string
  readonly leaves: readonly ValueLeaf[]
  /** Properties that are checked and not signed. */
  readonly advisory: readonly string[]
  /** Whether a leaf is in the unit of the feed: a price or a rate. */
  readonly isPriced: boolean
}

interface Mark {
  readonly type: LeafPlan['type']
  readonly combine: Combine
  readonly decimals?: number | 'feed'
  readonly unit?: string
  readonly bytesMax?: number
}

/** The plan of schemas/value/`name`.json, or null when there is none. */
export function valuePlan(engine: Engine, name: string): ValuePlan | null {
  const key = `value/${name}`
  if (!Object.hasOwn(documents, key)) return null
  const document = documents[key]!
  const properties = Object.entries(document['properties'] as Readonly<Record<string, { readonly assay?: Mark }>>)
  const leaves = properties.flatMap(([property, { assay }]): ValueLeaf[] => {
    if (assay === undefined) return []
    const { type, combine, decimals = 0, unit = null, bytesMax } = assay
    const leaf = { key: property, name: kebab(property), type, combine, decimals, unit }
    return [bytesMax === undefined ? leaf : { ...leaf, bytesMax }]
  })
  return {
    digest: toHex(engine.keccak256(utf8(canonicalJson(withoutProse(document))))),
    leaves,
    advisory: properties.flatMap(([property, { assay }]) => (assay === undefined ? [property] : [])),
    isPriced: leaves.some((leaf) => leaf.unit === 'feed'),
  }
}

/** openTimeMs → open-time-ms. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** A better sentence about a value is no other value. */
function withoutProse(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutProse)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(
    ([key, value]) => !(typeof value === 'string' && (key === 'title' || key === 'description')),
  )
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutProse(value)]))
}
