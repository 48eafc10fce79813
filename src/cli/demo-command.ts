// The options of `assay demo` on the command line.

import { type Command, Option } from 'commander'
import type { DemoOptions } from './demo.js'
import { collect, positive, wholeNumber } from './option-values.js'

/** Adds `demo` to `program`; `run` sets the exit code of an action and prints its refusal. */
export function addDemo(
  program: Command,
  run: (action: () => Promise<number>) => Promise<void>,
  isJson: () => boolean,
): void {
  const command = program.command('demo')
  command
    .description('run a committee on this machine, each oracle a process of its own, and watch it: what npm start does')
    .option('--oracles <n>', 'members of the committee', wholeNumber(1, 13), 4)
    .option('--rounds <n>', 'stop after so many rounds, with a report or skipped', wholeNumber(1, 1_000_000_000))
    .option('--port <port>', 'port of the API; 0 for any (8080 if it is free)', wholeNumber(0, 65_535))
    .option('--keep <dir>', 'a new or empty folder to run in and to leave: committee, oracles, feeds, reports')
    .option('--recordings <dir>', 'replay the files venue-base-quote.csv of this folder')
    .option('--lie <venue=percent>', 'let a recorded venue lie, by +30% or -10%; may be repeated', collect, [])
    .option('--speed <x>', 'steps (minutes) of a replay a second, at most', positive(6))
    .option('--chain', 'with the chain also where a script replays all of --recordings')
    .option('--no-chain', 'without the chain: no anvil, no contracts')
    .addOption(new Option('--sources <kind>', 'insist on these sources').choices(['live', 'bundled']))
    .action((options: DemoOptions) => {
      if (options.recordings !== undefined && options.sources !== undefined)
        command.error('error: --recordings and --sources exclude each other')
      return run(async () => (await import('./demo.js')).demo(options, isJson()))
    })
}
