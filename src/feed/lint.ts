// What a well-formed declaration must not say: each rule names a way in which oracles have been wrong before.

import type { Adapter } from '../observe/adapter.js'
import { boundRules } from './bound-rules.js'
import type { CompleteFeed } from './complete-feed.js'
import type { FeedDeclaration, LeafPlan, SourceDeclaration } from './declaration.js'
import type { Problem } from './finding.js'
import { type Found, type Rule, when } from './rule.js'
import { sourceKey } from './source-key.js'

const sparesMin = 2
const groupsOf = (feed: FeedDeclaration): ReadonlySet<string> => new Set(feed.sources.map((source) => source.group))

/** A finding for each source that `judge` has a sentence about. */
function eachSource(
  { feed, adapters, instance }: CompleteFeed,
  judge: (source: SourceDeclaration, adapter: Adapter, index: number) => string | null,
  field = '',
): readonly Found[] {
  return feed.sources.flatMap((source, i) => {
    const message = judge(source, adapters[i]!, i)
    return message === null ? [] : [{ pointer: `${instance.sourcePointers[i]}${field}`, message }]
  })
}

/** Whether the adapter or the declaration says so: a declaration makes no source better than its adapter. */
const isOfClass = (source: SourceDeclaration, adapter: Adapter, name: SourceDeclaration['class']): boolean =>
  source.class === name || adapter.class === name

