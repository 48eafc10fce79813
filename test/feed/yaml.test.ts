import { describe, expect, it } from 'vitest'
import { parseFeeds } from '../../src/feed/parse-feeds.js'
import { readYaml, textLengthMax, type YamlDocument, type YamlFault } from '../../src/feed/read-yaml.js'
import { adapters, engine } from './declare.js'

const faultOf = (text: string): YamlFault => {
  const read = readYaml(text)
  if (Array.isArray(read)) throw new Error(`accepted: ${JSON.stringify(read)}`)
  return read as YamlFault
}
const valuesOf = (text: string): unknown[] => {
  const read = readYaml(text)
  if (!Array.isArray(read)) throw new Error((read as YamlFault).message)
  return (read as YamlDocument[]).map(({ value }) => value)
}

/** Text, and what its refusal says and where. */
const hostile: readonly (readonly [string, string, RegExp, number])[] = [
  ['an alias', 'a: &x [1]\nb: *x', /anchors/, 1],
  ['an alias of nothing', 'b: *x', /[Uu]nresolved alias|aliases/, 1],
  [
    'a billion laughs',
    'a: &a [lol, lol]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: *c',
    /anchors/,
    1,
  ],
  ['a merge of an alias', 'a: {b: 1}\n<<: *a', /alias/, 2],
  ['a tag of its own', 'a: !ruby/object {}', /tag/i, 1],
  ['a known tag', 'a: 1\nb: !!str 2', /tags/, 2],
  ['a binary tag', 'a: !!binary aGk=', /tag/i, 1],
  ['a directive', '%YAML 1.1\n---\na: yes', /directives/, 1],
  ['a repeated key', 'a: 1\nb: 2\na: 3', /a is repeated/, 3],
  ['a repeated key in quotes', '{"a": 1,\n "\\u0061": 2}', /a is repeated/, 2],
  ['__proto__', 'a:\n  __proto__: {polluted: true}', /__proto__/, 2],
  ['a key that is a number', '1: a', /no plain text/, 1],
  ['a key that is a list', '? [a]\n: b', /no plain text/, 1],
  ['a key that is null', '? \n: b', /no plain text/, 1],
  ['tabs for indentation', 'a:\n\tb: 1', /[Tt]ab/, 2],
  ['a list that does not end', 'a: [1, 2', /./, 1],
  ['a text that does not end', 'a: "b', /./, 1],
  ['more digits than a double', 'a: 1\nb: 9007199254740993', /15 digits/, 2],
  ['a long fraction', 'a: 0.12345678901234567', /15 digits/, 1],
  ['not a number', 'a: .nan', /written plainly/, 1],
  ['infinity', 'a: .inf', /written plainly/, 1],
  ['1e400', 'a: 1e400', /written plainly/, 1],
  ['hexadecimal', 'a: 0x10', /written plainly/, 1],
  ['octal', 'a: 0o17', /written plainly/, 1],
  ['half a surrogate pair', 'a: "\\ud800"', /surrogate/, 1],
  ['a pair in a list', '[a: 1]\n', /schema|pair|declaration/, 1],
]

describe('YAML', () => {
  it.each(hostile.slice(0, -1))('refuses %s and says where', (_, text, message, line) => {
    const fault = faultOf(text)
    expect(fault.message).toMatch(message)
    expect(fault.line).toBe(line)
    expect(fault.fix).toMatch(/\.$/)
  })

  it('reads the core schema of YAML 1.2, in which yes and no are texts', () => {
    const text = 'a: yes\nb: 012\nc: 1.5\nd: "1.50"\ne: [true, null, -3]\n---\n{"json": [1]}\n---\n'
    expect(() => valuesOf('b: 012')).toThrow(/written plainly/)
    expect(valuesOf(text.replace('b: 012\n', ''))).toEqual([
      { a: 'yes', c: 1.5, d: '1.50', e: [true, null, -3] },
      { json: [1] },
    ])
  })

  it('refuses depth before anything recurses, and in little time', () => {
    for (const text of ['['.repeat(20_000), '{a: '.repeat(20_000), '- '.repeat(20_000), 'a: '.repeat(20_000)]) {
      const before = performance.now()
      faultOf(text)
      expect(performance.now() - before).toBeLessThan(3000)
    }
    const steps = Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')
    expect(faultOf(steps).message).toMatch(/deeper/)
    expect(valuesOf(`${'['.repeat(20)}${']'.repeat(20)}`)).toHaveLength(1)
  })

  it('bounds text, documents and the time that many keys take', () => {
    expect(faultOf(`# ${'x'.repeat(textLengthMax)}`).message).toMatch(/characters/)
    expect(faultOf('a: 1\n---\n'.repeat(300)).message).toMatch(/256 documents/)
    const keys = Array.from({ length: 30_000 }, (_, i) => `k${i}: 1`).join('\n')
    const before = performance.now()
    expect(valuesOf(keys)).toHaveLength(1)
    expect(performance.now() - before).toBeLessThan(5000)
  })

  it('knows the place of each value, and of the nearest outer one of what is absent', () => {
    const [document] = readYaml('a: 1\nb:\n  - c: 2\n    d~/e: 3\n') as readonly YamlDocument[]
    expect(document!.positionOf('/a')).toEqual({ line: 1, column: 1 })
    expect(document!.positionOf('/b/0/d~0~1e')).toEqual({ line: 4, column: 5 })
    expect(document!.positionOf('/b/0/absent/deeper')).toEqual({ line: 3, column: 5 })
    expect(document!.positionOf('/absent')).toEqual({ line: 1, column: 1 })
  })

  it('makes findings of faults, and of values that are no declaration, without throwing', () => {
    const texts = [...hostile.map(([, text]) => text), 'just text', 'null', '[]', '42', '{}', '- 1']
    for (const text of texts) {
      const { declarations, findings } = parseFeeds(engine, 'x.yaml', text, adapters)
      expect(declarations).toEqual([])
      expect(findings.map(({ rule }) => rule)).toEqual([expect.stringMatching(/^(yaml|schema)$/)])
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
