// What in a declaration does not fit schemas/feed.json: every field that is unknown or missing, then the first unfit value.

import { refusalOf } from '../base/errors.js'
import { checkSchema } from '../schema/check.js'
import { documents, validators } from '../schema/generated/validators.js'
import { didYouMean } from './did-you-mean.js'
import type { Problem } from './finding.js'

/** The parts of a JSON schema that this room reads. */
interface Schema {
  readonly $ref?: string
  readonly description?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly required?: readonly string[]
  readonly items?: Schema
}

const root = documents['feed'] as unknown as Schema & { readonly $defs: { readonly bounds: Schema } }
/** Nobody mends more at once. */
const problemsMax = 50

/** What to write, by the end of the place; the schema's own words elsewhere. */
const forms: readonly (readonly [RegExp, string])[] = [
  [/\/schedule\/every$/, 'Write 10s, 5m or 1h.'],
  [/Percent$/, 'Write a percentage in quotes, with at most four decimals: "2.5".'],
  [/\/bounds\/(?:min|max)$/, 'Write a decimal in quotes: "1000" or "0.5".'],
  [/\/(?:name|group)$/, 'Use letters, digits and hyphens; in a template, {key}.'],
  [/\/(?:adapter|value)$|\/without\/\d+$/, 'Use lower-case letters, digits and hyphens.'],
]

/** Problems of rule `schema` in `document`; empty when it fits. Pure. */
export function schemaProblems(document: unknown): readonly Problem[] {
  const refusal = refusalOf(() => checkSchema(validators['feed']!, document, 'FEED_INVALID'))
  if (refusal === undefined) return []
  const problems: Problem[] = []
  walk(root, document, '', problems)
  const isTold = / is missing$|^unknown field/.test(refusal.message) && problems.length > 0
  return isTold ? problems : [...problems, unfit(refusal.path, refusal.message, document)]
}

/** Adds the unknown and missing fields of `value` and of all within. */
function walk(schema: Schema, value: unknown, pointer: string, problems: Problem[]): void {
  if (problems.length >= problemsMax) return
  const { properties = {}, patternProperties = {}, additionalProperties, required = [], items } = resolved(schema)
  if (Array.isArray(value)) {
    if (items !== undefined) for (const [i, item] of value.entries()) walk(items, item, `${pointer}/${i}`, problems)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const fields = value as Readonly<Record<string, unknown>>
  const known = Object.keys(properties)
  const patterns = Object.keys(patternProperties).map((pattern) => new RegExp(pattern, 'u'))
  const absent = required.filter((name) => !Object.hasOwn(fields, name))
  if (additionalProperties === false)
    for (const name of Object.keys(fields)) {
      if (Object.hasOwn(properties, name) || patterns.some((pattern) => pattern.test(name))) continue
      if (problems.length >= problemsMax) return
      const at = `${pointer}/${escaped(name)}`
      // What is missing was probably meant.
      const guess = didYouMean(name, absent) || didYouMean(name, known)
      const fix = guess === '' ? `Remove it; the fields here are ${known.join(', ')}.` : guess.trim()
      problems.push(problem(at, `unknown field "${name.slice(0, 64)}"`, fix))
    }
  if (absent.length === 1) {
    const [name] = absent as [string]
    const description = resolved(properties[name] ?? {}).description ?? ''
    problems.push(problem(`${pointer}/${name}`, 'is missing', `Add ${name}. ${description}`.trim()))
  } else if (absent.length > 1)
    problems.push(problem(pointer, `${absent.join(', ')} are missing`, 'Add them; docs/feeds.md explains each.'))
  for (const [name, inner] of Object.entries(properties))
    if (Object.hasOwn(fields, name)) walk(inner, fields[name], `${pointer}/${name}`, problems)
}

/** A value that does not fit, with what to write in its place. */
function unfit(pointer: string, message: string, document: unknown): Problem {
  const { schema, value } = lookUp(pointer, document)
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : String(value)
  const what = /must match pattern/.test(message) ? `${text} does not have the form that is needed` : message
  const isUnquoted = schema.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')
  const form = forms.find(([place]) => place.test(pointer))?.[1] ?? schema.description ?? ''
  const fix = isUnquoted ? `Put it in quotes: "${text}".` : form
  return problem(pointer, what, fix === '' ? 'Mend it as schemas/feed.json says.' : fix)
}

function lookUp(pointer: string, document: unknown): { schema: Schema; value: unknown } {
  let [schema, value]: [Schema, unknown] = [root, document]
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
    const { properties = {}, items, additionalProperties: others } = resolved(schema)
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined
    schema = resolved(own ?? items ?? (typeof others === 'object' ? others : {}))
  }
  return { schema, value }
}

const resolved = (schema: Schema): Schema => (schema.$ref === undefined ? schema : root.$defs.bounds)
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

function problem(pointer: string, message: string, fix: string): Problem {
  const place = pointer === '' ? 'the declaration' : pointer.slice(1).replaceAll('/', '.')
  return { pointer, rule: 'schema', message: `${place}: ${message}`, fix, isError: true }
}
