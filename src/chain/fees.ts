// What one transaction may cost (EIP-1559), and what the next attempt at its nonce must offer; pure, in wei.

/** The two fee fields of a transaction, for one unit of gas. */
export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** What the chain asks for one unit of gas now: the base fee of the head, and the tip that recent blocks paid. */
export interface Market {
  readonly baseFeePerGas: bigint
  readonly tipPerGas: bigint
}

/**
 * What an operator allows. `perGasMax` bounds what a unit of gas may ever cost, `perTransactionMax` a whole transaction at
 * its gas limit, `perHourMax` all transactions of a key within any hour. Between `tipMin` and `tipMax` we follow the market;
 * only the raises that nodes demand of a replacement go beyond.
 */
export interface FeeLimits {
  readonly perGasMax: bigint
  readonly tipMin: bigint
  readonly tipMax: bigint
  readonly perTransactionMax: bigint
  readonly perHourMax: bigint
}

/** What to offer now, or what to wait for: that the market falls below the cap, or that the hour's budget recovers. */
export type Offer =
  | { readonly verdict: 'send'; readonly fees: Fees }
  | { readonly verdict: 'wait: cap' }
  | { readonly verdict: 'wait: budget' }

/** What was paid, and when. */
export interface Spending {
  readonly atMs: number
  readonly wei: bigint
}

/** The budget is that of a rolling hour. */
export const budgetMs: number = 3_600_000

/**
 * The fees of the first attempt (`last` null) or of one that replaces `last` at the same nonce. `committedWei` is what this
 * key spent within the hour and what its other transactions under way may cost at most.
 */
export function makeOffer(
  last: Fees | null,
  gasLimit: bigint,
  market: Market,
  committedWei: bigint,
  limits: FeeLimits,
): Offer {
  const cap = smaller(limits.perGasMax, limits.perTransactionMax / gasLimit)
  const fees = last === null ? firstFees(market, cap, limits) : raisedFees(last, market, cap, limits)
  if (fees === null) return { verdict: 'wait: cap' }
  if (committedWei + costMax(fees, gasLimit) > limits.perHourMax) return { verdict: 'wait: budget' }
  return { verdict: 'send', fees }
}

/** The most that a transaction of `gasLimit` with `fees` can cost. */
export function costMax(fees: Fees, gasLimit: bigint): bigint {
  return fees.maxFeePerGas * gasLimit
}

/** What was paid within the hour before `nowMs`. */
export function spentWithinHour(spendings: Iterable<Spending>, nowMs: number): bigint {
  let sum = 0n
  for (const { atMs, wei } of spendings) if (atMs > nowMs - budgetMs) sum += wei
  return sum
}

/** Whether a transaction with `fees` can be in a block at the market's base fee at all. */
export function isPayable(fees: Fees, market: Market): boolean {
  return fees.maxFeePerGas >= market.baseFeePerGas
}

/** Twice the base fee outlasts five full blocks (1.125⁵ < 2). Null where the cap is below what any block would take. */
function firstFees(market: Market, cap: bigint, limits: FeeLimits): Fees | null {
  if (market.baseFeePerGas + limits.tipMin > cap) return null
  const tip = tipOf(market, limits)
  const maxFeePerGas = smaller(2n * market.baseFeePerGas + tip, cap)
  return { maxFeePerGas, maxPriorityFeePerGas: smaller(tip, maxFeePerGas) }
}

/** Both fields by an eighth at least, since nodes refuse a replacement that raises either by less than a tenth (I16). */
function raisedFees(last: Fees, market: Market, cap: bigint, limits: FeeLimits): Fees | null {
  const least = raised(last.maxFeePerGas)
  if (least > cap || market.baseFeePerGas + limits.tipMin > cap) return null
  const tip = tipOf(market, limits)
  const maxFeePerGas = smaller(larger(least, 2n * market.baseFeePerGas + tip), cap)
  const maxPriorityFeePerGas = smaller(larger(raised(last.maxPriorityFeePerGas), tip), maxFeePerGas)
  return { maxFeePerGas, maxPriorityFeePerGas }
}

/** An eighth more, rounded up, and always more. */
const raised = (fee: bigint): bigint => larger((fee * 9n + 7n) / 8n, fee + 1n)

const tipOf = (market: Market, limits: FeeLimits): bigint =>
  smaller(larger(market.tipPerGas, limits.tipMin), limits.tipMax)

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
