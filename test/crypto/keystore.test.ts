// Keystore v3 files: published vectors open, and every unfit file is refused with a code before it costs anything.

import { createCipheriv, pbkdf2Sync, scryptSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OracleError } from '../../src/base/errors.js'
import { toHex } from '../../src/core/bytes.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { createKeystore, openKeystore } from '../../src/crypto/keystore.js'
import { recording } from '../recordings.js'

interface Vector {
  readonly json: object
  readonly password: string
  readonly priv: string
}

const folder = mkdtempSync(join(tmpdir(), 'assay-keystore-'))
afterAll(() => rmSync(folder, { recursive: true }))

const key = new Uint8Array(32).fill(0x42)
const path = join(folder, 'light.json')
let address: string
beforeAll(async () => {
  address = await createKeystore(path, key, 'correct horse', 1024)
})

async function refused(opening: Promise<unknown>): Promise<OracleError> {
  const error = await opening.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OracleError)) throw new Error(`no refusal: ${error}`)
  return error
}

/** Writes the light keystore with other fields in place of its own, at any depth, and returns its place. */
function changed(changes: Record<string, unknown>): string {
  const merge = (old: unknown, change: unknown): unknown =>
    isObject(old) && isObject(change)
      ? {
          ...old,
          ...Object.fromEntries(Object.entries(change).map(([name, value]) => [name, merge(old[name], value)])),
        }
      : change
  const file = join(folder, 'changed.json')
  writeFileSync(file, JSON.stringify(merge(JSON.parse(readFileSync(path, 'utf8')), changes)), { mode: 0o600 })
  return file
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

describe('keystore files', () => {
  it('opens files made by hand from the definition, with either key derivation', async () => {
    const engine = await createWasmEngine()
    const salt = Buffer.alloc(32, 3)
    const scrypt = { kdf: 'scrypt', kdfparams: { dklen: 32, n: 2048, r: 8, p: 2, salt: salt.toString('hex') } }
    const pbkdf2 = { kdf: 'pbkdf2', kdfparams: { dklen: 32, c: 500, prf: 'hmac-sha256', salt: salt.toString('hex') } }
    const made = [
      { ...scrypt, derived: scryptSync('pässword', salt, 32, { N: 2048, r: 8, p: 2 }) },
      { ...pbkdf2, derived: pbkdf2Sync('pässword', salt, 500, 32, 'sha256') },
    ]
    for (const { kdf, kdfparams, derived } of made) {
      const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), Buffer.alloc(16, 4))
      const ciphertext = cipher.update(key)
      const mac = engine.keccak256(Buffer.concat([derived.subarray(16), ciphertext]))
      const crypto = {
        cipher: 'aes-128-ctr',
        cipherparams: { iv: '04'.repeat(16) },
        ciphertext: ciphertext.toString('hex'),
        kdf,
        kdfparams,
        mac: toHex(mac).slice(2),
      }
      const file = join(folder, `${kdf}.json`)
      writeFileSync(file, JSON.stringify({ version: 3, id: '0', crypto }))
      expect(toHex((await openKeystore(file, 'pässword')).privateKey)).toBe(toHex(key))
    }
  })

  it('opens the vectors of the definition, but for one whose scrypt breaks RFC 7914', async () => {
    const recorded = recording('vectors/keystore/keystore-v3-basic-tests.json') as Record<string, Vector> | null
    for (const [name, { json, password, priv }] of Object.entries(recorded ?? {})) {
      const file = join(folder, `${name}.json`)
      writeFileSync(file, JSON.stringify(json))
      if (name === 'test2') {
        const refusal = await refused(openKeystore(file, password))
        expect([refusal.code, refusal.path]).toEqual(['KEYSTORE_INVALID', `${file}#/crypto/kdfparams/n`])
      } else expect(toHex((await openKeystore(file, password)).privateKey), name).toBe(`0x${priv}`)
    }
  })

  it('opens what it made, for the address it said, readable by its user only', async () => {
    const engine = await createWasmEngine()
    expect(address).toBe(toHex(engine.addressOf(key)))
    const opened = await openKeystore(path, 'correct horse', address)
    expect(opened).toEqual({ privateKey: key, address, isExposed: false })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o640)
    expect((await openKeystore(path, 'correct horse')).isExposed).toBe(true)
    chmodSync(path, 0o600)
  })

  it('writes the standard cost unless told otherwise, and opens it in well under a second', async () => {
    const file = join(folder, 'standard.json')
    await createKeystore(file, key, 'pass')
    expect(JSON.parse(readFileSync(file, 'utf8')).Crypto.kdfparams).toMatchObject({ n: 131_072, r: 8, p: 1 })
    const start = performance.now()
    await openKeystore(file, 'pass')
    expect(performance.now() - start).toBeLessThan(3000)
  })

  it('never overwrites a file', async () => {
    expect((await refused(createKeystore(path, key, 'x', 1024))).code).toBe('KEY_FILE_EXISTS')
  })

  it('refuses a wrong passphrase, a missing file and a foreign address', async () => {
    const wrong = await refused(openKeystore(path, 'wrong horse'))
    expect(wrong.code).toBe('KEYSTORE_PASSPHRASE_WRONG')
    expect(JSON.stringify([wrong, wrong.message, wrong.cause])).not.toContain('horse')
    expect((await refused(openKeystore(join(folder, 'none'), 'x'))).code).toBe('KEY_FILE_UNREADABLE')
    const other = `0x${'11'.repeat(20)}`
    expect((await refused(openKeystore(path, 'correct horse', other))).code).toBe('KEYSTORE_ADDRESS_MISMATCH')
    const lying = changed({ address: '11'.repeat(20) })
    expect((await refused(openKeystore(lying, 'correct horse'))).code).toBe('KEYSTORE_ADDRESS_MISMATCH')
  })

  it('refuses costs that would take the machine down, at once', async () => {
    const costly = [
      { n: 2 ** 20, r: 8, p: 1 },
      { n: 2 ** 17, r: 8, p: 1024 },
      { n: 1024, r: 2 ** 30, p: 1 },
      { n: 2, r: 1, p: 2 ** 40 },
    ]
    for (const params of costly) {
      const file = changed({ Crypto: { kdfparams: params } })
      const start = performance.now()
      expect((await refused(openKeystore(file, 'x'))).code, JSON.stringify(params)).toBe('KEYSTORE_TOO_COSTLY')
      expect(performance.now() - start).toBeLessThan(100)
    }
    const iterations = changed({ Crypto: { kdf: 'pbkdf2', kdfparams: { c: 2 ** 31, prf: 'hmac-sha256' } } })
    expect((await refused(openKeystore(iterations, 'x'))).code).toBe('KEYSTORE_TOO_COSTLY')
  })

  it('refuses malformed files and names the field', async () => {
    const cases: [string, Record<string, unknown>][] = [
      ['/version', { version: 4 }],
      ['/crypto', { Crypto: undefined }],
      ['/crypto', { crypto: {} }],
      ['/crypto', { Crypto: [], CRYPTO: [] }],
      ['/crypto/cipher', { Crypto: { cipher: 'aes-256-gcm' } }],
      ['/crypto/cipherparams/iv', { Crypto: { cipherparams: { iv: '00' } } }],
      ['/crypto/ciphertext', { Crypto: { ciphertext: 'zz'.repeat(32) } }],
      ['/crypto/mac', { Crypto: { mac: '' } }],
      ['/crypto/kdf', { Crypto: { kdf: 'argon2id' } }],
      ['/crypto/kdfparams/n', { Crypto: { kdfparams: { n: 1000 } } }],
      ['/crypto/kdfparams/n', { Crypto: { kdfparams: { n: '1024' } } }],
      ['/crypto/kdfparams/n', { Crypto: { kdfparams: { n: 65_536, r: 1 } } }],
      ['/crypto/kdfparams/r', { Crypto: { kdfparams: { r: 0 } } }],
      ['/crypto/kdfparams/dklen', { Crypto: { kdfparams: { dklen: 64 } } }],
      ['/crypto/kdfparams/salt', { Crypto: { kdfparams: { salt: undefined } } }],
    ]
    for (const [field, changes] of cases) {
      const file = changed(changes)
      const refusal = await refused(openKeystore(file, 'correct horse'))
      expect([refusal.code, refusal.path], JSON.stringify(changes)).toEqual(['KEYSTORE_INVALID', `${file}#${field}`])
    }
    for (const text of ['', 'no JSON', '[]', 'null', '{"version":3}']) {
      writeFileSync(join(folder, 'text.json'), text)
      expect((await refused(openKeystore(join(folder, 'text.json'), 'x'))).code).toBe('KEYSTORE_INVALID')
    }
    writeFileSync(join(folder, 'big.json'), ' '.repeat(70_000))
    expect((await refused(openKeystore(join(folder, 'big.json'), 'x'))).code).toBe('KEY_FILE_UNREADABLE')
  })
})
