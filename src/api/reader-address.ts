// Who reads the stream, as far as a network can tell: one name for all the addresses that one reader commands.

/** A socket's remote address as its owner's: IPv4 whole, IPv6 by its /64, `loopback` for this machine. */
export function readerAddress(remote: string | undefined): string {
  const address = (remote ?? '').replace(/%.*$/, '').toLowerCase()
  const four = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/.exec(address)?.[1]
  if (four !== undefined) return four.startsWith('127.') ? 'loopback' : four
  if (address === '::1') return 'loopback'
  const [left = '', right] = address.split('::', 2)
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? [] : Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}
