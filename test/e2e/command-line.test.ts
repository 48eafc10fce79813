// What people give the command line by mistake: each is refused with code 1, a code, the place, and what to do.

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { Signature, verifyTypedData } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/bytes.js'
import { createContext } from '../../src/core/context.js'
import { isoTime } from '../../src/core/iso-time.js'
import { buildReport, type ReportJson } from '../../src/core/report-json.js'
import { domainNames, typedFields } from '../../src/core/typed-data.js'
import { openReportStore } from '../../src/store/report-store.js'
import {
  assay,
  type CommitteeFolder,
  editJson,
  engine,
  reportsIn,
  sleep,
  withCommittee,
} from './committee-processes.js'

let folder: CommitteeFolder
let release: () => void = () => undefined
let whole: Promise<void>

beforeAll(async () => {
  await new Promise<void>((ready, failed) => {
    whole = withCommittee({}, async (made) => {
      folder = made
      ready()
      await new Promise<void>((resolve) => {
        release = resolve
      })
    })
    whole.catch(failed)
  })
})

afterAll(async () => {
  release()
  await whole
})

/** A copy of oracle-1 without state, to be spoilt. */
let copies = 0
function copy(spoil: (where: string) => void = () => undefined): string {
  const where = join(folder.folder, 'committee', `copy-${++copies}`)
  cpSync(folder.of(0), where, { recursive: true, filter: (source) => !source.endsWith('state') })
  spoil(where)
  return where
}

const config = (edit: (document: Record<string, unknown>) => void) => (where: string) =>
  editJson(join(where, 'config.json'), edit)

/** A committee document of its own for a copy, edited. */
const committee =
  (edit: (document: Record<string, never> & { members: Record<string, unknown>[] }) => void) =>
  (where: string): void => {
    const document = JSON.parse(readFileSync(join(folder.folder, 'committee/committee.json'), 'utf8'))
    edit(document)
    writeFileSync(join(where, 'committee.json'), JSON.stringify(document))
    config((c) => {
      c['committee'] = 'committee.json'
    })(where)
  }

const write = (file: string, text: string) => (where: string) => writeFileSync(join(where, file), text)
const other =
  (...files: string[]) =>
  (where: string): void => {
    for (const file of files) cpSync(join(folder.of(1), file), join(where, file))
  }

interface Refusal {
  readonly code: string
  readonly message: string
  readonly path: string
  readonly advice: string
}

/** What the command line says with --json, after holding what it says without to the same words. */
async function refusal(args: readonly string[]): Promise<Refusal> {
  const json = await assay([...args, '--json'])
  const text = await assay(args)
  expect([json.code, text.code]).toEqual([1, 1])
  const last = json.stderr.trim().split('\n').at(-1)!
  const { error } = JSON.parse(last) as { error: Refusal }
  // People read times as ISO.
  const message = error.message.replace(/\b(until|is) (\d{13})\b/g, (_, word, ms) => `${word} ${isoTime(Number(ms))}`)
  expect(text.stderr).toContain(`${error.code}: ${message}`)
  expect(text.stderr).toContain(error.advice)
  expect(text.stderr).not.toMatch(/\n\s+at |node:internal/)
  expect(error.advice.length).toBeGreaterThan(10)
  return error
}

describe('assay start', () => {
  it.each<[string, (where: string) => void, string, string]>([
    ['config.json is no JSON', write('config.json', '{"version": 1,}'), 'JSON_INVALID', ''],
    [
      'a field is unknown',
      config((c) => {
        c['colour'] = 'red'
      }),
      'CONFIG_INVALID',
      '/colour',
    ],
    [
      'a field is missing',
      config((c) => {
        delete c['keystore']
      }),
      'CONFIG_INVALID',
      '/keystore',
    ],
    [
      'a field has the wrong type',
      config((c) => {
        c['source'] = { kind: 'synthetic', everyMs: 'soon' }
      }),
      'CONFIG_INVALID',
      '/source/everyMs',
    ],
    [
      'the member is unknown',
      config((c) => {
        c['member'] = 'oracle-9'
      }),
      'CONFIG_INVALID',
      '/member',
    ],
    [
      'the address to listen on is none',
      config((c) => {
        c['listen'] = 'here'
      }),
      'CONFIG_INVALID',
      '/listen',
    ],
    [
      'the committee document is missing',
      config((c) => {
        c['committee'] = 'nowhere.json'
      }),
      'COMMITTEE_UNREADABLE',
      'nowhere.json',
    ],
    [
      'the committee is too small for its f',
      committee((d) => {
        d.members.pop()
      }),
      'COMMITTEE_TOO_FEW_MEMBERS',
      '/',
    ],
    [
      'two members share a key',
      committee((d) => {
        d.members[1]!['address'] = d.members[0]!['address']
      }),
      'COMMITTEE_REPEATED_KEY',
      '/members/1',
    ],
    [
      'an endpoint is malformed',
      committee((d) => {
        d.members[1]!['endpoint'] = 'localhost'
      }),
      'COMMITTEE_INVALID',
      '/members/1/endpoint',
    ],
    ['the passphrase is wrong', write('passphrase', 'not this one'), 'KEYSTORE_PASSPHRASE_WRONG', 'keystore.json'],
    ['the passphrase file is empty', write('passphrase', ''), 'KEYSTORE_PASSPHRASE_MISSING', 'passphrase'],
    [
      'the keystore is another member\u2019s',
      other('keystore.json', 'passphrase'),
      'KEYSTORE_ADDRESS_MISMATCH',
      'keystore.json',
    ],
    ['the keystore is no keystore', write('keystore.json', '{}'), 'KEYSTORE_INVALID', 'keystore.json'],
    ['the peer key is another member\u2019s', other('peer.pem', 'peer-cert.pem'), 'NETWORK_KEY_INVALID', ''],
    ['the certificate is another member\u2019s', other('peer-cert.pem'), 'NETWORK_KEY_INVALID', ''],
    ['the certificate is garbage', write('peer-cert.pem', 'garbage'), 'NETWORK_KEY_INVALID', ''],
    ['the peer key is garbage', write('peer.pem', 'garbage'), 'NETWORK_KEY_INVALID', ''],
    ['the state folder is a file', write('state', ''), 'DIRECTORY_LOCK_FAILED', 'state'],
  ])('refuses when %s', async (_, spoil, code, path) => {
    const error = await refusal(['start', copy(spoil)])
    expect(error.code).toBe(code)
    expect(error.path).toContain(path)
  })

  it('refuses a folder that is missing or empty', async () => {
    expect(await refusal(['start', join(folder.folder, 'nowhere')])).toMatchObject({ code: 'FOLDER_UNFIT' })
    expect(await refusal(['start', folder.folder])).toMatchObject({ code: 'FOLDER_UNFIT', path: folder.folder })
  })

  it('refuses a port and a state folder that are in use', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(folder.ports[0], '127.0.0.1', resolve))
    const error = await refusal(['start', copy()])
    expect(error.code).toBe('NETWORK_LISTEN_FAILED')
    expect(error.message).toContain(`127.0.0.1:${folder.ports[0]}`)
    await new Promise((resolve) => server.close(resolve))
    const running = folder.start(folder.of(0))
    await running.wait('started')
    expect(await refusal(['start', folder.of(0)])).toMatchObject({
      code: 'DIRECTORY_IN_USE',
      path: join(folder.of(0), 'state'),
    })
    await running.end('SIGTERM')
  })

  it('says with code 2 that the command line itself is wrong', async () => {
    for (const args of [
      [],
      ['fly'],
      ['start'],
      ['init', 'x', '--oracles', 'many'],
      ['verify', 'x'],
      ['init', 'x', '--member', 'a'],
    ]) {
      const { code, stderr } = await assay(args)
      expect([args, code]).toEqual([args, 2])
      expect(stderr).not.toMatch(/\n\s+at /)
    }
  })
})

