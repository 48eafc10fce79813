// What an endpoint says to a transaction, in the words of the usual clients, sorted into what the sender can do about it.

/** taken and known: the endpoint holds it. The others say why not; gone: no answer, or one that cannot be used. */
export type SendOutcome =
  | 'taken'
  | 'known'
  | 'nonceTooLow'
  | 'nonceTooHigh'
  | 'underpriced'
  | 'feeTooLow'
  | 'funds'
  | 'refused'
  | 'gone'

/** Texts of geth, erigon, reth, nethermind, besu, nitro and anvil; the first match decides, so the narrow come first. */
const texts: readonly (readonly [SendOutcome, RegExp])[] = [
  ['known', /already ?known|known transaction|already imported|already in (?:the )?(?:mem)?pool|^alreadyexists/i],
  [
    'underpriced',
    /replacement (?:transaction )?underpriced|could not replace|replacement ?not ?allowed|gas price too low to replace/i,
  ],
  ['nonceTooLow', /nonce too low|old ?nonce|nonce .*(?:below|lower than|is too low)|invalid nonce; got/i],
  ['nonceTooHigh', /nonce too high|nonce ?gap|nonce too (?:far|distant)|gapped.?nonce/i],
  ['funds', /insufficient ?funds|upfront cost exceeds|insufficient balance|out of funds/i],
  [
    'feeTooLow',
    /fee ?too ?low|less than block base fee|below current base fee|underpriced|gas price (?:too low|below)|min(?:imum)? gas price|max fee per gas less/i,
  ],
]

/** The outcome that `message` of a JSON-RPC error stands for. */
export function outcomeOf(message: string): SendOutcome {
  return texts.find(([, pattern]) => pattern.test(message))?.[0] ?? 'refused'
}
