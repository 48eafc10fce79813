// The command line: what can be asked of Assay, and the exit code of each answer.

import { Command, InvalidArgumentError } from 'commander'
import { OracleError } from '../base/errors.js'
import { readBounded } from '../base/read-file.js'
import { version } from '../base/version.js'
import { loadCommittee } from '../config.js'
import { keysOf } from '../core/committee.js'
import { isoTime } from '../core/iso-time.js'
import type { Slot } from '../core/messages.js'
import { type VerifiedFeed, verifyReport } from '../core/verify-report.js'
import { createWasmEngine } from '../crypto/engine-wasm.js'
import { readPassphrase } from '../crypto/passphrase.js'
import { parseEndpoint } from '../network/dial.js'
import type { RunOptions } from './adapters.js'
import { addChain } from './chain-command.js'
import { addDemo } from './demo-command.js'
import { type InitOptions, initCommittee, initJoin, initMember } from './init.js'
import { wholeNumber } from './option-values.js'
import { createPrinter, type Printer } from './print.js'
import { storedReport } from './report.js'
import { assayCommand } from './shipped.js'
import { start } from './start.js'

/** Exit codes: 0 done, 1 refused (the error says why), 2 the command line is wrong, 3 an oracle halted. */
const program = new Command('assay')
  .description('A decentralised data-oracle node.')
  .version(version)
  .option('--json', 'one JSON object a line instead of text')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

/** A report of a thousand feeds is some 700 kB. */
const reportBytesMax = 16 * 1024 * 1024

const printer = (): Printer =>
  createPrinter(isJson(), process.stdout.isTTY === true || process.env['ASSAY_COLOUR'] === '1')
const isJson = (): boolean => program.opts()['json'] === true

program
  .command('init')
  .argument('<dir>', 'a new or empty folder')
  .description('make keys and a committee document, for a committee on this machine or for one member of a larger one')
  .option('--oracles <n>', 'members of the committee', wholeNumber(1, 31), 4)
  .option('--feeds <n>', 'feeds of synthetic numbers', wholeNumber(1, 20_000), 8)
  .option(
    '--declarations <path>',
    'declared feeds instead: a file or folder, or the name of one that ships (spot.yaml)',
  )
  .option(
    '--api <host:port>',
    'where the API is served: by the first oracle, by each if --host has {n}, by the one with --join; none unless given',
  )
  .option('--host <host>', 'address of all members; {n} in it becomes the number of each', '127.0.0.1')
  .option('--port <port>', 'port of the first member, the others follow', wholeNumber(1, 65_500), 7001)
  .option(
    '--stream-ppm <ppm>',
    'move of a value, in parts per million, that asks for a round at once',
    wholeNumber(0, 1_000_000),
    0,
  )
  .option('--passphrase-file <file>', 'one passphrase for all keystores; without it each has a random one beside it')
  .option('--light', 'keystores that open fast and resist guessing little: for throw-away committees only')
  .option('--member <name>', 'make the keys of one member only, and print its entry for the committee document')
  .option('--endpoint <host:port>', 'where the peers of --member dial it')
  .option('--join <file>', 'give a folder made by --member its configuration under this agreed committee document')
  .action((folder: string, options: InitFlags) => run(() => init(folder, options)))

program
  .command('start')
  .argument('<dir>', "an oracle's folder, or a committee's folder to start all of its oracles")
  .description('run until stopped')
  .option('--until-stdin-ends', 'stop, too, when standard input ends: for a parent process that may be killed')
  .action((folder: string, { untilStdinEnds = false }: { untilStdinEnds?: boolean }) =>
    run(() => start(folder, printer(), { isJson: isJson(), untilStdinEnds })),
  )

program
  .command('verify')
  .argument('<report>', 'a report.json')
  .requiredOption('--committee <file>', 'the committee document that is trusted')
  .option(
    '--now <ms>',
    'refuse what is stale or not OK at this time, ms since 1970; the present unless given',
    wholeNumber(0, 2 ** 48),
  )
  .option('--any-age', 'accept every age and status; the signatures must hold all the same')
  .description('verify a report offline')
  .action((file: string, options: VerifyFlags) => run(() => verify(file, options)))

program
  .command('report')
  .argument('<dir>', 'the folder of an oracle that is stopped')
  .option('--slot <epoch/round>', 'the report of this slot; the latest unless given', slot)
  .description('print a stored report as report.json')
  .action((folder: string, options: { slot?: Slot }) => run(() => report(folder, options.slot)))

const feeds = program.command('feeds').description('feed declarations: what they declare, and what is wrong with them')

feeds
  .command('lint')
  .argument('[path]', 'a file or folder of declarations; those that ship unless given')
  .description('check declarations; names file, line, rule and what to do')
  .action((path: string | undefined) => run(async () => (await import('./feeds.js')).lintFeeds(path, printer())))

feeds
  .command('list')
  .argument('[path]', 'a file or folder of declarations; those that ship unless given')
  .description('the feeds that are declared')
  .action((path: string | undefined) => run(async () => (await import('./feeds.js')).listFeeds(path, printer())))

const sources = program.command('adapters').description('the sources that can be asked, and what one answers')

sources
  .command('list')
  .description('every adapter with its parameters, value and limits')
  .action(() => run(async () => (await import('./adapters.js')).listAdapters(printer())))

