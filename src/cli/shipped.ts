// Where the files that ship with the program are, in a checkout and in an installed package.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of package.json: the first above this file that has one. */
export const packageFolder: string = above(import.meta.dirname)

/** Feed declarations that ship. */
export const shippedFeeds: string = join(packageFolder, 'feeds')

function above(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || dirname(folder) === folder) return folder
  return above(dirname(folder))
}

/** What a user types for `assay`: a checkout has the sources, and no `assay` on the path. */
export const assayCommand: string = existsSync(join(packageFolder, 'src')) ? 'npm run -s assay --' : 'npx assay'

/** `text` with the commands in it, written `assay …`, as the user types them. */
export function typeable(text: string): string {
  return text.replaceAll('`assay ', `\`${assayCommand} `)
}
