// Where a keystore's passphrase comes from: a file, or a terminal that does not show it.

import { OracleError } from '../base/errors.js'
import { readKeyFile } from './key-file.js'

/** A passphrase, and whether others than this user may read the file it came from. */
export interface Passphrase {
  readonly text: string
  readonly isExposed: boolean
}

/** The passphrase in a file, without the line break at its end; KEY_FILE_UNREADABLE, KEYSTORE_PASSPHRASE_MISSING. */
export async function readPassphrase(path: string): Promise<Passphrase> {
  const { text, isExposed } = await readKeyFile(path)
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw missing('the passphrase file is empty', path)
  return { text: passphrase, isExposed }
}

/** The part of a terminal's input that a prompt needs; `process.stdin` is one. */
export interface TerminalInput {
  readonly isTTY?: boolean
  setRawMode(isRaw: boolean): unknown
  on(event: 'data' | 'end', listener: (chunk: Buffer | string) => void): unknown
  off(event: 'data' | 'end', listener: (chunk: Buffer | string) => void): unknown
  resume(): unknown
  pause(): unknown
}

/** Asks `question` on a terminal and reads a line without echo; KEYSTORE_PASSPHRASE_MISSING when cancelled or no terminal. */
export async function promptPassphrase(
  question: string,
  input: TerminalInput,
  output: { write(text: string): unknown },
): Promise<string> {
  if (input.isTTY !== true) throw missing('there is no terminal to ask for the passphrase at', '')
  output.write(question)
  input.setRawMode(true)
  input.resume()
  try {
    return await readLine(input)
  } finally {
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

function readLine(input: TerminalInput): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder()
    let line: string[] = []
    const finish = (settle: () => void): void => {
      input.off('data', onData)
      input.off('end', onEnd)
      settle()
    }
    const onEnd = (): void => finish(() => reject(missing('the passphrase prompt was closed', '')))
    const onData = (chunk: Buffer | string): void => {
      const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
      for (const character of text) {
        if (character === '\r' || character === '\n') {
          const typed = line.join('')
          return finish(() => (typed === '' ? reject(missing('the passphrase is empty', '')) : resolve(typed)))
        }
        // Control-C and control-D; a raw terminal leaves them to us.
        if (character === '\u0003' || character === '\u0004') return onEnd()
        if (character === '\u007f' || character === '\b') line.pop()
        else if (character === '\u0015') line = []
        else if (character >= ' ') line.push(character)
      }
    }
    input.on('data', onData)
    input.on('end', onEnd)
  })
}

function missing(message: string, path: string): OracleError {
  return new OracleError('KEYSTORE_PASSPHRASE_MISSING', message, { path })
}
