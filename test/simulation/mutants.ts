// Seeded bugs: each takes one guard out of the production code, and the simulator has to notice.

import type { Mutant } from './mutant.js'
import { durableMutants } from './mutants-durable.js'
import { roundMutants } from './mutants-rounds.js'
import { wordMutants } from './mutants-words.js'

/** All of them. */
export const mutants: readonly Mutant[] = [...roundMutants, ...durableMutants, ...wordMutants]
