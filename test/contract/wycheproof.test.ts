// Wycheproof: hostile signatures against both engines (by recovery), and Ed25519 as node:crypto, and so TLS, checks it.

import { createHash, createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { engineNoble } from '../../src/client/engine-noble.js'
import { putInt, toHex } from '../../src/core/bytes.js'
import type { Engine } from '../../src/core/engine.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { recording, vector } from '../recordings.js'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const FIELD = 2n ** 256n - 2n ** 32n - 977n

interface EcdsaTest {
  tcId: number
  flags: string[]
  msg: string
  sig: string
  result: 'valid' | 'invalid'
}
interface EcdsaFile {
  testGroups: { publicKey: { uncompressed: string }; tests: EcdsaTest[] }[]
}

/** r and s of a strict DER signature; null for every other encoding, which 64-byte signatures cannot even express. */
function strictDer(hex: string): readonly [bigint, bigint] | null {
  const match = /^30([0-7][0-9a-f])02([0-7][0-9a-f])/.exec(hex)
  if (match === null || Number.parseInt(match[1]!, 16) * 2 !== hex.length - 4) return null
  const rEnd = 8 + Number.parseInt(match[2]!, 16) * 2
  const tail = /^02([0-7][0-9a-f])/.exec(hex.slice(rEnd))
  if (tail === null || Number.parseInt(tail[1]!, 16) * 2 !== hex.length - rEnd - 4) return null
  const numbers = [hex.slice(8, rEnd), hex.slice(rEnd + 4)]
  if (!numbers.every((number) => /^(?:[0-7]|00[89a-f])/.test(number) && !/^00[0-7]./.test(number))) return null
  return [BigInt(`0x${numbers[0]}`), BigInt(`0x${numbers[1]}`)]
}

/** Whether either parity of (r, s) recovers the key's address over SHA-256 of the message. */
function accepts(engine: Engine, publicKey: string, msg: string, r: bigint, s: bigint): boolean {
  const digest = Uint8Array.from(createHash('sha256').update(Buffer.from(msg, 'hex')).digest())
  const address = toHex(engine.keccak256(Uint8Array.from(Buffer.from(publicKey.slice(2), 'hex'))).slice(12))
  return [0, 0x80].some((parity) => {
    const signature = new Uint8Array(64)
    putInt(signature, 0, 32, r)
    putInt(signature, 32, 32, s)
    signature[32] = signature[32]! | parity
    const signer = engine.recover(digest, signature)
    return signer !== null && toHex(signer) === address
  })
}

const wasm = await createWasmEngine()

describe.each([
  ['wasm', wasm],
  ['noble', engineNoble],
] as const)('secp256k1 by recovery, engine %s', (_, engine) => {
  // Excluded: signatures that are no strict DER, or with r or s beyond 32 bytes (all invalid; they have no 64-byte
  // form). Listed: valid ones whose point's x-coordinate lies above the order; EIP-2098 cannot name them: refused.
  it.each([
    ['ecdsa-secp256k1-sha256-bitcoin-test.json', { ran: 231, excluded: 232, beyondOrder: [346] }],
    ['ecdsa-secp256k1-sha256-test.json', { ran: 242, excluded: 234, beyondOrder: [350, 471] }],
  ] as const)('%s', (file, expected) => {
    const recorded = recording(`vectors/wycheproof/${file}`) as EcdsaFile | null
    let ran = 0
    let excluded = 0
    const beyondOrder: number[] = []
    for (const { publicKey, tests } of recorded?.testGroups ?? []) {
      for (const { tcId, msg, sig, result } of tests) {
        const numbers = strictDer(sig)
        if (numbers === null || numbers.some((number) => number >= 2n ** 256n)) {
          expect({ tcId, result }).toEqual({ tcId, result: 'invalid' })
          excluded++
          continue
        }
        ran++
        const [r, s] = numbers
        // The file without bitcoin's rule calls a high s valid: we refuse it as it stands and accept its low twin.
        const low = s > ORDER / 2n && s < ORDER ? ORDER - s : s
        const highAccepted = s > ORDER / 2n && accepts(engine, publicKey.uncompressed, msg, r, s)
        expect({ tcId, highAccepted }).toEqual({ tcId, highAccepted: false })
        const candidate = file.includes('bitcoin') ? s : low
        const accepted = accepts(engine, publicKey.uncompressed, msg, r, candidate)
        if (!accepted && result === 'valid' && r + ORDER < FIELD) beyondOrder.push(tcId)
        else expect({ tcId, result: accepted ? 'valid' : 'invalid' }).toEqual({ tcId, result })
      }
    }
    if (recorded !== null) expect({ ran, excluded, beyondOrder }).toEqual(expected)
    else expectKeptSignatures(engine)
  })
})

/** Where the recordings are absent, the project's own signatures, good and bad, still hold the engine. */
function expectKeptSignatures(engine: Engine): void {
  const kept = vector('signatures.json') as {
    signed: { digest: string; signature: string; address: string }[]
    refused: { digest: string; signature: string }[]
  }
  const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'))
  for (const { digest, signature, address } of kept.signed)
    expect(toHex(engine.recover(bytes(digest), bytes(signature))!)).toBe(address)
  for (const { digest, signature } of kept.refused) expect(engine.recover(bytes(digest), bytes(signature))).toBeNull()
}

describe('Ed25519 by node:crypto', () => {
  it('gives every verdict of the file; nothing is excluded', () => {
    const { tests } = vector('external/wycheproof-ed25519.json') as {
      tests: { tcId: number; publicKey: string; msg: string; sig: string; result: 'valid' | 'invalid' }[]
    }
    for (const { tcId, publicKey, msg, sig, result } of tests) {
      const key = createPublicKey({
        key: Buffer.from(`302a300506032b6570032100${publicKey}`, 'hex'),
        format: 'der',
        type: 'spki',
      })
      const accepted = verify(null, Buffer.from(msg, 'hex'), key, Buffer.from(sig, 'hex'))
      expect({ tcId, result: accepted ? 'valid' : 'invalid' }).toEqual({ tcId, result })
    }
    expect(tests.length).toBe(151)
  })
})