sources
  .command('run')
  .argument('<id>', 'an adapter')
  .option('--params <json>', 'its parameters', '{}')
  .option('--raw <file>', 'normalise the body in this file instead of asking the source')
  .description('print one reading as JSON, {value, observedAtMs}, or {error}')
  .action((id: string, options: RunOptions) =>
    run(async () => {
      const { runAdapter } = await import('./adapters.js')
      return runAdapter(id, options, (line) => process.stdout.write(`${JSON.stringify(line)}\n`))
    }),
  )

program
  .command('status')
  .option('--url <url>', 'the API of an oracle', 'http://127.0.0.1:8080')
  .description('how an oracle is; exit code 0 when it is ready')
  .action(({ url }: { url: string }) => run(async () => (await import('./status.js')).status(url, printer())))

interface InitFlags {
  oracles: number
  feeds: number
  declarations?: string
  api?: string
  host: string
  port: number
  streamPpm: number
  passphraseFile?: string
  light?: boolean
  member?: string
  endpoint?: string
  join?: string
}

interface VerifyFlags {
  committee: string
  now?: number
  anyAge?: boolean
}

async function init(folder: string, options: InitFlags): Promise<number> {
  if (options.join !== undefined) {
    await initJoin(folder, options.join, options)
    printer().result({ joined: folder }, `${folder} is ready: ${assayCommand} start ${folder}`)
  } else if (options.member !== undefined) {
    if (options.endpoint === undefined) throw new UsageError('--member needs --endpoint <host:port>')
    if (!isSlug(options.member)) throw new UsageError('--member is a name of a-z, 0-9 and hyphens')
    if (parseEndpoint(options.endpoint) === null) throw new UsageError('--endpoint is host:port or [IPv6]:port')
    const member = await initMember(folder, options.member, options.endpoint, options)
    printer().result(
      member,
      `${JSON.stringify(member, null, 2)}\nPut this into the committee document, then: assay init ${folder} --join committee.json`,
    )
  } else {
    if (options.endpoint !== undefined) throw new UsageError('--endpoint goes with --member')
    if (parseEndpoint(`${options.host.replaceAll('{n}', '1')}:${options.port}`) === null)
      throw new UsageError('--host is a name or an address')
    if (options.api !== undefined && parseEndpoint(options.api) === null)
      throw new UsageError('--api is host:port or [IPv6]:port')
    if (options.passphraseFile !== undefined) await readPassphrase(options.passphraseFile)
    printer().say(`Making keys for ${options.oracles} ${options.oracles === 1 ? 'oracle' : 'oracles'} …`)
    const folders = await initCommittee(folder, await initOptions(options))
    printer().result(
      { committee: `${folder}/committee.json`, oracles: folders },
      `Done. Start all of them: ${assayCommand} start ${folder}`,
    )
  }
  return 0
}

async function initOptions(flags: InitFlags): Promise<InitOptions> {
  const { declarations, api, ...options } = flags
  // One machine has one such address, machines of their own have one each.
  const serves = (name: string): boolean => name === 'oracle-1' || options.host.includes('{n}')
  const serving = api === undefined ? {} : { api: (name: string) => (serves(name) ? { listen: api } : undefined) }
  if (declarations === undefined) return { ...options, ...serving }
  const { findDeclarations, declaredFeeds } = await import('./declared.js')
  const path = findDeclarations(declarations)
  const feeds = declaredFeeds(await createWasmEngine(), path)
  return { ...options, ...serving, feeds, declarations: path, source: () => ({ kind: 'feeds', feeds: '../feeds' }) }
}

async function verify(file: string, options: VerifyFlags): Promise<number> {
  const engine = await createWasmEngine()
  const committee = loadCommittee(engine, options.committee)
  const bytes = readReport(file)
  const verdict = verifyReport(engine, bytes, keysOf(committee), {
    nowMs: options.anyAge ? 'any' : (options.now ?? Date.now()),
  })
  if (!verdict.ok) throw new OracleError(verdict.code, verdict.message, { path: verdict.path })
  const { epoch, round, attestedAtMs } = verdict.report
  printer().result(
    {
      ok: true,
      ...verdict.report,
      bundles: verdict.report.bundles.map(({ id, feeds }) => ({ id, feeds: feeds.map(shown) })),
    },
    `Verified: report ${epoch}/${round}, attested at ${isoTime(attestedAtMs)}.`,
  )
  return 0
}

/** Writes exactly the bytes of report.json: a line break more would be another document. */
async function report(folder: string, slot: Slot | undefined): Promise<number> {
  process.stdout.write(await storedReport(folder, slot ?? null))
  return 0
}

function slot(text: string): Slot {
  const [, epoch, round] = /^(\d{1,10})\/(\d{1,10})$/.exec(text) ?? []
  if (epoch === undefined || round === undefined) throw new InvalidArgumentError('a slot is written epoch/round.')
  return { epoch: Number(epoch), round: Number(round) }
}

/** A feed without its cells, which are integers beyond JSON's; its value says the same. */
function shown({ cells: _, ...feed }: VerifiedFeed): Omit<VerifiedFeed, 'cells'> {
  return feed
}

function readReport(file: string): Uint8Array {
  return readBounded(file, reportBytesMax, 'REPORT_UNREADABLE')
}

const isSlug = (name: string): boolean => /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/.test(name)

class UsageError extends Error {}

async function run(action: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await action()
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`error: ${error.message}\n`)
      process.exitCode = 2
    } else {
      printer().error(error)
      process.exitCode = 1
    }
  }
}

addDemo(program, run, isJson)
addChain(program, run, isJson)

/** Does what the process's arguments ask for, and sets its exit code. */
export async function runProgram(): Promise<void> {
  await program.parseAsync()
}
