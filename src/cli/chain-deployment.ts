// The file that says what was deployed where: written after each step, read by all commands for chains.

import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { nodeDisk } from '../base/disk.js'
import { OracleError } from '../base/errors.js'
import { readBounded } from '../base/read-file.js'
import type { Deployed, DeployState, DeployStep, PendingStep } from '../chain/deploy.js'

/** A feed that a store keeps, with what is needed to show it. */
export interface DeployedFeed {
  readonly name: string
  readonly feedId: string
  readonly decimals: number
  readonly unit: string
  readonly kind: 0 | 1
  /** Address of the store. */
  readonly store: string
}

/** How a first value was held against an independent one. */
export interface ShadowRow {
  readonly feed: string
  readonly attested: string
  readonly independent: string
  readonly from: string
  readonly ppm: number
  readonly boundPpm: number
}

export interface Deployment extends DeployState {
  readonly version: 1
  readonly chain: string
  readonly chainId: number
  readonly lineage: string
  readonly generation: number
  readonly salt: string
  readonly deployer: string
  /** Null: the deployer. */
  readonly owner: string | null
  readonly guardian: string
  readonly delayS: number
  /** Null where the check was left out, with the reason. */
  readonly shadow: readonly ShadowRow[] | { readonly leftOut: string } | null
  /** Null until all steps are done. */
  readonly deployed: DeployedAddresses | null
  readonly feeds: readonly DeployedFeed[]
}

/** What stands; amounts are decimal strings. */
export type DeployedAddresses = Omit<Deployed, 'gasUsed' | 'feeWei'> & {
  readonly gasUsed: string
  readonly feeWei: string
}

/** With the calldata of a step under way; a thousand feeds are 300 kB. */
const bytesMax = 4 * 1024 * 1024

/** The deployment in `file`, null where there is no such file; DEPLOYMENT_UNFIT where it is something else. */
export function readDeployment(file: string): Deployment | null {
  if (!existsSync(file)) return null
  let value: Partial<Deployment> | null
  try {
    const bytes = readBounded(file, bytesMax, 'DEPLOYMENT_UNFIT')
    value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Deployment> | null
  } catch (cause) {
    if (cause instanceof OracleError) throw cause
    throw new OracleError('DEPLOYMENT_UNFIT', `${file} is no JSON: ${(cause as Error).message}`, { path: file, cause })
  }
  const isIt =
    value?.version === 1 &&
    typeof value.chainId === 'number' &&
    Array.isArray(value.steps) &&
    value.steps.every(isStep) &&
    Array.isArray(value.feeds) &&
    value.feeds.every(isFeed) &&
    isPending(value.pending) &&
    isDeployed(value.deployed)
  if (isIt) return value as Deployment
  throw new OracleError('DEPLOYMENT_UNFIT', `${file} is no deployment file`, { path: file })
}

/** The finished deployment in `file` on chain `chainId`; DEPLOYMENT_UNFIT where it is none. */
export function requireDeployment(
  file: string,
  chainId: number,
): Deployment & { readonly deployed: DeployedAddresses } {
  const found = readDeployment(resolve(file))
  const fail = (why: string): never => {
    throw new OracleError('DEPLOYMENT_UNFIT', `${file} ${why}`, { path: file })
  }
  if (found === null) return fail('is not there: name a deployment file with --deployment')
  if (found.chainId !== chainId) return fail(`is of chain ${found.chainId}, not of ${chainId}`)
  const { deployed } = found
  if (deployed === null) return fail('is not finished: run the same `assay chain deploy` again')
  return { ...found, deployed }
}

/** Writes the file whole or not at all; on disk when it resolves. */
export async function writeDeployment(file: string, deployment: Deployment): Promise<void> {
  const temporary = `${file}.new`
  // A link that lies there is removed, not followed; two that write at once are told apart.
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o644).catch((cause: unknown) => {
    const message = `${temporary} is being written by another process`
    throw new OracleError('DEPLOYMENT_UNFIT', message, { path: file, cause })
  })
  try {
    await handle.writeFile(`${JSON.stringify(deployment, null, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
  await nodeDisk.syncDirectory(dirname(file))
}

function isStep(value: unknown): value is DeployStep {
  const { step, of, address, hash } = (value ?? {}) as Partial<Record<keyof DeployStep, unknown>>
  const isPlace = address === null || isAddress(address)
  return typeof step === 'string' && typeof of === 'string' && isPlace && typeof hash === 'string'
}

function isFeed(value: unknown): value is DeployedFeed {
  const { name, feedId, decimals, unit, kind, store } = (value ?? {}) as Partial<Record<keyof DeployedFeed, unknown>>
  const isId = typeof feedId === 'string' && /^0x[0-9a-f]{64}$/.test(feedId)
  const isShown = typeof name === 'string' && typeof unit === 'string' && Number.isInteger(decimals)
  return isId && isShown && (kind === 0 || kind === 1) && isAddress(store)
}

function isDeployed(value: unknown): boolean {
  if (value === null || value === undefined) return true
  const { registry, store, hub, bundles } = value as Partial<DeployedAddresses>
  const isOptional = (address: unknown): boolean => address === null || isAddress(address)
  const isTable = typeof bundles === 'object' && bundles !== null
  return (
    isAddress(registry) && isOptional(store) && isOptional(hub) && isTable && Object.values(bundles).every(isAddress)
  )
}

function isAddress(value: unknown): boolean {
  return typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value)
}

function isPending(value: unknown): boolean {
  if (value === null || value === undefined) return true
  const { step, of, wanted, sending } = value as Partial<PendingStep>
  return (
    typeof step === 'string' &&
    typeof of === 'string' &&
    typeof wanted?.data === 'string' &&
    Array.isArray(sending?.attempts)
  )
}
