import { SimpleMerkleTree, StandardMerkleTree } from '@openzeppelin/merkle-tree'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { entryBytes, hashLeaf } from '../../src/core/leaf.js'
import { hashPair, merkleRoot, merkleTree, rootFromProof } from '../../src/core/merkle.js'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'

const engine = await createWasmEngine()
const leavesOf = (length: number): Uint8Array[] => Array.from({ length }, (_, i) => engine.keccak256(utf8(`leaf ${i}`)))

describe('merkleTree', () => {
  it('proves each of 1 to 70 leaves for any hot count, to us and to OpenZeppelin', () => {
    for (let length = 1; length <= 70; length++) {
      const leaves = leavesOf(length)
      for (const hotCount of new Set([0, 1, Math.floor(length / 3), length - 1, length])) {
        const tree = merkleTree(engine, leaves, hotCount)
        expect(merkleRoot(engine, leaves, hotCount)).toEqual(tree.root)
        leaves.forEach((leaf, i) => {
          const proof = tree.proof(i)
          expect(rootFromProof(engine, leaf, proof)).toEqual(tree.root)
          if (hotCount !== Math.floor(length / 3)) return // OpenZeppelin's slow hash checks one shape of each length
          expect(SimpleMerkleTree.verify(toHex(tree.root), toHex(leaf), proof.map(toHex))).toBe(true)
        })
      }
    }
  })

  it('has the root of OpenZeppelin’s tree over the same leaves in the same order', () => {
    // OpenZeppelin fills its heap from the end, so its last leaf is where our first is.
    for (const length of [1, 2, 3, 6, 7, 33]) {
      const leaves = leavesOf(length)
      const theirs = SimpleMerkleTree.of(leaves.map(toHex).reverse(), { sortLeaves: false })
      expect(toHex(merkleRoot(engine, leaves, 0))).toBe(theirs.root)
    }
  })

  it('keeps early leaves shallow, and hot ones shallowest', () => {
    for (const [length, hotCount] of [
      [70, 0],
      [70, 9],
      [625, 16],
    ] as const) {
      const tree = merkleTree(engine, leavesOf(length), hotCount)
      const depths = Array.from({ length }, (_, i) => tree.proof(i).length)
      const cold = depths.slice(hotCount)
      const hot = depths.slice(0, hotCount)
      for (const part of [hot, cold]) expect(part).toEqual([...part].sort((a, b) => a - b))
      if (hotCount > 0) expect(Math.max(...hot)).toBe(1 + Math.ceil(Math.log2(hotCount)))
      expect(Math.max(...cold)).toBe(Math.ceil(Math.log2(length - hotCount)) + (hotCount > 0 ? 1 : 0))
    }
  })

  it('refuses any other leaf, place or order of a proof', () => {
    const leaves = leavesOf(21)
    const tree = merkleTree(engine, leaves, 4)
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.nat(255), fc.nat(31), (i, j, bit, at) => {
        const proof = tree.proof(i)
        if (i !== j) expect(rootFromProof(engine, leaves[j]!, proof)).not.toEqual(tree.root)
        const bent = Uint8Array.from(leaves[i]!)
        bent[at] = bent[at]! ^ (bit === 0 ? 1 : bit)
        expect(rootFromProof(engine, bent, proof)).not.toEqual(tree.root)
        expect(rootFromProof(engine, leaves[i]!, proof.slice(1))).not.toEqual(tree.root)
        expect(rootFromProof(engine, leaves[i]!, [...proof, bent])).not.toEqual(tree.root)
        expect(rootFromProof(engine, leaves[i]!, proof.toReversed())).not.toEqual(tree.root)
      }),
      { seed: 6, numRuns: 200 },
    )
  })

  it('hashes a pair alike from both sides and leaves its arguments alone', () => {
    const [a, b] = leavesOf(2) as [Uint8Array, Uint8Array]
    const before = [toHex(a), toHex(b)]
    expect(hashPair(engine, a, b)).toEqual(hashPair(engine, b, a))
    expect([toHex(a), toHex(b)]).toEqual(before)
  })

  it('asserts its arguments', () => {
    expect(() => merkleTree(engine, [], 0)).toThrow('at least one leaf')
    expect(() => merkleTree(engine, [new Uint8Array(31)], 0)).toThrow('32 bytes')
    for (const index of [-1, 2, 0.5]) expect(() => merkleTree(engine, leavesOf(2), 1).proof(index)).toThrow('no leaf')
  })
})

describe('bundle leaves', () => {
  it('are leaves of OpenZeppelin’s StandardMerkleTree over 1 + 3k bytes32', () => {
    for (const k of [1, 2, 16]) {
      const preimages = Array.from({ length: 5 }, (_, leaf) =>
        Uint8Array.from({ length: 32 + k * entryBytes }, (_, at) => leaf * 7 + at),
      )
      const tree = merkleTree(
        engine,
        preimages.map((preimage) => hashLeaf(engine, preimage)),
        2,
      )
      const encoding = Array.from({ length: 1 + 3 * k }, () => 'bytes32')
      preimages.forEach((preimage, i) => {
        const words = encoding.map((_, word) => toHex(preimage.slice(32 * word, 32 * word + 32)))
        const proof = tree.proof(i).map(toHex)
        expect(StandardMerkleTree.verify(toHex(tree.root), encoding, words, proof)).toBe(true)
        words[1] = words[0]!
        expect(StandardMerkleTree.verify(toHex(tree.root), encoding, words, proof)).toBe(false)
      })
    }
  })
})
