// One measured figure of the gas bench, in the same terms for every system.

/** One line of `npm run bench:gas -- --json`; rows compare when signatures, hop, rotation and pause are the same. */
export interface Row {
  readonly bench: 'gas'
  readonly system: string
  /**
   * pull: signed data come with the transaction that uses them; push: they are stored; read: what was stored is used;
   * change: who may sign changes, or is stopped.
   */
  readonly what: 'pull' | 'push' | 'read' | 'change'
  readonly feeds: number
  /** Signatures checked in this transaction. */
  readonly signatures: number
  /** Keys that may sign. */
  readonly signers: number
  /**
   * direct: the oracle's contract is the transaction's target; inline: verification is compiled into the consumer;
   * consumer: the target is a consumer that calls the oracle; proxy: a consumer calls it through a proxy of the peer's.
   */
  readonly hop: 'direct' | 'inline' | 'consumer' | 'proxy'
  /** Whether the set of signers can change while consumers keep their code and addresses. */
  readonly rotation: boolean
  /** Whether one feed, or all, can be stopped on chain, and the path measured looks at it. */
  readonly pause: boolean
  /** Whether data signed too long ago, or for the future, are refused by block time. */
  readonly validityWindow: boolean
  /** pull and push: gas of the whole transaction; read: of its execution, without 21,000 and calldata. */
  readonly gas: number
  /** What the same transaction with one bit of one signature changed does; a read or change carries no signature. */
  readonly corrupted: 'reverts' | 'accepted' | 'unsigned'
  readonly note: string
}
