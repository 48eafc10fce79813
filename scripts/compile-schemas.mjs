// Compiles schemas/*.json to standalone validators, so that no process compiles a schema when it starts.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const types = `// Made from schemas/ by scripts/compile-schemas.mjs; not committed.
import type { ErrorObject } from 'ajv'

export interface Validate {
  (value: unknown): boolean
  errors?: ErrorObject[] | null
}
`

/** Writes one module with a validator a schema into `folder` of `root`; leaves it alone when it is up to date. */
export async function compileSchemas(root, folder = 'src/schema/generated') {
  const names = readdirSync(join(root, 'schemas'))
    .filter((name) => name.endsWith('.json'))
    .sort()
  const texts = names.map((name) => readFileSync(join(root, 'schemas', name), 'utf8'))
  const target = join(root, folder, 'validators.js')
  const stamp = `// ${Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(texts.join('\n')))).toString('hex')}\n`
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(stamp)) return

  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const { default: standaloneCode } = await import('ajv/dist/standalone/index.js')
  const { build } = await import('esbuild')
  const ajv = new Ajv2020({ strict: true, allErrors: false, code: { source: true, esm: true, lines: true } })
  const exported = {}
  names.forEach((name, i) => {
    const schema = JSON.parse(texts[i])
    ajv.addSchema(schema)
    exported[camel(name.replace(/\.json$/, ''))] = schema.$id
  })
  const code = (standaloneCode.default ?? standaloneCode)(ajv, exported)
  // Bundled, so that what ajv's code requires at run time comes along and nothing of ajv is loaded at start.
  const bundled = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    write: false,
    legalComments: 'none',
  })
  mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(target, stamp + bundled.outputFiles[0].text)
  const declared = Object.keys(exported).map((name) => `export declare const ${name}: Validate\n`)
  writeFileSync(join(root, folder, 'validators.d.ts'), types + declared.join(''))
}

function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())
}
