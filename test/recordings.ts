// Reads recorded vectors that stand beside the project on some machines; tests name what they use where they do not.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** JSON of a file under ../shared/recordings of the project's root; null where there is none. */
export function recording(path: string): unknown {
  const place = fileURLToPath(new URL(`../../shared/recordings/${path}`, import.meta.url))
  return !existsSync(place) ? null : JSON.parse(readFileSync(place, 'utf8'))
}

/** JSON of a file that the project keeps under test/vectors. */
export function vector(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`./vectors/${path}`, import.meta.url), 'utf8'))
}
