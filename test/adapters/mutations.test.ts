// No mutant of a good answer passes with another value that schema or checks could know to be wrong.

import { describe, expect, it } from 'vitest'
import { adapters } from '../../adapters/index.js'
import type { SourceReading } from '../../src/observe/adapter.js'
import { documents } from '../../src/schema/generated/validators.js'
import { adapterOf, fixture, type Verdict, verdictOf } from './cases.js'
import { mutantsOf } from './mutants.js'
import { type Subject, subjects } from './mutation-subjects.js'

const mutantsMin = 40

/** Names of a value's signed leaves. */
function signedLeaves(value: string): readonly string[] {
  const { properties } = documents[`value/${value}`] as { properties: Record<string, { assay?: unknown }> }
  return Object.keys(properties).filter((name) => properties[name]!.assay !== undefined)
}

/** What of a reading is signed or decides whether it is: the signed leaves and the time. */
function essence(adapterId: string, reading: SourceReading): string {
  const leaves = signedLeaves(adapterOf(adapterId).schemas.value).map((name) => reading.value[name])
  return JSON.stringify([leaves, reading.observedAtMs])
}

interface Outcome {
  readonly name: string
  readonly kind: 'refused' | 'same' | 'other'
  readonly verdict: Verdict
}

function outcomes(subject: Subject): readonly Outcome[] {
  const adapter = adapterOf(subject.adapter)
  const raw = fixture(subject.adapter, subject.file)
  const good = essence(subject.adapter, verdictOf(adapter, raw, subject.params) as SourceReading)
  return mutantsOf(subject, Buffer.from(raw.bytes).toString()).map(({ name, bytes, mediaType = raw.mediaType }) => {
    const verdict = verdictOf(adapter, { bytes, mediaType }, subject.params)
    // A stream's message about something else is no reading either.
    if (verdict === null || 'error' in verdict) return { name, kind: 'refused', verdict }
    return { name, kind: essence(subject.adapter, verdict) === good ? 'same' : 'other', verdict }
  })
}

describe('mutants', () => {
  for (const subject of subjects) {
    it(`of ${subject.adapter} are refused, or give the very same value, or are the observer's to stop`, () => {
      const all = outcomes(subject)
      const of = (kind: Outcome['kind']): readonly string[] =>
        all.filter((one) => one.kind === kind).map(({ name }) => name)
      const others = Object.entries(subject.observer).map(([name, who]) => `${name} (${who})`)
      console.log(
        `${subject.adapter}: ${all.length} mutants, ${of('refused').length} refused, ${of('same').length} of the same ` +
          `value, 0 wrong values accepted, ${others.length} left to the observer${others.length > 0 ? ': ' : ''}${others.join(', ')}`,
      )
      expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
      expect(all.length - others.length).toBeGreaterThanOrEqual(mutantsMin)
      expect([...of('other')].sort()).toEqual(Object.keys(subject.observer).sort())
      // A harmless change must not silence a source; and a mutant that is meant to harm must not be the answer as it was.
      const harmless = all.map(({ name }) => name).filter((name) => name.startsWith('same '))
      expect([...of('same')].sort()).toEqual(harmless.sort())
      expect(harmless.length).toBeGreaterThanOrEqual(6)
    })
  }

  it('are made of every adapter', () => {
    expect(subjects.map(({ adapter }) => adapter).sort()).toEqual(adapters.map(({ id }) => id).sort())
  })
})
