// Bundles the program for the package: one install brings lmdb and nothing else, and every other line is the one tested here.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

/** Native code, and data that only a checkout has: never bundled. */
const external = ['lmdb', 'secp256k1', 'vega-datasets']

/** Writes `folder` of `root` anew: main.js, its chunks, and the licences of what is inside. */
export async function bundle(root, folder = 'dist/package') {
  const outdir = join(root, folder)
  rmSync(outdir, { recursive: true, force: true })
  mkdirSync(outdir, { recursive: true })
  const common = { outdir, bundle: true, format: 'esm', metafile: true, legalComments: 'none', logLevel: 'error' }
  const program = await build({
    ...common,
    entryPoints: { main: join(root, 'src/cli/main.ts') },
    splitting: true,
    platform: 'node',
    target: 'node20',
    // A package's ES modules first: what is imported by name from its CommonJS form would be missing.
    mainFields: ['module', 'main'],
    external,
    // Packages in the older module format ask for Node's own modules by require.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  })
  // The client also runs in browsers: nothing of Node may be in it.
  const client = await build({
    ...common,
    entryPoints: { client: join(root, 'src/client/create-client.ts') },
    platform: 'browser',
    target: 'es2022',
    minify: true,
  })
  const inputs = [program, client].flatMap(({ metafile }) => Object.keys(metafile.inputs))
  writeFileSync(join(outdir, 'LICENCES.txt'), licences(root, inputs))
}

/** The licence text of every package of which a file went into the bundle. */
function licences(root, inputs) {
  const folders = new Set(inputs.flatMap((input) => input.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []))
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      return `${name} ${version} (${license})\n${textOf(join(root, folder))}`
    })
    .join(`\n${'-'.repeat(80)}\n`)
}

function textOf(folder) {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENCE', 'license', 'LICENSE.txt', 'license.md']) {
    try {
      return readFileSync(join(folder, name), 'utf8')
    } catch {
      // The next name.
    }
  }
  return `see ${dirname(folder)}`
}
