// A failing schedule as a file: small, in words, and replayed by a test for as long as the project lives.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Schedule } from './schedule.js'
import type { Violation } from './witness.js'

/** What test/scenarios/*.json hold. */
export interface Story {
  readonly name: string
  /** What happens, one sentence a fault. */
  readonly tells: readonly string[]
  /** What was broken when the story was found. */
  readonly broke: { readonly code: string; readonly text: string }
  readonly schedule: Schedule
}

/** The story of a schedule that broke a rule. */
export function storyOf(name: string, schedule: Schedule, violation: Violation): Story {
  return { name, tells: tell(schedule), broke: { code: violation.code, text: violation.text }, schedule }
}

/** Writes a story into `folder` under its name; the path. */
export async function writeStory(folder: string, story: Story): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${story.name}.json`)
  await writeFile(path, `${pretty(story)}\n`)
  return path
}

/** JSON as the formatter writes it: arrays of plain values on one line where they fit 120 characters. */
function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /^(.*)\[\n([^[\]{}]*?)\n *\](,?)$/gm,
    (whole, head: string, inner: string, comma: string) => {
      const line = `${head}[${inner.trim().replace(/,\n */g, ', ')}]${comma}`
      return line.length <= 120 ? line : whole
    },
  )
}

function tell({ n, liars, outdated, late, steps, healMs, delayMaxMs }: Schedule): string[] {
  return [
    `${n} members, frames take up to ${delayMaxMs} ms.`,
    ...liars.map(({ member, behaviours }) => `Member ${member} lies: ${behaviours.join('; ')}.`),
    ...outdated.map((member) => `Member ${member} runs with the committee document of the generation before.`),
    ...late.map((member) => `Member ${member} joins only at ${healMs} ms.`),
    ...steps.map(
      ({ atMs, kind, who, forMs, amount }) =>
        `At ${atMs} ms, for ${forMs} ms: ${kind} at ${who.length === 0 ? 'all' : who.join(', ')} (${amount}).`,
    ),
    `At ${healMs} ms everything that can heal does.`,
  ]
}