/** Hosts that a source depends on. */
function hostsOf({ params }: SourceDeclaration, { limits }: Adapter): readonly string[] {
  const url = params['url']
  const host = typeof url === 'string' ? /^[a-z]+:\/\/([^/:?#]+)/i.exec(url)?.[1]?.toLowerCase() : undefined
  return host === undefined ? limits.hosts : [host]
}

/** A source's parameter as text, or null. */
const textOf = ({ params }: SourceDeclaration, key: string): string | null =>
  Object.hasOwn(params, key) ? String(params[key]) : null

/** The leaf by which groups are compared: the first that is a median. */
const comparedOf = ({ leaves }: FeedDeclaration): LeafPlan | undefined =>
  leaves.find(({ combine }) => combine === 'median')

/** Every rule, in the order of docs/feeds.md. */
export const rules: readonly Rule[] = [
  {
    id: 'spare-sources',
    fix: 'Add sources of other groups, or lower minSources.',
    isError: true,
    // A second source of a group fails with the first, so it is no spare.
    check: ({ feed }) => {
      const { minSources } = feed.combineSources
      const groups = groupsOf(feed).size
      return when(
        feed.singleSource === null && groups < minSources + sparesMin,
        '/combineSources/minSources',
        `${groups} independent sources leave fewer than ${sparesMin} spare beyond minSources ${minSources}`,
      )
    },
  },
  {
    id: 'min-groups',
    fix: 'Set minGroups to at least 2 and at most the number of groups.',
    isError: true,
    check: ({ feed }) => {
      const { minGroups } = feed.combineSources
      const groups = groupsOf(feed).size
      return when(
        feed.singleSource === null && (minGroups < 2 || minGroups > groups),
        '/combineSources/minGroups',
        `minGroups is ${minGroups}, there are ${groups} groups`,
      )
    },
  },
  {
    id: 'one-group',
    fix: 'Add sources that do not fail together, or say why there is a singleSource.',
    isError: true,
    check: ({ feed }) =>
      when(feed.singleSource === null && groupsOf(feed).size === 1, '/sources', 'all sources are in one group'),
  },
  {
    id: 'single-source',
    fix: 'Remove singleSource, or the other groups; minSources and minGroups of a single source are 1.',
    isError: true,
    check: ({ feed }) => {
      const { minSources, minGroups } = feed.combineSources
      const groups = groupsOf(feed).size
      return when(
        feed.singleSource !== null && (groups > 1 || minSources > 1 || minGroups > 1),
        '/singleSource',
        `the feed says it has one origin, and has ${groups} groups, minSources ${minSources}, minGroups ${minGroups}`,
      )
    },
  },
  {
    id: 'single-collateral',
    fix: 'Lower the risk, or find independent sources.',
    isError: true,
    check: ({ feed }) =>
      when(feed.risk === 'collateral' && feed.singleSource !== null, '/risk', 'one origin cannot carry collateral'),
  },
  {
    id: 'constant-source',
    fix: 'Remove it: a constant says nothing about the world (I26).',
    isError: true,
    check: (complete) =>
      eachSource(complete, (source, adapter) =>
        isOfClass(source, adapter, 'constant') ? `${source.adapter} gives a constant` : null,
      ),
  },
  {
    id: 'amm-spot',
    fix: 'Remove it, or lower the risk: one trade moves the spot price of a pool (I05, I53, I74, I80).',
    isError: true,
    check: (complete) =>
      eachSource(complete, (source, adapter) =>
        complete.feed.risk === 'collateral' && isOfClass(source, adapter, 'amm-spot')
          ? `${source.adapter} is the spot price of a pool, the feed carries collateral`
          : null,
      ),
  },
  {
    id: 'unit-quote',
    fix: 'Write unit: "{quote}", or the code of the quote.',
    isError: true,
    check: ({ feed, value }) => {
      const { quote } = feed.entity
      const isOther = value.isPriced && quote !== undefined && quote !== feed.unit
      return when(isOther, '/unit', `the unit is ${feed.unit}, the entity's quote is ${quote}`)
    },
  },
  {
    id: 'quote-replaced',
    fix: 'Declare a feed of its own for that quote: no currency stands for another, USDT and USDC are not USD.',
    isError: true,
    check: (complete) =>
      eachSource(
        complete,
        (source) => {
          const quote = textOf(source, 'quote')
          if (!complete.value.isPriced || quote === null || quote === complete.feed.unit) return null
          return `${source.adapter} quotes ${quote}, the feed is in ${complete.feed.unit}`
        },
        '/params',
      ),
  },
  {
    id: 'identity',
    fix: 'Make the parameters name what the feed is about (I04); in a template write "{base}".',
    isError: true,
    check: (complete) => {
      const { feed } = complete
      return eachSource(
        complete,
        (source) => {
          for (const [key, text] of Object.entries(feed.entity)) {
            const param = textOf(source, key)
            if (param !== null && param !== text) return `${source.adapter} asks for ${key} ${param}, not ${text}`
          }
          // Without an entity the name says what the feed is about.
          const [base, quote] = [textOf(source, 'base'), textOf(source, 'quote')]
          if (base === null || quote === null) return null
          const isNamed = `-${feed.name}-`.includes(`-${base}-${quote}-`.toLowerCase())
          return isNamed ? null : `${source.adapter} asks for ${base}-${quote}, the feed is ${feed.name}`
        },
        '/params',
      )
    },
  },
  {
    id: 'same-source',
    fix: 'Remove one of them: asking twice is no second opinion.',
    isError: true,
    check: (complete) => {
      const keys = complete.feed.sources.map(sourceKey)
      return eachSource(complete, (source, _, i) =>
        keys.indexOf(keys[i]!) < i ? `${source.adapter} with these params is declared above` : null,
      )
    },
  },
  {
    id: 'group-split',
    fix: 'Give sources of one adapter or host the same group: they fail together.',
    isError: true,
    check: (complete) => {
      const { feed, adapters } = complete
      const hosts = feed.sources.map((source, i) => hostsOf(source, adapters[i]!))
      return eachSource(
        complete,
        (source, _, i) => {
          const twin = feed.sources.findIndex((other, j) => {
            const isSameAdapter = other.adapter === source.adapter && textOf(source, 'url') === null
            return (
              j < i && other.group !== source.group && (isSameAdapter || hosts[j]!.some((h) => hosts[i]!.includes(h)))
            )
          })
          return twin < 0 ? null : `${source.adapter} is in group ${source.group} and in ${feed.sources[twin]!.group}`
        },
        '/group',
      )
    },
  },
  ...boundRules,
  {
    id: 'zero-percent',
    fix: 'Write a percentage above 0, or leave the rule out.',
    isError: true,
    check: ({ feed, instance }) => [
      ...when(feed.combineSources.outlierPpm === 0, '/combineSources/outlierPercent', 'every source is an outlier'),
      ...when(feed.bounds.change?.maxPpm === 0, instance.boundPointers.change, 'every change halts the feed'),
      ...when(feed.bidAskPpmMax === 0, '/liquidity/bidAskPercentMax', 'every market is too thin'),
    ],
  },
  {
    id: 'max-age',
    fix: 'Raise maxAgeS, or ask more often.',
    isError: true,
    check: ({ feed, adapters, gapMs }) => {
      const timeoutMs = Math.max(...adapters.map((adapter) => adapter.limits.timeoutMs))
      const leastS = Math.ceil((gapMs + timeoutMs) / 1000)
      return when(
        feed.freshness.maxAgeS < leastS,
        '/freshness/maxAgeS',
        `values grow too old between two askings: ${gapMs} ms and a timeout of ${timeoutMs} ms need ${leastS} s`,
      )
    },
  },
  {
    id: 'valid-for',
    fix: 'Set validForS to at least maxAgeS.',
    isError: true,
    check: ({ feed: { freshness } }) =>
      when(
        freshness.validForS < freshness.maxAgeS,
        '/freshness/validForS',
        `a source may be ${freshness.maxAgeS} s old when it is signed, and the value ends after ${freshness.validForS} s`,
      ),
  },
  {
    id: 'heartbeat',
    fix: 'Set heartbeatS to at most validForS.',
    isError: true,
    check: ({ feed: { triggers, freshness } }) =>
      when(
        triggers.heartbeatS > freshness.validForS,
        '/triggers/heartbeatS',
        `a value on chain ends after ${freshness.validForS} s and is renewed after ${triggers.heartbeatS} s`,
      ),
  },
  {
    id: 'stream-trigger',
    fix: 'Remove streamPercent: only a value that begins with a number has one.',
    isError: true,
    check: ({ feed }) =>
      when(
        feed.triggers.streamPpm > 0 && feed.leaves[0]!.type !== 'int64' && feed.leaves[0]!.type !== 'int176',
        '/triggers/streamPercent',
        `${feed.leaves[0]!.name} is no number`,
      ),
  },
  {
    id: 'schedule-fit',
    fix: 'Use {stream: true, every: …} with sources that stream, every or cron with sources that are asked.',
    isError: true,
    check: (complete) => {
      const { feed, adapters } = complete
      if (feed.schedule.kind === 'stream')
        return when(
          adapters.every((adapter) => adapter.subscribe === undefined),
          '/schedule',
          'no source can be listened to',
        )
      return eachSource(complete, (source, adapter) =>
        adapter.request === undefined ? `${source.adapter} can only be listened to` : null,
      )
    },
  },
  {
    id: 'no-outlier-rule',
    fix: 'Say combineSources.outlierPercent: what honest sources never differ by.',
    isError: false,
    check: ({ feed }) =>
      when(
        feed.singleSource === null && comparedOf(feed)?.isPriced === true && feed.combineSources.outlierPpm === null,
        '/combineSources',
        'no source is ever an outlier',
      ),
  },
  {
    id: 'outlier-scale',
    fix: 'Leave outlierPercent out: a percentage of a number that may be near 0, such as a temperature, says nothing.',
    isError: false,
    check: ({ feed }) => {
      const compared = comparedOf(feed)
      return when(
        feed.combineSources.outlierPpm !== null && compared?.isPriced === false,
        '/combineSources/outlierPercent',
        `groups are compared by ${compared?.name}, which is no price`,
      )
    },
  },
  {
    id: 'other-fields',
    fix: 'Declare one field a feed, or know that only the first number is compared between groups.',
    isError: false,
    check: ({ feed }) => {
      const compared = comparedOf(feed)
      const others = feed.leaves.filter((leaf) => leaf.combine === 'median' && leaf !== compared)
      return when(
        feed.singleSource === null && others.length > 0,
        '/value',
        `outliers of ${others.map(({ name }) => name).join(', ')} are seen by nobody: groups are compared by ${compared?.name}`,
      )
    },
  },
]

/** What `among` the rules finds in one declaration. Pure. */
export function lintFeed(complete: CompleteFeed, among: readonly Rule[] = rules): Problem[] {
  return among.flatMap(({ id, fix, isError, check }) =>
    check(complete).map((found) => ({ ...found, rule: id, fix, isError })),
  )
}
