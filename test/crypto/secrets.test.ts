// Passphrases from files and terminals, and the peer key's file.

import { generateKeyPairSync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { promptPassphrase, readPassphrase, type TerminalInput } from '../../src/crypto/passphrase.js'
import { createPeerKey, loadPeerKey } from '../../src/crypto/peer-key.js'
import { peerKeyOfPem } from '../../src/network/certificate.js'

const folder = mkdtempSync(join(tmpdir(), 'assay-secrets-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a passphrase file', () => {
  it('loses its last line break only, and tells when others may read it', async () => {
    const file = join(folder, 'passphrase')
    for (const [text, expected] of [
      ['secret\n', 'secret'],
      ['secret\r\n', 'secret'],
      [' se cret \n\n', ' se cret \n'],
      ['secret', 'secret'],
    ] as const) {
      writeFileSync(file, text, { mode: 0o600 })
      expect(await readPassphrase(file)).toEqual({ text: expected, isExposed: false })
    }
    chmodSync(file, 0o644)
    expect((await readPassphrase(file)).isExposed).toBe(true)
  })

  it('is refused when empty or absent', async () => {
    writeFileSync(join(folder, 'empty'), '\n')
    await expect(readPassphrase(join(folder, 'empty'))).rejects.toMatchObject({ code: 'KEYSTORE_PASSPHRASE_MISSING' })
    await expect(readPassphrase(join(folder, 'none'))).rejects.toMatchObject({ code: 'KEY_FILE_UNREADABLE' })
  })
})

class Terminal extends EventEmitter implements TerminalInput {
  isTTY: boolean = true
  readonly modes: boolean[] = []
  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw)
  }
  resume(): void {}
  pause(): void {}
}

describe('a passphrase prompt', () => {
  const ask = (terminal: Terminal): { readonly answer: Promise<string>; readonly shown: string[] } => {
    const shown: string[] = []
    const answer = promptPassphrase('Passphrase: ', terminal, { write: (text) => shown.push(text) })
    return { answer, shown }
  }

  it('reads a line without echo, with corrections, in pieces of any size', async () => {
    const terminal = new Terminal()
    const { answer, shown } = ask(terminal)
    for (const byte of Buffer.from('junk\u0015pä\u007fässx\b🔑\r')) terminal.emit('data', Buffer.from([byte]))
    expect(await answer).toBe('päss🔑')
    expect(shown.join('')).toBe('Passphrase: \n')
    expect(terminal.modes).toEqual([true, false])
    expect(terminal.listenerCount('data')).toBe(0)
  })

  it('is refused when cancelled, closed, empty, or without a terminal; the terminal is left as it was', async () => {
    const inputs: ((terminal: Terminal) => void)[] = [
      (terminal) => terminal.emit('data', Buffer.from('abc\u0003')),
      (terminal) => terminal.emit('end'),
      (terminal) => terminal.emit('data', Buffer.from('\n')),
    ]
    for (const input of inputs) {
      const terminal = new Terminal()
      const { answer } = ask(terminal)
      input(terminal)
      await expect(answer).rejects.toMatchObject({ code: 'KEYSTORE_PASSPHRASE_MISSING' })
      expect(terminal.modes).toEqual([true, false])
    }
    const pipe = new Terminal()
    pipe.isTTY = false
    await expect(ask(pipe).answer).rejects.toMatchObject({ code: 'KEYSTORE_PASSPHRASE_MISSING' })
  })
})

describe('the peer key', () => {
  it('is made once, in a file for its user only, and loads as the same key', async () => {
    const file = join(folder, 'peer.pem')
    const made = await createPeerKey(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await loadPeerKey(file)).toEqual(made)
    expect(made.publicKey).toBe(peerKeyOfPem(readFileSync(file, 'utf8')))
    await expect(createPeerKey(file)).rejects.toMatchObject({ code: 'KEY_FILE_EXISTS' })
    chmodSync(file, 0o604)
    expect((await loadPeerKey(file)).isExposed).toBe(true)
  })

  it('is refused when it is no Ed25519 private key', async () => {
    const file = join(folder, 'other.pem')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (const text of ['', 'secret words', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()]) {
      writeFileSync(file, text)
      const refusal = await loadPeerKey(file).catch((error: unknown) => error)
      expect(refusal).toMatchObject({ code: 'NETWORK_KEY_INVALID', path: file })
      expect(JSON.stringify(refusal)).not.toContain('secret words')
    }
  })
})
