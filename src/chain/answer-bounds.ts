// How long an answer may be, and how dense: an endpoint that pads its answers must not hold up the process that reads them.

/** Bytes of an answer to a method of which much may come: a block full of the longest requests; the hashes of some thousand transactions. */
const roomy: Readonly<Record<string, number>> = {
  eth_getLogs: 3_000_000,
  eth_getBlockByNumber: 512_000,
  eth_getTransactionReceipt: 512_000,
}
/** All others: the code of a contract has 48 kB as hex, a call of ours returns some hundred bytes. */
const usual = 128_000

/** The longest answer to the request in `body`, JSON-RPC as ethers writes it. */
export function answerBytesMax(body: Uint8Array): number {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 80)).toString('latin1')
  return roomy[/"method":"(\w+)"/.exec(head)?.[1] ?? ''] ?? usual
}

/**
 * Whether so much of `answer` is structure that reading it would take long: hex of real answers makes them far sparser
 * than one in eight.
 */
export function isPadded(answer: Uint8Array): boolean {
  let structure = 0
  for (let i = 0; i < answer.length; i++) {
    const byte = answer[i]
    if (byte === 0x2c || byte === 0x3a || byte === 0x5b || byte === 0x7b) structure++
  }
  return structure > 256 + answer.length / 8
}
