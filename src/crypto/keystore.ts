// Signing keys at rest: keystore v3 files, as every Ethereum tool reads them. The one file that imports ethers' wallets.

import { scrypt as nodeScrypt } from 'node:crypto'
import { OracleError } from '../base/errors.js'
import { fromHex, toHex } from '../core/bytes.js'
import { readKeyFile, writeKeyFile } from './key-file.js'

/** An opened key. The caller hands `privateKey` (32 bytes) to the keyring, which overwrites it. */
export interface OpenedKey {
  readonly privateKey: Uint8Array
  /** Lower-case 0x hex of its 20-byte address. */
  readonly address: string
  /** Whether others than this user may read the file. */
  readonly isExposed: boolean
}

/** scrypt's N for new files where none is said: what other tools write, a third of a second and 128 MiB. */
const standardCost = 131_072
const memoryBytesMax = 512 * 1024 * 1024
/** N·r·p of scrypt: eight times that of a file with geth's parameters. */
const workMax = 2 ** 24
const iterationsMax = 10_000_000

/**
 * Encrypts a private key into a new file of mode 0600 and returns its address (0x hex). `cost` is scrypt's N, a power of
 * two; lower it only for tests and demonstrations. KEY_FILE_EXISTS when there is a file.
 */
export async function createKeystore(
  path: string,
  privateKey: Uint8Array,
  passphrase: string,
  cost: number = standardCost,
): Promise<string> {
  const { encryptKeystoreJson, Wallet } = await loadWallets()
  const account = { privateKey: toHex(privateKey), address: new Wallet(toHex(privateKey)).address }
  const text = await encryptKeystoreJson(account, passphrase, { scrypt: { N: cost, r: 8, p: 1 } })
  await writeKeyFile(path, `${text}\n`)
  return account.address.toLowerCase()
}

/**
 * Opens a keystore v3 file. `address` (lower-case 0x hex), when given, is the one that the key must have. Refused with
 * KEY_FILE_UNREADABLE, KEYSTORE_INVALID (path: file and field), KEYSTORE_TOO_COSTLY before any memory is taken,
 * KEYSTORE_PASSPHRASE_WRONG, KEYSTORE_ADDRESS_MISMATCH.
 */
export async function openKeystore(path: string, passphrase: string, address?: string): Promise<OpenedKey> {
  const { text, isExposed } = await readKeyFile(path)
  checkKeystore(path, text)
  const { decryptKeystoreJson } = await loadWallets()
  const account = await decryptKeystoreJson(text, passphrase).catch((error: unknown) => {
    throw refusal(path, error)
  })
  const found = account.address.toLowerCase()
  if (address !== undefined && found !== address) throw mismatch(path, found, address)
  return { privateKey: fromHex(account.privateKey, 32)!, address: found, isExposed }
}

/** Loaded when a key is opened, not before: ethers' wallets take a tenth of a second and 20 MB. */
async function loadWallets(): Promise<typeof import('ethers/wallet')> {
  const [wallets, { scrypt }] = await Promise.all([import('ethers/wallet'), import('ethers/crypto')])
  // ethers' own scrypt is JavaScript and takes several seconds; Node's is native and off the main thread.
  if (!isRegistered) scrypt.register(nativeScrypt)
  isRegistered = true
  return wallets
}

let isRegistered = false

function nativeScrypt(
  passphrase: Uint8Array,
  salt: Uint8Array,
  N: number,
  r: number,
  p: number,
  length: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: memoryBytesMax + 1024 * 1024 }
    nodeScrypt(passphrase, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}

