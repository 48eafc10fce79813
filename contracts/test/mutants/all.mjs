// Every mutant that `npm run contracts mutants` tries; those of the verifying path are in test/contracts/mutant-list.ts.

import { facadeMutants } from './facades.mjs'
import { hubMutants } from './hub.mjs'
import { registryMutants } from './registry.mjs'
import { storeMutants } from './stores.mjs'

/** The mutants, file by file. */
export const mutants = [...hubMutants, ...storeMutants, ...facadeMutants, ...registryMutants]
