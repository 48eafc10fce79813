import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rules } from '../../src/feed/lint.js'
import { documents, validators } from '../../src/schema/generated/validators.js'
import { clean, quakes, type Written } from './declare.js'

const schema = documents['feed'] as Written
const page = readFileSync(join(import.meta.dirname, '../../docs/feeds.md'), 'utf8')

/** Every schema inside `at`, with the place it stands at. */
function* inner(at: Written, path = ''): Generator<readonly [string, Written]> {
  yield [path, at]
  const maps = [at['properties'], at['patternProperties'], at['$defs']] as (Written | undefined)[]
  for (const map of maps) for (const [key, value] of Object.entries(map ?? {})) yield* inner(value, `${path}/${key}`)
  if (at['items'] !== undefined) yield* inner(at['items'], `${path}/items`)
}

describe('schemas/feed.json', () => {
  it('describes every field, and lets no unknown one through', () => {
    const all = [...inner(schema)]
    expect(all.length).toBeGreaterThan(45)
    for (const [path, part] of all) {
      expect([path, typeof part['description']]).toEqual([path, 'string'])
      if (part['type'] !== 'object') continue
      // Maps of params and of members' rules have keys of their own, whose form is bounded.
      const isBounded = part['additionalProperties'] === false || part['propertyNames']?.pattern !== undefined
      expect([path, isBounded]).toEqual([path, true])
    }
  })

  it('accepts the declarations of the tests, and none of them with one field more at any place', () => {
    const validate = validators['feed']!
    for (const written of [clean(), quakes()]) {
      expect(validate(written)).toBe(true)
      const objects = [written, written['freshness'], written['schedule'], written['sources'][0]]
      for (const object of [...objects, written['bounds'] ?? {}, written['combineSources'] ?? {}]) {
        if (Object.keys(object).length === 0) continue
        object['surplus'] = 1
        expect(validate(written)).toBe(false)
        delete object['surplus']
      }
      expect(validate(written)).toBe(true)
    }
  })
})

describe('docs/feeds.md', () => {
  it('has a row for every field of a declaration', () => {
    for (const field of Object.keys(schema['properties'])) expect(page).toContain(`| \`${field}\` |`)
  })

  it('has a row for every rule, and says whether it warns only', () => {
    for (const { id, isError } of rules) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${id}\` |`))
      expect([id, row]).not.toEqual([id, undefined])
      expect([id, row!.includes('(warning)')]).toEqual([id, !isError])
    }
  })
})
