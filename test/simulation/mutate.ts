// Builds the compiled tree once more with a mutant's edits in it, in a throw-away folder, and plays schedules there.

import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { Figures } from './figures.js'
import type { Mutant } from './mutant.js'

/** How a mutant fared; `schedules` is how many were played up to the one that found it. */
export interface Hunt {
  readonly bug: string
  readonly step: string
  readonly found: boolean
  readonly schedules: number
  readonly code: string | null
  readonly text: string | null
  readonly seconds: number
}

/** The project, seen from a source file or from its compiled twin in dist. */
function projectRoot(): string {
  const here = fileURLToPath(new URL('.', import.meta.url))
  return join(here, here.endsWith('/dist/test/simulation/') ? '../../..' : '../..')
}

/** The edited source of one file; a programmer's error when an edit does not match exactly once. */
function edited(source: string, { name, edits }: Mutant, file: string): string {
  let text = source
  for (const edit of edits.filter((candidate) => candidate.file === file)) {
    const found = text.split(edit.find).length - 1
    if (found !== 1) throw new Error(`mutant ${name}: ${JSON.stringify(edit.find)} stands ${found} times in ${file}`)
    text = text.replace(edit.find, () => edit.replace)
  }
  return text
}

/** The edited sources of a mutant by file; throws when an edit has rotted. */
export async function editsOf(mutant: Mutant): Promise<Map<string, string>> {
  const files = [...new Set(mutant.edits.map((edit) => edit.file))]
  const texts = files.map(async (file) => {
    const source = await readFile(join(projectRoot(), file), 'utf8')
    return [file, edited(source, mutant, file)] as const
  })
  return new Map(await Promise.all(texts))
}

/** At most `schedules` schedules from `seed`; a story of the find goes to the folder `stories`, unless it is 'none'. */
export interface HuntOrder {
  readonly schedules: number
  readonly seed: string
  readonly workers: number
  readonly stories: string
}

/** Hunts a mutant. Needs the compiled tree in dist. */
export async function hunt(mutant: Mutant, { schedules, seed, workers, stories }: HuntOrder): Promise<Hunt> {
  const began = performance.now()
  const root = projectRoot()
  const folder = await mkdtemp(join(tmpdir(), 'assay-mutant-'))
  try {
    await mkdir(join(folder, 'dist/test'), { recursive: true })
    await cp(join(root, 'dist/src'), join(folder, 'dist/src'), { recursive: true })
    await cp(join(root, 'dist/test/simulation'), join(folder, 'dist/test/simulation'), { recursive: true })
    await cp(join(root, 'package.json'), join(folder, 'package.json'))
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const [file, text] of await editsOf(mutant)) {
      const { outputText } = ts.transpileModule(text, {
        fileName: file,
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
      })
      await writeFile(join(folder, 'dist', file.replace(/\.ts$/, '.js')), outputText)
    }
    const codes = mutant.codes === undefined ? [] : ['--codes', mutant.codes.join(',')]
    const figures = await play(folder, [
      ...['--schedules', String(schedules), '--seed', seed, '--workers', String(workers), '--json', '--first'],
      ...['--stories', stories, '--name', mutant.name],
      ...codes,
    ])
    const first = figures.violations.toSorted((a, b) => a.index - b.index)[0]
    return {
      bug: mutant.name,
      step: mutant.step,
      found: first !== undefined,
      schedules: first === undefined ? figures.schedules : first.index + 1,
      code: first?.code ?? null,
      text: first?.text ?? null,
      seconds: Math.round((performance.now() - began) / 100) / 10,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function play(folder: string, args: readonly string[]): Promise<Figures> {
  const main = join(folder, 'dist/test/simulation/main.js')
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve, reject) => {
    const out: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => errors.push(bytes))
    child.on('error', reject)
    child.on('close', () => {
      try {
        resolve(JSON.parse(Buffer.concat(out).toString('utf8')) as Figures)
      } catch {
        reject(new Error(`the simulator of a mutant said: ${Buffer.concat(errors).toString('utf8')}`))
      }
    })
  })
}
