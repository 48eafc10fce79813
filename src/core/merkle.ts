// The Merkle tree over a report's leaves: OpenZeppelin-compatible (sorted pairs), leaves in the committee's order.

import { compareBytes } from './bytes.js'
import type { Engine } from './engine.js'

const NODE_BYTES = 32

/** The tree of one report: its root, and the proof of the leaf at `index` from the leaf's sibling upwards. */
export interface MerkleTree {
  readonly root: Uint8Array
  proof(index: number): Uint8Array[]
}

/** Two sorted nodes, reused by each hash: no node outlives the call that wrote it. */
const pair = new Uint8Array(2 * NODE_BYTES)

/** keccak(min || max) of two 32-byte nodes, as OpenZeppelin's MerkleProof hashes them. */
export function hashPair(engine: Engine, a: Uint8Array, b: Uint8Array): Uint8Array {
  const inOrder = compareBytes(a, b) <= 0
  pair.set(inOrder ? a : b, 0)
  pair.set(inOrder ? b : a, NODE_BYTES)
  return engine.keccak256(pair)
}

/**
 * Nodes of the complete binary tree over leaves[from, to) in heap layout: node i has children 2i and 2i+1, node 1 is
 * the root, and with L leaves, leaf i stands at L + i, so the earliest leaves are the shallow ones.
 */
function heapOf(engine: Engine, leaves: readonly Uint8Array[], from: number, to: number): Uint8Array[] {
  const length = to - from
  const nodes: Uint8Array[] = new Array(2 * length)
  for (let i = 0; i < length; i++) nodes[length + i] = leaves[from + i]!
  for (let i = length - 1; i >= 1; i--) nodes[i] = hashPair(engine, nodes[2 * i]!, nodes[2 * i + 1]!)
  return nodes
}

function heapProof(nodes: readonly Uint8Array[], leaf: number): Uint8Array[] {
  const proof: Uint8Array[] = []
  for (let node = nodes.length / 2 + leaf; node > 1; node >>= 1) proof.push(nodes[node ^ 1]!)
  return proof
}

/**
 * The tree over `leaves` (32 bytes each, at least one). With 0 < hotCount < leaves.length the first `hotCount` leaves
 * form a complete subtree of their own and the rest another, root = pair(hot, cold): what contracts read most has the
 * short proofs. Leaves keep their order; OpenZeppelin's verifiers do not depend on it.
 */
export function merkleTree(engine: Engine, leaves: readonly Uint8Array[], hotCount: number): MerkleTree {
  if (leaves.length === 0) throw new Error('a tree has at least one leaf')
  if (leaves.some((leaf) => leaf.length !== NODE_BYTES)) throw new Error('a leaf has 32 bytes')
  if (hotCount <= 0 || hotCount >= leaves.length) {
    const nodes = heapOf(engine, leaves, 0, leaves.length)
    return { root: nodes[1]!, proof: (index) => heapProof(nodes, checked(index, leaves.length)) }
  }
  const hot = heapOf(engine, leaves, 0, hotCount)
  const cold = heapOf(engine, leaves, hotCount, leaves.length)
  return {
    root: hashPair(engine, hot[1]!, cold[1]!),
    proof: (index) =>
      checked(index, leaves.length) < hotCount
        ? [...heapProof(hot, index), cold[1]!]
        : [...heapProof(cold, index - hotCount), hot[1]!],
  }
}

function checked(index: number, length: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= length) throw new Error(`no leaf ${index} of ${length}`)
  return index
}

/** Root of the tree that `merkleTree` makes. */
export function merkleRoot(engine: Engine, leaves: readonly Uint8Array[], hotCount: number): Uint8Array {
  return merkleTree(engine, leaves, hotCount).root
}

/** The root that `leaf` and its `proof` (32 bytes each) lead to; the caller compares it with a signed one. */
export function rootFromProof(engine: Engine, leaf: Uint8Array, proof: readonly Uint8Array[]): Uint8Array {
  let node = leaf
  for (const sibling of proof) node = hashPair(engine, node, sibling)
  return node
}
