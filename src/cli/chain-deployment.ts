// The file that says what was deployed where: written after each step, read by all commands for chains.

import { existsSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { nodeDisk } from '../base/disk.js'
import { OracleError } from '../base/errors.js'
import type { Deployed, DeployState, DeployStep } from '../chain/deploy.js'

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

/** The deployment in `file`, null where there is no such file; DEPLOYMENT_UNFIT where it is something else. */
export function readDeployment(file: string): Deployment | null {
  if (!existsSync(file)) return null
  let value: Partial<Deployment> | null
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Deployment> | null
  } catch (cause) {
    throw new OracleError('DEPLOYMENT_UNFIT', `${file} is no JSON: ${(cause as Error).message}`, { path: file, cause })
  }
  const isIt =
    value?.version === 1 &&
    typeof value.chainId === 'number' &&
    Array.isArray(value.steps) &&
    Array.isArray(value.feeds)
  if (isIt && value!.steps!.every(isStep)) return value as Deployment
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
  const handle = await open(temporary, 'w', 0o644)
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
  const { step, address, hash } = (value ?? {}) as Partial<Record<keyof DeployStep, unknown>>
  const isAddress = address === null || (typeof address === 'string' && /^0x[0-9a-f]{40}$/.test(address))
  return typeof step === 'string' && isAddress && typeof hash === 'string'
}
