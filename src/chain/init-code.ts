// What makes each contract: its code with the arguments of its constructor behind it, 0x hex.

import { AggregatorFacade__factory } from './generated/factories/AggregatorFacade__factory.js'
import { BundleStore__factory } from './generated/factories/BundleStore__factory.js'
import { CommitteeRegistry__factory } from './generated/factories/CommitteeRegistry__factory.js'
import { FeedStore__factory } from './generated/factories/FeedStore__factory.js'
import { PythFacade__factory } from './generated/factories/PythFacade__factory.js'
import { Requester__factory } from './generated/factories/Requester__factory.js'
import { RequestHub__factory } from './generated/factories/RequestHub__factory.js'

interface Factory {
  readonly bytecode: string
  createInterface(): { encodeDeploy(args: readonly unknown[]): string }
}

export function registryData(lineage: string, owner: string, guardian: string, delayS: number): string {
  return initCode(CommitteeRegistry__factory, [lineage, owner, guardian, delayS])
}

export function feedStoreData(registry: string): string {
  return initCode(FeedStore__factory, [registry])
}

export function bundleStoreData(registry: string, bundleId: string, feedIds: readonly string[]): string {
  return initCode(BundleStore__factory, [registry, bundleId, feedIds])
}

export function hubData(registry: string): string {
  return initCode(RequestHub__factory, [registry])
}

/** `meaning`: the bytes whose hash is the feed's id; the store must have a value of it. */
export function facadeData(store: string, meaning: Uint8Array, maxAgeS: number): string {
  return initCode(AggregatorFacade__factory, [store, meaning, maxAgeS])
}

export function pythData(
  store: string,
  ids: readonly { readonly id: string; readonly meaning: Uint8Array }[],
  validS: number,
): string {
  return initCode(PythFacade__factory, [store, ids.map(({ id, meaning }) => [id, meaning]), validS])
}

/** The example requester, without a stake: it may ask at once, and whoever bet wins nothing. */
export function requesterData(hub: string, owner: string, meaning: string): string {
  return initCode(Requester__factory, [hub, owner, owner, 0, 0, [meaning], []])
}

function initCode(factory: Factory, args: readonly unknown[]): string {
  return `${factory.bytecode}${factory.createInterface().encodeDeploy(args).slice(2)}`
}
