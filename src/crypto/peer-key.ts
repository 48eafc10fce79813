// The Ed25519 key with which an oracle proves itself to its peers: PKCS#8 PEM, readable by its user only.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { OracleError } from '../base/errors.js'
import { toHex } from '../core/bytes.js'
import { readKeyFile, writeKeyFile } from './key-file.js'

/** A peer key: its PEM, and the raw public key as the committee document names it (0x hex, 32 bytes). */
export interface PeerKey {
  readonly pem: string
  readonly publicKey: string
  /** Whether others than this user may read the file. */
  readonly isExposed: boolean
}

/** Makes a fresh key in a new file of mode 0600; KEY_FILE_EXISTS when there is a file. */
export async function createPeerKey(path: string): Promise<PeerKey> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await writeKeyFile(path, pem)
  return { pem, publicKey: rawPublicKey(privateKey), isExposed: false }
}

/** Reads the key at `path`; KEY_FILE_UNREADABLE, or NETWORK_KEY_INVALID when it is no Ed25519 private key in PEM. */
export async function loadPeerKey(path: string): Promise<PeerKey> {
  const { text, isExposed } = await readKeyFile(path)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: text, format: 'pem' })
  } catch {
    // The cause is left out: some parsers quote the text.
    throw new OracleError('NETWORK_KEY_INVALID', 'the peer key is not a private key in PKCS#8 PEM', { path })
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new OracleError('NETWORK_KEY_INVALID', `the peer key is ${key.asymmetricKeyType}, not Ed25519`, { path })
  }
  return { pem: text, publicKey: rawPublicKey(key), isExposed }
}

/** The last 32 bytes of an Ed25519 key's SubjectPublicKeyInfo are the key itself (RFC 8410). */
function rawPublicKey(key: KeyObject): string {
  return toHex(createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32))
}
