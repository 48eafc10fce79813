// A ballot: one question to several endpoints, the answer that enough of them give, and who said what else.

import { keyOf } from './answers.js'
import { EndpointError, tame } from './endpoint-error.js'

/** Members that gave one answer. */
export interface Answer<M, T> {
  readonly value: T
  readonly key: string
  readonly members: readonly M[]
}

/** All that was said, when the last one has answered or failed. */
export interface Votes<M, T> {
  readonly answers: readonly Answer<M, T>[]
  readonly silent: readonly { readonly member: M; readonly error: EndpointError }[]
}

/** `winner` is there as soon as `quorum` members agree, whoever hangs; null when they cannot. `votes` waits for all. */
export interface Ballot<M, T> {
  readonly winner: Promise<Answer<M, T> | null>
  readonly votes: Promise<Votes<M, T>>
}

/** Asks all `members` at once. `ask` fails with an EndpointError; any other error is the caller's bug and is passed on. */
export function hold<M, T>(members: readonly M[], quorum: number, ask: (member: M) => Promise<T>): Ballot<M, T> {
  const answers = new Map<string, { value: T; key: string; members: M[] }>()
  const silent: { member: M; error: EndpointError }[] = []
  let onWinner: (winner: Answer<M, T>) => void = () => {}
  const early = new Promise<Answer<M, T>>((resolve) => {
    onWinner = resolve
  })
  const votes = Promise.all(
    members.map(async (member) => {
      try {
        const value = await ask(member)
        const key = keyOf(value)
        const answer = answers.get(key) ?? { value, key, members: [] }
        answer.members.push(member)
        answers.set(key, answer)
        if (answer.members.length === quorum) onWinner(answer)
      } catch (error) {
        if (!(error instanceof EndpointError)) throw error
        silent.push({ member, error })
      }
    }),
  ).then(() => ({ answers: [...answers.values()], silent }))
  const late = votes.then(() => [...answers.values()].find((answer) => answer.members.length >= quorum) ?? null)
  return { winner: Promise.race([early, late]), votes }
}

/** Who said what, in one line for an error. */
export function sayingsOf<T>({ answers, silent }: Votes<{ readonly name: string }, T>): string {
  const said = answers.map(({ key, members }) => `${members.map(({ name }) => name).join(', ')}: ${tame(key, 60)}`)
  const failed = silent.map(({ member, error }) => `${member.name}: ${tame(error.message, 60)}`)
  return [...said, ...failed].join('; ')
}
