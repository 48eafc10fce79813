// `assay chain key`: a new key that pays on chains, in a keystore of its own.

import { randomBytes } from 'node:crypto'
import { createKeystore } from '../crypto/keystore.js'
import { readPassphrase } from '../crypto/passphrase.js'
import type { Talk } from './chain-talk.js'

export interface KeyFileOptions {
  readonly passphraseFile: string
}

/** Makes `file`; KEY_FILE_EXISTS when it is there. The passphrase is that in the file named. */
export async function chainKey(file: string, { passphraseFile }: KeyFileOptions, talk: Talk): Promise<number> {
  const { text, isExposed } = await readPassphrase(passphraseFile)
  if (isExposed) talk.warn(`other users of this machine can read ${passphraseFile}: chmod 600`)
  const address = await createKeystore(file, randomBytes(32), text)
  talk.result({ keystore: file, address }, `${address}\nFund it, and name ${file} under chains in config.json.`)
  return 0
}