/** What must hold before a key derivation is started on a stranger's parameters. Names are case-insensitive in v3. */
function checkKeystore(path: string, text: string): void {
  const fail = (field: string, why: string): never => {
    throw new OracleError('KEYSTORE_INVALID', `not a keystore v3 file: ${field} ${why}`, { path: `${path}#${field}` })
  }
  let top: unknown
  try {
    top = JSON.parse(text)
  } catch {
    fail('/', 'is not JSON')
  }
  const read = (holder: unknown, at: string, name: string): unknown => {
    if (typeof holder !== 'object' || holder === null) return fail(at || '/', 'is not an object')
    const found = Object.entries(holder).filter(([key]) => key.toLowerCase() === name)
    return found.length === 1 ? found[0]![1] : fail(`${at}/${name}`, found.length === 0 ? 'is missing' : 'is repeated')
  }
  const hex = (holder: unknown, at: string, name: string, bytesMin: number, bytesMax: number): void => {
    const value = read(holder, at, name)
    const isHex = typeof value === 'string' && /^(0x)?([0-9a-f]{2})*$/i.test(value)
    const bytes = isHex ? value.replace(/^0x/i, '').length / 2 : -1
    if (bytes < bytesMin || bytes > bytesMax) fail(`${at}/${name}`, `is not ${bytesMin} to ${bytesMax} bytes of hex`)
  }
  const count = (holder: unknown, at: string, name: string): number => {
    const value = read(holder, at, name)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) fail(`${at}/${name}`, 'is no count')
    return value as number
  }
  if (read(top, '', 'version') !== 3) fail('/version', 'is not 3')
  const crypto = read(top, '', 'crypto')
  if (read(crypto, '/crypto', 'cipher') !== 'aes-128-ctr') fail('/crypto/cipher', 'is not aes-128-ctr')
  hex(read(crypto, '/crypto', 'cipherparams'), '/crypto/cipherparams', 'iv', 16, 16)
  hex(crypto, '/crypto', 'ciphertext', 32, 32)
  hex(crypto, '/crypto', 'mac', 32, 32)
  const params = read(crypto, '/crypto', 'kdfparams')
  const at = '/crypto/kdfparams'
  hex(params, at, 'salt', 1, 1024)
  if (read(params, at, 'dklen') !== 32) fail(`${at}/dklen`, 'is not 32')
  const kdf = read(crypto, '/crypto', 'kdf')
  if (kdf === 'scrypt') {
    const [N, r, p] = [count(params, at, 'n'), count(params, at, 'r'), count(params, at, 'p')]
    if (N < 2 || !Number.isInteger(Math.log2(N))) fail(`${at}/n`, 'is not a power of two')
    // RFC 7914, section 2; no library that we know computes anything else.
    if (Math.log2(N) >= 16 * r) fail(`${at}/n`, 'is not below 2^(16r)')
    if (128 * N * r + 128 * r * p > memoryBytesMax || N * r * p > workMax) throw tooCostly(path, { N, r, p })
  } else if (kdf === 'pbkdf2') {
    const prf = read(params, at, 'prf')
    if (prf !== 'hmac-sha256' && prf !== 'hmac-sha512') fail(`${at}/prf`, 'is not hmac-sha256 or hmac-sha512')
    const iterations = count(params, at, 'c')
    if (iterations > iterationsMax) throw tooCostly(path, { iterations })
  } else fail('/crypto/kdf', 'is not scrypt or pbkdf2')
}

function tooCostly(path: string, facts: Record<string, number>): OracleError {
  return new OracleError('KEYSTORE_TOO_COSTLY', 'the key derivation asks for too much memory or time', { path, facts })
}

function mismatch(path: string, found: string, expected: string): OracleError {
  const facts = { found, expected }
  return new OracleError('KEYSTORE_ADDRESS_MISMATCH', 'the key is not that of the expected address', { path, facts })
}

/** ethers names the argument at fault; its messages and values may hold secrets, so none goes further. */
function refusal(path: string, error: unknown): OracleError {
  const { argument } = error as { argument?: unknown }
  if (argument === 'password') {
    return new OracleError('KEYSTORE_PASSPHRASE_WRONG', 'the passphrase does not open this keystore', { path })
  }
  if (argument === 'address') {
    return new OracleError('KEYSTORE_ADDRESS_MISMATCH', 'the key is not that of the address in the file', { path })
  }
  return new OracleError('KEYSTORE_INVALID', 'the keystore holds no usable key', { path })
}
