// Two feeds for contracts to read where the bundled data have one origin each, which no contract takes for a price.

import { closesHost } from '../replay/bundled.js'
import type { Show } from '../replay/show.js'
import type { FeedFile } from './demo-feeds.js'

/** Names that no network resolves: four places that repeat one recorded close, and say so in the title of each feed. */
const places = ['rehearsal-1.invalid', 'rehearsal-2.invalid', 'rehearsal-3.invalid', 'rehearsal-4.invalid']

const sources = places.map(
  (host, i) => `  - adapter: http-json
    version: 1
    params: { url: "https://${host}/closes/{symbol}", pick: /price, identityPointer: /symbol, identity: "{symbol}" }
    group: rehearsal-${i + 1}
    class: reference`,
)

/** Declarations of the two. */
export const rehearsalFeeds: readonly FeedFile[] = [
  {
    name: 'rehearsal.yaml',
    text: `# A rehearsal: one recorded close asked for at four places counts as four origins, which it is not. It shows what contracts
# do with a value that is OK; the feeds of bundled.yaml have the status that these closes deserve.
version: 1
name: "rehearsal-{name}-usd"
title: "{title}: a rehearsal, one recorded close of 2000 to 2010 (vega-datasets) repeated by four places"
entities:
  - { name: aapl, symbol: AAPL, title: "Apple, share" }
  - { name: msft, symbol: MSFT, title: "Microsoft, share" }
value: price
unit: USD
decimals: 2
sources:
${sources.join('\n')}
combineSources: { minSources: 2, minGroups: 2, outlierPercent: "5" }
freshness: { maxAgeS: 10800, validForS: 10800 }
schedule: { every: 1m }
risk: informational
licence: BSD-3-Clause (vega-datasets).
`,
  },
]

/** `show`, the bundled one, with the four places beside it. */
export function withRehearsal(show: Show): Show {
  return {
    ...show,
    hosts: [...show.hosts, ...places],
    answer: (host, target, step) => show.answer(places.includes(host) ? closesHost : host, target, step),
  }
}
