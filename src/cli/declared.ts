// A committee whose feeds are declared: the files go into its folder, and the committee document pins their digests.

import { statSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { adapters } from '../../adapters/index.js'
import { OracleError } from '../base/errors.js'
import type { Committee } from '../core/committee.js'
import type { Engine } from '../core/engine.js'
import { agreedFeeds } from '../feed/agreed-feeds.js'
import { bundlesOf } from '../feed/bundles.js'
import { committeeFeedOf } from '../feed/committee-feed.js'
import { checkFeeds, loadFeeds } from '../feed/load-feeds.js'
import { shippedFeeds } from './shipped.js'
import type { FeedDocuments } from './template.js'

/** Feeds and bundles as the declarations under `path` have them; throws FEED_… for the first error. */
export function declaredFeeds(engine: Engine, path: string): FeedDocuments {
  const { declarations, findings } = loadFeeds(engine, path, adapters)
  checkFeeds(findings)
  return {
    documents: declarations.map((declaration) => ({ ...committeeFeedOf(declaration) })),
    bundles: bundlesOf(declarations),
  }
}

/** Throws unless the declarations under `path` are those that the committee agreed on. */
export function checkAgreed(engine: Engine, committee: Committee, path: string): void {
  agreedFeeds(engine, committee, path, adapters)
}

/** `path`, or the declaration of that name among those that ship. */
export function findDeclarations(path: string): string {
  for (const candidate of [path, join(shippedFeeds, path)]) {
    if (statSync(candidate, { throwIfNoEntry: false }) !== undefined) return candidate
  }
  throw new OracleError('FEED_UNREADABLE', `there is no ${path}, neither here nor among the feeds that ship`, { path })
}

/** Copies a file or folder of declarations to `folder`/feeds, so that the committee's folder is complete. */
export async function copyDeclarations(path: string, folder: string): Promise<void> {
  const target = join(folder, 'feeds')
  await mkdir(target, { mode: 0o755 })
  const isFolder = statSync(path).isDirectory()
  await cp(path, isFolder ? target : join(target, basename(path)), { recursive: true })
}
