// When two declared sources are one and the same question.

import type { SourceDeclaration } from './declaration.js'

/** The same text for sources of one adapter and version with the same params, whatever the order of these. */
export function sourceKey({
  adapter,
  version,
  params,
}: Pick<SourceDeclaration, 'adapter' | 'version' | 'params'>): string {
  return JSON.stringify([adapter, version, Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))])
}
