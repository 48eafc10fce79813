// Which feeds share a Merkle leaf: feeds of one file are read together, so they stand together.

import { basename } from 'node:path'
import type { PlacedFeed } from './parse-feeds.js'

const feedsMax = 16

/** An entry of a committee document's bundles. */
export interface CommitteeBundle {
  readonly name: string
  /** Names of 1 to 16 feeds. */
  readonly feeds: readonly string[]
}

/** Bundles that hold each of `declarations` once, in order; each has feeds of one file only, and its name: spot-1. */
export function bundlesOf(declarations: readonly Pick<PlacedFeed, 'name' | 'file'>[]): CommitteeBundle[] {
  const byFile = new Map<string, string[]>()
  for (const { name, file } of declarations) byFile.set(file, [...(byFile.get(file) ?? []), name])
  const counts = new Map<string, number>()
  return [...byFile].flatMap(([file, names]) => {
    const stem = stemOf(file)
    const bundles: CommitteeBundle[] = []
    for (let at = 0; at < names.length; at += feedsMax) {
      const count = (counts.get(stem) ?? 0) + 1
      counts.set(stem, count)
      bundles.push({ name: `${stem}-${count}`, feeds: names.slice(at, at + feedsMax) })
    }
    return bundles
  })
}

/** A slug out of the file's name. */
function stemOf(file: string): string {
  const words = basename(file)
    .replace(/\.[a-z]+$/, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g)
  return (words ?? ['feeds']).join('-').slice(0, 48).replace(/-$/, '')
}