describe('assay init', () => {
  it('makes a committee that starts, and nothing where there is something', async () => {
    const where = join(folder.folder, 'made')
    const { code, stdout } = await assay([
      'init',
      where,
      '--light',
      '--feeds',
      '3',
      '--port',
      String(folder.ports[1]),
      '--json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout).oracles).toHaveLength(4)
    expect(await refusal(['init', where, '--light'])).toMatchObject({ code: 'FOLDER_UNFIT', path: where })
  })
})

describe('a report of a running committee', () => {
  it('is accepted by assay verify, ethers and OpenZeppelin, and refused when a digit is flipped', async () => {
    const oracles = await folder.startAll()
    await sleep(2500)
    for (const oracle of oracles) expect(await oracle.end('SIGTERM')).toBe(0)
    const store = await openReportStore({ path: reportsIn(folder.of(2)), onState: () => undefined })
    const stored = store.range().findLast((report) => report.seals !== null)!
    await store.close()
    const { kernel } = createContext(engine, folder.committee, 0)
    const { seals, ...parts } = stored
    const bytes = buildReport(engine, folder.committee, kernel, { ...parts, seals: seals! })
    const file = join(folder.folder, 'report.json')
    writeFileSync(file, bytes)
    const document = join(folder.folder, 'committee/committee.json')

    const { code, stdout } = await assay(['verify', file, '--committee', document, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, epoch: stored.epoch, round: stored.round })

    const report = JSON.parse(new TextDecoder().decode(bytes)) as ReportJson
    const { members, salt, thresholds } = folder.committee
    const root = toHex(stored.root)
    const domain = { ...domainNames, salt: toHex(salt) }
    const message = { epoch: report.epoch, round: report.round, attestedAtMs: report.attestedAtMs, root }
    const signers = report.attestations.map((signature) =>
      verifyTypedData(domain, { Report: [...typedFields.Report] }, message, Signature.from(signature)).toLowerCase(),
    )
    expect(signers).toEqual(stored.signers.map((member) => members[member]!.address))
    expect(signers.length).toBeGreaterThanOrEqual(thresholds.intersecting)

    for (const [i, { proof }] of report.leaves.entries()) {
      // A leaf is abi.encode of words: bundle id, then feedId, word and meta of each feed.
      const words = toHex(kernel.leafPreimage(stored.values, i))
        .slice(2)
        .match(/.{64}/g)!
        .map((word) => `0x${word}`)
      const types = words.map(() => 'bytes32')
      expect(StandardMerkleTree.verify(root, types, words, [...proof])).toBe(true)
      expect(StandardMerkleTree.verify(root, types, words.with(2, words[1]!), [...proof])).toBe(false)
    }

    const text = new TextDecoder().decode(bytes)
    for (const place of ['"value":"', '"attestedAtMs":"', '"attestations":["0x', '"proof":["0x']) {
      const at = text.indexOf(place) + place.length
      const flipped = `${text.slice(0, at)}${text[at] === '7' ? '8' : '7'}${text.slice(at + 1)}`
      writeFileSync(file, flipped)
      const error = await refusal(['verify', file, '--committee', document])
      expect(error.code).toMatch(/^REPORT_/)
    }
    writeFileSync(file, bytes)
    expect(await refusal(['verify', file, '--committee', document, '--now', '4102444800000'])).toMatchObject({
      code: 'REPORT_STALE',
    })
    expect(await refusal(['verify', join(folder.folder, 'none.json'), '--committee', document])).toMatchObject({
      path: join(folder.folder, 'none.json'),
    })
  }, 60_000)
})
