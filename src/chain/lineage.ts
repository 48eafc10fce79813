// A lineage as its registry has it at one block: which committee is believed, who may change it, and what is scheduled.

import { OracleError } from '../base/errors.js'
import { toHex } from '../core/bytes.js'
import type { Committee } from '../core/committee.js'
import { type Place, requireCode, unfit, view } from './contract-view.js'
import { CommitteeRegistry__factory } from './generated/factories/CommitteeRegistry__factory.js'
import { IReportVerifier__factory } from './generated/factories/IReportVerifier__factory.js'
import { type BlockRef, storageOf } from './questions.js'
import type { RpcQuorum } from './rpc-quorum.js'

/** Addresses are lower-case 0x hex, times seconds since 1970. */
export interface LineageFacts {
  readonly registry: string
  readonly lineage: string
  readonly owner: string
  /** Who has to accept the ownership before it is theirs; null: nobody. */
  readonly pendingOwner: string | null
  readonly guardian: string
  readonly delayS: number
  readonly paused: boolean
  /** 0: not started. */
  readonly generation: number
  readonly verifier: VerifierFacts | null
  readonly scheduled: {
    readonly unpause: Scheduled | null
    readonly generation: Scheduled | null
    readonly guardian: Scheduled | null
  }
}

/** The verifier of the current generation. */
export interface VerifierFacts {
  readonly address: string
  readonly salt: string
  readonly f: number
  readonly signers: readonly string[]
  /** First second of block time and T that count. */
  readonly fromS: number
}

/** Something that anybody may do from then on, for a week. */
export interface Scheduled {
  readonly action: string
  readonly fromS: number
  readonly untilS: number
}

export const registryFace: ReturnType<typeof CommitteeRegistry__factory.createInterface> =
  CommitteeRegistry__factory.createInterface()
const verifierFace = IReportVerifier__factory.createInterface()

/** GRACE_S of the registry: how long after its delay a scheduled action stays possible. */
const graceS = 7 * 86_400
/** Slots of the registry that hold what is proposed now. */
const proposedGenerationSlot = 4n
const proposedGuardianSlot = 5n

/** The facts of the registry at `address`; CONTRACT_UNFIT where that is none. */
export async function readLineage(
  quorum: Pick<RpcQuorum, 'read' | 'profile'>,
  at: BlockRef,
  address: string,
): Promise<LineageFacts> {
  const place: Place = { quorum, at, address, what: 'CommitteeRegistry' }
  await requireCode(place)
  const read = async (name: string, args: readonly unknown[] = []): Promise<unknown> =>
    (await view(place, registryFace, name, args))[0]
  const [lineage, owner, pendingOwner, guardian, delayS, paused, generation, unpause] = await Promise.all([
    ...['lineage', 'owner', 'pendingOwner', 'guardian', 'delayS', 'paused', 'generation', 'unpauseAction'].map((name) =>
      read(name),
    ),
  ])
  const scheduled = async (action: string): Promise<Scheduled | null> => {
    if (/^0x0*$/.test(action)) return null
    const fromS = Number(await read('scheduledFrom', [action]))
    return fromS === 0 ? null : { action, fromS, untilS: fromS + graceS }
  }
  const proposed = async (slot: bigint): Promise<Scheduled | null> =>
    scheduled(`0x${(await quorum.read(storageOf(address, slot), at)).toString(16).padStart(64, '0')}`)
  const waiting = lower(pendingOwner)
  const current = Number(generation)
  return {
    registry: address,
    lineage: lower(lineage),
    owner: lower(owner),
    pendingOwner: /^0x0*$/.test(waiting) ? null : waiting,
    guardian: lower(guardian),
    delayS: Number(delayS),
    paused: paused === true,
    generation: current,
    verifier: current === 0 ? null : await readVerifier(place, lower(await read('verifierOf', [current]))),
    scheduled: {
      unpause: await scheduled(lower(unpause)),
      generation: await proposed(proposedGenerationSlot),
      guardian: await proposed(proposedGuardianSlot),
    },
  }
}

async function readVerifier({ quorum, at }: Place, address: string): Promise<VerifierFacts> {
  const place: Place = { quorum, at, address, what: 'ReportVerifier' }
  const [committee, [salt], [fromS]] = await Promise.all([
    view(place, verifierFace, 'committee'),
    view(place, verifierFace, 'salt'),
    view(place, verifierFace, 'window'),
  ])
  const [, , f, signers] = committee
  return { address, salt: lower(salt), f: Number(f), signers: [...signers].map(lower), fromS: Number(fromS) }
}

/** CONTRACT_UNFIT unless the registry believes exactly this committee: its S is the one that contracts computed. */
export async function requireCommittee(
  quorum: Pick<RpcQuorum, 'read' | 'profile'>,
  at: BlockRef,
  address: string,
  committee: Committee,
): Promise<LineageFacts> {
  const facts = await readLineage(quorum, at, address)
  const place: Place = { quorum, at, address, what: 'registry of this committee' }
  if (facts.lineage !== committee.lineage) throw unfit(place, `its lineage is ${facts.lineage}`)
  if (facts.generation !== committee.generation)
    throw unfit(place, `its generation is ${facts.generation}, the committee's is ${committee.generation}`)
  if (facts.verifier?.salt !== toHex(committee.salt))
    throw unfit(
      place,
      `its signers or f are others: S is ${facts.verifier?.salt}, the committee's ${toHex(committee.salt)}`,
    )
  return facts
}

/** The action that propose() of `committee` schedules. */
export async function generationAction(
  quorum: Pick<RpcQuorum, 'read' | 'profile'>,
  at: BlockRef,
  address: string,
  committee: Committee,
  overlapS: number,
): Promise<string> {
  const place: Place = { quorum, at, address, what: 'CommitteeRegistry' }
  return lower((await view(place, registryFace, 'generationAction', rotationArgs(committee, overlapS)))[0])
}

/** The arguments of propose() without its deadline, and of activate(). */
export function rotationArgs(committee: Committee, overlapS: number): [number, number, string[], number] {
  const { generation, thresholds, members } = committee
  return [generation, thresholds.f, members.map(({ address }) => address), overlapS]
}

/** ROTATION_UNFIT unless `committee` follows the current generation of its own lineage. */
export function requireNext({ lineage, generation, registry }: LineageFacts, committee: Committee): void {
  const fail = (why: string): never => {
    throw new OracleError('ROTATION_UNFIT', why, { facts: { registry, generation } })
  }
  if (committee.lineage !== lineage) fail(`the document is of lineage ${committee.lineage}, the registry of ${lineage}`)
  if (committee.generation !== generation + 1)
    fail(`the document is generation ${committee.generation}; after ${generation} comes ${generation + 1}`)
}

const lower = (value: unknown): string => String(value).toLowerCase()
