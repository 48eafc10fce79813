// The commands for chains and their options on the command line.

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { DeployOptions } from './chain-deploy.js'
import type { KeyFileOptions } from './chain-key.js'
import type { PauseOptions } from './chain-pause.js'
import type { ReadOptions } from './chain-read.js'
import type { RequestOptions } from './chain-request.js'
import type { RotateOptions } from './chain-rotate.js'
import type { Comparison } from './chain-shadow.js'
import type { StatusOptions } from './chain-status.js'
import { createTalk, type Talk } from './chain-talk.js'
import { collect, positive, wholeNumber } from './option-values.js'

/** Adds `chain` to `program`; `run` sets the exit code of an action and prints its refusal. */
export function addChain(
  program: Command,
  run: (action: () => Promise<number>) => Promise<void>,
  isJson: () => boolean,
): void {
  const chain = program
    .command('chain')
    .description('contracts on chains: deploy them, look at them, read, rotate keys, pause, ask')
  const act = (action: (talk: Talk) => Promise<number>): Promise<void> => run(() => action(createTalk(isJson())))

  withKey(withEndpoints(chain.command('deploy')))
    .argument('<committee>', 'a committee document, or the folder that holds committee.json')
    .description('deploy registry, stores, hub and facades of a committee; run again, it goes on where it was')
    .option('--owner <address>', 'who may rotate keys, a multisig best; on a local chain the deploying key', address)
    .option('--guardian <address>', 'who may pause at once; on a local chain the deploying key', address)
    .option('--delay <s>', 'delay of rotations and of the end of a pause', wholeNumber(86_400, 2_592_000), 172_800)
    .option('--store <kind>', 'feeds: one for any feeds; bundle=NAME: one for that bundle; may be repeated', collect)
    .option('--feeds <names>', 'the feeds that are to be kept there, with commas; all unless given', list)
    .option('--facade <names>', 'an AggregatorV3 facade of each of these feeds, with commas', list)
    .option(
      '--max-age <s>',
      'how old an answer of a facade may be; 0: as long as its feed is valid',
      wholeNumber(0, 2 ** 32),
      0,
    )
    .option('--pyth <feed=0xid,…>', 'one Pyth facade with these price ids', priceIds)
    .option('--no-hub', 'leave out the hub for requests')
    .option('--api <url>', "an oracle's API: where first values come from, proven by the committee document")
    .option('--push', 'bring the first values to the stores; facades need them, so --facade and --pyth do it, too')
    .option('--declarations <path>', 'shadow check: the feeds’ declarations, whose sources are asked from here')
    .option('--origin <host=url>', 'shadow check: ask this place for that host; may be repeated', origins)
    .option(
      '--compare <feed=0xaddr[:s]>',
      'shadow check: an AggregatorV3 on the same chain, and its heartbeat; may be repeated',
      comparisons,
    )
    .option(
      '--shadow-ppm <ppm>',
      'shadow check: allowed difference; the declaration’s deviation or outlier bound unless given',
      wholeNumber(0, 1_000_000),
    )
    .option('--no-shadow <reason>', 'deploy without the shadow check; the reason stands in the deployment file')
    .option('--out <file>', 'the deployment file; deployment-CHAINID.json beside the committee document unless given')
    .action((path: string, options: DeployOptions) =>
      act(async (talk) => (await import('./chain-deploy.js')).deploy(path, options, talk)),
    )

  chain
    .command('key')
    .argument('<file>', 'the keystore to make')
    .requiredOption('--passphrase-file <file>', "what opens it; an oracle's own passphrase file will do")
    .description('make a key that pays on chains; prints its address, to be funded')
    .action((file: string, options: KeyFileOptions) =>
      act(async (talk) => (await import('./chain-key.js')).chainKey(file, options, talk)),
    )

  withDeployment(withEndpoints(chain.command('status')))
    .description('who is believed, what is scheduled, what each store keeps; exit code 0 when all of it is usable')
    .option('--committee <path>', 'a committee document to hold the signers against')
    .option('--url <url>', "an oracle's API: shows its senders, and costs by feed and day")
    .action((options: StatusOptions) =>
      act(async (talk) => (await import('./chain-status.js')).chainStatus(options, talk)),
    )

  withDeployment(withEndpoints(chain.command('read')))
    .argument('<feed>', 'a feed of a store')
    .description('one feed as a contract would read it now; exit code 1 and the reason when it may not be used')
    .option('--facade <address>', 'read through this facade, too', address)
    .option('--max-age <s>', 'how old it may be; its own validity counts besides', wholeNumber(1, 2 ** 32))
    .option('--any', 'exit code 0 whatever its age and status')
    .action((feed: string, options: ReadOptions) =>
      act(async (talk) => (await import('./chain-read.js')).chainRead(feed, options, talk)),
    )

  withDeployment(withKey(withEndpoints(chain.command('rotate'))))
    .argument('[committee]', 'the committee document of the next generation')
    .description('propose the next generation, or activate it when it is due; without --keystore, show what to sign')
    .option(
      '--overlap <s>',
      'how long the generation before still counts; 0 if its keys may be stolen',
      wholeNumber(0, 2_592_000),
      3_600,
    )
    .option('--replace', 'take the place of another proposal')
    .option('--cancel', 'take back what is proposed')
    .action((path: string | undefined, options: RotateOptions) =>
      act(async (talk) => (await import('./chain-rotate.js')).rotate(path, options, talk)),
    )

  withDeployment(withKey(withEndpoints(chain.command('pause'))))
    .description('believe no new report of the lineage, at once; without --keystore, show what to sign')
    .option('--end', 'schedule the end of a pause, or end it when it is due')
    .action((options: PauseOptions) => act(async (talk) => (await import('./chain-pause.js')).pause(options, talk)))

  withDeployment(withKey(withEndpoints(chain.command('request'))))
    .argument('<feed>', 'a feed of the committee')
    .description('ask for a feed through a contract and wait for the answer')
    .requiredOption('--committee <path>', 'the committee document: what the feed means')
    .option('--requester <address>', 'an example Requester that stands; another is deployed unless given', address)
    .option('--id <id>', 'a request that was made: nothing is sent, its end is waited for', requestId)
    .action((feed: string, options: RequestOptions) =>
      act(async (talk) => (await import('./chain-request.js')).request(feed, options, talk)),
    )
}

