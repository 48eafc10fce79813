// Whether an IP address is a public one: judged on its bytes, so that no way of writing it matters.

/** The 4 or 16 bytes of an address in canonical dotted or colon form; null for anything else (zones, brackets, octal). */
export function parseAddress(text: string): Uint8Array | null {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

function parseV4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part))) return null
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : null
}

function parseV6(text: string): Uint8Array | null {
  if (text.length > 45) return null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = bytesOfGroups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? bytesOfGroups(halves[1]!, true) : []
  if (head === null || tail === null) return null
  const missing = 16 - head.length - tail.length
  // A double colon stands for at least one group of zeros.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null
  const bytes = new Uint8Array(16)
  bytes.set(head, 0)
  bytes.set(tail, 16 - tail.length)
  return bytes
}

/** The bytes of colon-separated groups; an IPv4 tail counts as two groups where the address ends. */
function bytesOfGroups(text: string, isEnd: boolean): readonly number[] | null {
  if (text === '') return []
  const groups = text.split(':')
  const bytes: number[] = []
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
      continue
    }
    const v4 = isEnd && i === groups.length - 1 ? parseV4(group) : null
    if (v4 === null) return null
    bytes.push(...v4)
  }
  return bytes.length <= 16 ? bytes : null
}

/** The one text of `bytes` (4 or 16) that is dialled: dotted decimals, or eight full groups of hex. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16))
  return groups.join(':')
}

type Range = readonly [prefix: string, bits: number]

/** IPv4 that is not globally reachable, or is no host's own address (IANA special-purpose registry, RFC 6890). */
const deniedV4: readonly Range[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared, carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, with the metadata services of clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24], // AS112
  ['192.52.193.0', 24], // AMT
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['192.175.48.0', 24], // AS112
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, with broadcast
]

/**
 * Global unicast is 2000::/3; all else is denied: ::, ::1, IPv4-mapped and -compatible, NAT64 (64:ff9b::/96 and
 * 64:ff9b:1::/48), fc00::/7, fe80::/10, fec0::/10, multicast.
 */
const globalV6: Range = ['2000::', 3]

/** What is denied inside global unicast. */
const deniedV6: readonly Range[] = [
  ['2001::', 23], // protocol assignments, with Teredo, ORCHID and benchmarks
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4, which embeds an IPv4 address
  ['2620:4f:8000::', 48], // AS112
  ['3fff::', 20], // documentation
]

interface Prefix {
  readonly bytes: Uint8Array
  readonly bits: number
}

const prefixOf = ([prefix, bits]: Range): Prefix => ({ bytes: parseAddress(prefix)!, bits })
const prefixesV4 = deniedV4.map(prefixOf)
const prefixesV6 = deniedV6.map(prefixOf)
const globalPrefixV6 = prefixOf(globalV6)
const loopbackV4 = prefixOf(['127.0.0.0', 8])

function isIn(address: Uint8Array, { bytes, bits }: Prefix): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== bytes[i]) return false
  const rest = bits & 7
  return rest === 0 || address[whole]! >> (8 - rest) === bytes[whole]! >> (8 - rest)
}

/** Whether an address (4 or 16 bytes) may be asked without the operator's leave: globally reachable unicast. */
export function isPublicAddress(address: Uint8Array): boolean {
  if (address.length === 4) return !prefixesV4.some((prefix) => isIn(address, prefix))
  if (address.length !== 16 || !isIn(address, globalPrefixV6)) return false
  return !isIsatap(address) && !prefixesV6.some((prefix) => isIn(address, prefix))
}

/** ISATAP puts an IPv4 address behind the interface identifier 0:5efe or 200:5efe, under any prefix. */
function isIsatap(address: Uint8Array): boolean {
  return (address[8]! & 0xfd) === 0 && address[9] === 0 && address[10] === 0x5e && address[11] === 0xfe
}

/** Whether an address (4 or 16 bytes) is in 127/8 or is ::1; no other form of a loopback address counts. */
export function isLoopbackAddress(address: Uint8Array): boolean {
  if (address.length === 4) return isIn(address, loopbackV4)
  return address.length === 16 && address.every((byte, i) => byte === (i === 15 ? 1 : 0))
}
