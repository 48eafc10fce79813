// A feed declaration as it is written, once schemas/feed.json has let it through.

import type { Combine } from '../core/committee.js'
import type { Params, SourceClass } from '../observe/adapter.js'
import type { FeedDeclaration } from './declaration.js'

/** Decimals in quotes, in the feed's unit. */
export interface WrittenBounds {
  min?: string
  max?: string
  change?: { maxPercent: string; windowS: number }
}

/** Texts and numbers by key, and what differs for this entity. */
export interface WrittenEntity {
  readonly [key: string]: string | number | readonly string[] | WrittenBounds
}

export interface WrittenSource {
  adapter: string
  version: number
  params: Params
  group: string
  class?: SourceClass
}

export interface WrittenFeed {
  version: 1
  name: string
  title: string
  entities?: readonly WrittenEntity[]
  value: string
  unit?: string
  decimals?: number
  sources: readonly WrittenSource[]
  combineSources?: { minSources: number; minGroups: number; outlierPercent?: string }
  combineMembers?: Readonly<Record<string, Combine>>
  bounds?: WrittenBounds
  liquidity?: { bidAskPercentMax: string }
  freshness: { maxAgeS: number; validForS: number }
  schedule: { every?: string; cron?: string; stream?: true; onRequest?: true }
  triggers?: { deviationPercent?: string; heartbeatS?: number; streamPercent?: string }
  risk: FeedDeclaration['risk']
  retentionDays?: number
  licence: string
  singleSource?: string
}
