// Certificates of peers: TLS needs one around each Ed25519 key, so each member makes its own; only the key is believed.
//
// Names, issuers and dates in a certificate are ignored on purpose. The committee document pins the raw public key of
// each member, TLS 1.3 proves that the peer holds its private half, and nothing else in the certificate is covered by
// anybody's word. Dates would add a clock to the ways a committee can stop; a key is withdrawn by a new document.

import { createPrivateKey, createPublicKey, type KeyObject, webcrypto, type X509Certificate } from 'node:crypto'
import { OracleError } from '../base/errors.js'

const SPKI_PREFIX = '302a300506032b6570032100'

/** Raw 32-byte public key, 0x hex, of an Ed25519 key; null for any other key. */
function rawKeyOf(key: KeyObject): string | null {
  if (key.asymmetricKeyType !== 'ed25519') return null
  const der = key.export({ type: 'spki', format: 'der' }).toString('hex')
  return der.startsWith(SPKI_PREFIX) && der.length === SPKI_PREFIX.length + 64
    ? `0x${der.slice(SPKI_PREFIX.length)}`
    : null
}

/** The raw public key (0x hex, as in Member.peerKey) of a PKCS#8 PEM with an Ed25519 private key, else NETWORK_KEY_INVALID. */
export function peerKeyOfPem(peerKeyPem: string): string {
  let key: KeyObject
  try {
    key = createPublicKey(createPrivateKey(peerKeyPem))
  } catch (cause) {
    throw new OracleError('NETWORK_KEY_INVALID', 'the peer key is not a private key in PKCS#8 PEM', { cause })
  }
  const raw = rawKeyOf(key)
  if (raw === null)
    throw new OracleError('NETWORK_KEY_INVALID', `the peer key is ${key.asymmetricKeyType}, not Ed25519`)
  return raw
}

/** The raw public key of a peer's certificate, 0x hex; null when there is none or it is not Ed25519. Never throws. */
export function peerKeyOfCertificate(certificate: X509Certificate | undefined): string | null {
  try {
    return certificate === undefined ? null : rawKeyOf(certificate.publicKey)
  } catch {
    return null
  }
}

/** A self-signed certificate (PEM) around the key in `peerKeyPem`; the same key always gives the same bytes. */
export async function createCertificate(peerKeyPem: string): Promise<string> {
  peerKeyOfPem(peerKeyPem)
  // Loaded here, since only the start of a node needs them and they take their time.
  await import('reflect-metadata')
  const { X509CertificateGenerator } = await import('@peculiar/x509')
  const algorithm = { name: 'Ed25519' }
  const privateKey = createPrivateKey(peerKeyPem)
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  }
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=assay',
      notBefore: new Date('2000-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      signingAlgorithm: algorithm,
      keys,
    },
    webcrypto as Parameters<typeof X509CertificateGenerator.createSelfSigned>[1],
  )
  return certificate.toString('pem')
}
