// Compiles schemas/*.json to standalone validators, so that no process compiles a schema when it starts.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const types = `// Made from schemas/ by scripts/compile-schemas.mjs; not committed.
import type { ErrorObject } from 'ajv'

export interface Validate {
  (value: unknown): boolean
  errors?: ErrorObject[] | null
}
`

const tableTypes = `
/** Validators by name: 'node-config', 'value/price', 'params/pair' … */
export declare const validators: Readonly<Record<string, Validate>>
/** The schemas themselves, by the same names. */
export declare const documents: Readonly<Record<string, Readonly<Record<string, unknown>>>>
`

/** Writes one module with a validator a schema into `folder` of `root`; leaves it alone when it is up to date. */
export async function compileSchemas(root, folder = 'src/schema/generated') {
  const names = readdirSync(join(root, 'schemas'), { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.json'))
    .sort()
  const texts = names.map((name) => readFileSync(join(root, 'schemas', name), 'utf8'))
  // This script is part of what its output depends on.
  const self = readFileSync(fileURLToPath(import.meta.url), 'utf8')
  const target = join(root, folder, 'validators.js')
  const stamp = `// ${Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from([...texts, self].join('\n')))).toString('hex')}\n`
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(stamp)) return

  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const { default: standaloneCode } = await import('ajv/dist/standalone/index.js')
  const { build } = await import('esbuild')
  const ajv = new Ajv2020({ strict: true, allErrors: false, code: { source: true, esm: true, lines: true } })
  // Says how a leaf of a value is signed; src/feed/value-plan.ts reads it, ajv need not.
  ajv.addKeyword({ keyword: 'assay', schemaType: 'object' })
  const exported = {}
  const documents = {}
  names.forEach((name, i) => {
    const schema = JSON.parse(texts[i])
    ajv.addSchema(schema)
    exported[camel(stem(name))] = schema.$id
    documents[stem(name)] = schema
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
  const table = names.map((name) => `  '${stem(name)}': ${camel(stem(name))},`).join('\n')
  const tables = `\nexport const validators = {\n${table}\n}\nexport const documents = ${JSON.stringify(documents)}\n`
  writeFileSync(target, stamp + bundled.outputFiles[0].text + tables)
  const declared = Object.keys(exported).map((name) => `export declare const ${name}: Validate\n`)
  declared.push(tableTypes)
  writeFileSync(join(root, folder, 'validators.d.ts'), types + declared.join(''))
}

function stem(name) {
  return name.replace(/\.json$/, '')
}

function camel(name) {
  return name.replace(/[-/](.)/g, (_, letter) => letter.toUpperCase())
}
