import { BlockList } from 'node:net'
import { describe, expect, it } from 'vitest'
import { addressText, isLoopbackAddress, isPublicAddress, parseAddress } from '../../src/observe/address.js'

const judge = (text: string): string => {
  const address = parseAddress(text)
  return address === null ? 'no address' : isPublicAddress(address) ? 'public' : 'denied'
}

describe('parseAddress', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['2001:DB8::00a1:0', '2001:db8:0:0:0:0:a1:0'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:1.2.3.4', '0:0:0:0:0:ffff:102:304'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['64:ff9b::10.0.0.1', '64:ff9b:0:0:0:0:a00:1'],
  ])('reads %s', (text, canonical) => {
    const address = parseAddress(text)!
    expect(addressText(address)).toBe(canonical)
    expect(parseAddress(canonical)).toEqual(address)
  })

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '0x7f.0.0.1',
    '256.1.1.1',
    '1.2.3.4 ',
    '١.2.3.4',
    '1。2。3。4',
    '1.2.3.-4',
    ':',
    ':::',
    '1:::2',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '[::1]',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::ffff:01.2.3.4',
    'localhost',
  ])('takes %j for no address', (text) => {
    expect(parseAddress(text)).toBeNull()
  })
})

describe('isPublicAddress', () => {
  // First and last address of each denied range, and the neighbours outside where they are public.
  it.each([
    ['0.0.0.0', '0.255.255.255', null, '1.0.0.0'],
    ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
    ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
    ['127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
    ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
    ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
    ['192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
    ['192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
    ['192.31.196.0', '192.31.196.255', '192.31.195.255', '192.31.197.0'],
    ['192.52.193.0', '192.52.193.255', '192.52.192.255', '192.52.194.0'],
    ['192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
    ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
    ['192.175.48.0', '192.175.48.255', '192.175.47.255', '192.175.49.0'],
    ['198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
    ['198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
    ['203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
    ['224.0.0.0', '255.255.255.255', '223.255.255.255', null],
    ['::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', null, '2000::'],
    ['2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2000:ffff::1', '2001:200::'],
    ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db7::1', '2001:db9::'],
    ['2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:ffff::1', '2003::'],
    ['2620:4f:8000::', '2620:4f:8000:ffff:ffff:ffff:ffff:ffff', '2620:4f:7fff::1', '2620:4f:8001::'],
    ['3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', '3ffe::1', '3fff:1000::'],
    ['4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '3fff:ffff::1', null],
  ])('denies %s to %s and not their neighbours', (first, last, before, after) => {
    expect([judge(first), judge(last)]).toEqual(['denied', 'denied'])
    for (const neighbour of [before, after])
      if (neighbour !== null) expect([neighbour, judge(neighbour)][1]).toBe('public')
  })

  it.each([
    '::ffff:8.8.8.8',
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:0:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::10.0.0.1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2606:4700::5efe:10.0.0.1',
    '2606:4700::200:5efe:127.0.0.1',
    'fc00::1',
    'fdff::1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
    '100::1',
    '5f00::1',
  ])('denies %s, which embeds or is no public address', (text) => {
    expect(judge(text)).toBe('denied')
  })

  it('agrees with another reader of prefixes on 20,000 seeded IPv4 addresses', () => {
    const denied = new BlockList()
    for (const [net, bits] of Object.entries({ '0.0.0.0': 8, '10.0.0.0': 8, '100.64.0.0': 10, '127.0.0.0': 8 }))
      denied.addSubnet(net, bits)
    for (const [net, bits] of Object.entries({ '169.254.0.0': 16, '172.16.0.0': 12, '192.168.0.0': 16 }))
      denied.addSubnet(net, bits)
    for (const [net, bits] of Object.entries({ '198.18.0.0': 15, '224.0.0.0': 4, '240.0.0.0': 4 }))
      denied.addSubnet(net, bits)
    const small = [
      '192.0.0',
      '192.0.2',
      '192.31.196',
      '192.52.193',
      '192.88.99',
      '192.175.48',
      '198.51.100',
      '203.0.113',
    ]
    for (const net of small) denied.addSubnet(`${net}.0`, 24)
    const firsts = [...denied.rules].map((rule) => rule.split(' ').at(-1)!.split('/')[0]!)
    let seed = 1
    const next = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed >>> 16
    }
    const counts = { denied: 0, public: 0 }
    for (let i = 0; i < 20_000; i++) {
      const near = firsts[next() % firsts.length]!.split('.').map(Number)
      const bytes = Uint8Array.from(near, (byte, k) => (next() % 3 > k ? byte : (byte + (next() % 512)) & 0xff))
      const isPublic = !denied.check(bytes.join('.'))
      expect([bytes.join('.'), isPublicAddress(bytes)]).toEqual([bytes.join('.'), isPublic])
      counts[isPublic ? 'public' : 'denied']++
    }
    expect(Math.min(counts.denied, counts.public)).toBeGreaterThan(2_000)
  })
})

describe('isLoopbackAddress', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['::1', true],
    ['128.0.0.1', false],
    ['::', false],
    ['::2', false],
    ['::ffff:127.0.0.1', false],
    ['10.0.0.1', false],
    ['0.0.0.0', false],
  ])('says of %s: %s', (text, expected) => {
    expect(isLoopbackAddress(parseAddress(text)!)).toBe(expected)
  })
})