function withEndpoints(command: Command): Command {
  return command
    .option('--rpc <url>', 'an endpoint of the chain; repeat it: more than half of them must agree', collect)
    .option('--config <folder>', "an oracle's folder: the endpoints of its config.json instead")
    .option(
      '--chain <name>',
      'ethereum, base, arbitrum, optimism or local; with --config the name it has there',
      'local',
    )
    .option('--chain-id <n>', 'another id than the usual one of --chain: a test network', wholeNumber(1, 2 ** 48))
}

function withKey(command: Command): Command {
  return command
    .option('--keystore <file>', 'the key that signs and pays (keystore v3)')
    .option('--passphrase-file <file>', 'the passphrase of the keystore')
    .addOption(new Option('--max-gwei <n>', 'what a unit of gas may cost at most').argParser(positive(3)).default(200))
    .option('--deadline <s>', 'how long to wait for each transaction', wholeNumber(1, 86_400), 600)
}

function withDeployment(command: Command): Command {
  return command.requiredOption('--deployment <file>', 'the file that `chain deploy` wrote')
}

function list(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => name === '')) throw new InvalidArgumentError('names with commas between are needed.')
  return names
}

function address(text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('an address is 0x and 40 hex digits.')
  return text.toLowerCase()
}

function requestId(text: string): string {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError('an id is 0x and 64 hex digits.')
  return text.toLowerCase()
}

function priceIds(text: string): readonly { readonly feed: string; readonly priceId: string }[] {
  return list(text).map((pair) => {
    const [, feed, priceId] = /^([a-z0-9-]+)=(0x[0-9a-fA-F]{64})$/.exec(pair) ?? []
    if (feed === undefined || priceId === undefined) throw new InvalidArgumentError('write feed=0x and 64 hex digits.')
    return { feed, priceId: priceId.toLowerCase() }
  })
}

function origins(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  const [host, url] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || !URL.canParse(url)) throw new InvalidArgumentError('write host=url.')
  return { ...before, [host]: url }
}

/** An answer older than a day says nothing about now, whatever a heartbeat is. */
const ageMaxS = 86_400

function comparisons(text: string, before: readonly Comparison[] = []): readonly Comparison[] {
  const [, feed, aggregator, age] = /^([a-z0-9-]+)=(0x[0-9a-fA-F]{40})(?::(\d{1,6}))?$/.exec(text) ?? []
  if (feed === undefined || aggregator === undefined)
    throw new InvalidArgumentError('write feed=0xADDRESS, or feed=0xADDRESS:HEARTBEAT in seconds.')
  return [...before, { feed, aggregator, maxAgeS: Math.min(ageMaxS, age === undefined ? ageMaxS : Number(age)) }]
}
