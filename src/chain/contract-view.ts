// Contracts as a quorum of endpoints sees them at one block: their views, their code, and what they revert with, by name.

import type { Interface, Result } from 'ethers'
import { OracleError } from '../base/errors.js'
import { AggregatorFacade__factory } from './generated/factories/AggregatorFacade__factory.js'
import { BundleStore__factory } from './generated/factories/BundleStore__factory.js'
import { CommitteeRegistry__factory } from './generated/factories/CommitteeRegistry__factory.js'
import { FeedStore__factory } from './generated/factories/FeedStore__factory.js'
import { IReportVerifier__factory } from './generated/factories/IReportVerifier__factory.js'
import { PythFacade__factory } from './generated/factories/PythFacade__factory.js'
import { Requester__factory } from './generated/factories/Requester__factory.js'
import { RequestHub__factory } from './generated/factories/RequestHub__factory.js'
import { type BlockRef, callOf, codeOf } from './questions.js'
import type { RpcQuorum } from './rpc-quorum.js'

/** A contract at an address, read at one block. */
export interface Place {
  readonly quorum: Pick<RpcQuorum, 'read' | 'profile'>
  readonly at: BlockRef
  /** 0x hex. */
  readonly address: string
  /** What it should be, for messages: `CommitteeRegistry`. */
  readonly what: string
}

const known: readonly Interface[] = [
  CommitteeRegistry__factory,
  IReportVerifier__factory,
  FeedStore__factory,
  BundleStore__factory,
  RequestHub__factory,
  AggregatorFacade__factory,
  PythFacade__factory,
  Requester__factory,
].map((factory) => factory.createInterface())

/** What a contract of ours reverted with, as Solidity writes it: `NotNextGeneration(2)`; the bytes of a stranger's error. */
export function reasonOf(data: string): string {
  if (data === '0x') return 'no reason given'
  for (const face of known) {
    try {
      const error = face.parseError(data)
      if (error !== null) return `${error.name}(${error.args.map(String).join(', ')})`
    } catch {
      // The name of an error of ours, or of Solidity's, before other bytes than it has.
    }
  }
  return data.length > 74 ? `${data.slice(0, 74)}…` : data
}

/** What `name` of the contract returns; CONTRACT_UNFIT where nobody answers, or somebody else. */
export async function view(
  place: Place,
  face: Interface,
  name: string,
  args: readonly unknown[] = [],
): Promise<Result> {
  const { quorum, at, address } = place
  const { reverted, data } = await quorum.read(callOf(address, face.encodeFunctionData(name, [...args])), at)
  if (reverted) throw unfit(place, `${name} reverts with ${reasonOf(data)}`)
  if (data === '0x') throw unfit(place, 'there is no code at this address')
  try {
    return face.decodeFunctionResult(name, data)
  } catch {
    throw unfit(place, `${name} answers something else`)
  }
}

/** CONTRACT_UNFIT unless there is code. */
export async function requireCode(place: Place): Promise<void> {
  if ((await place.quorum.read(codeOf(place.address), place.at)) !== '0x') return
  throw unfit(place, 'there is no code at this address')
}

/** CONTRACT_UNFIT: `why` the address is not what it should be. */
export function unfit({ quorum, at, address, what }: Place, why: string): OracleError {
  const facts = { chain: quorum.profile.name, address, block: at.number }
  return new OracleError('CONTRACT_UNFIT', `${address} is no ${what} on ${quorum.profile.name}: ${why}`, { facts })
}
