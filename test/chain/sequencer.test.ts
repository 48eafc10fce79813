import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { requireSequencer } from '../../src/chain/sequencer.js'
import type { Anvil } from './anvil.js'
import { feed, refuser, startFeedChain, word } from './logger-contract.js'
import { codeOfError, type Fixture, type FixtureParts, startFixture } from './quorum-fixture.js'

let anvil: Anvil
const fixtures: Fixture[] = []
beforeAll(async () => {
  anvil = await startFeedChain()
})
afterAll(() => anvil.stop())
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.end()
})

async function start(parts: FixtureParts = {}): Promise<Fixture> {
  const fixture = await startFixture(anvil, parts)
  fixtures.push(fixture)
  return fixture
}

describe('the sequencer of a rollup', () => {
  const graceMs = 60_000
  const parts = { profile: { sequencerFeed: { address: feed, graceMs } } }
  const tell = async (answer: number, startedAt: number): Promise<void> => {
    await anvil.ask('anvil_setStorageAt', feed, word(0), word(answer))
    await anvil.ask('anvil_setStorageAt', feed, word(1), word(startedAt))
    await anvil.mine()
  }

  it('must be up, and for longer than its grace period', async () => {
    const { quorum } = await start(parts)
    const seen: string[] = []
    const { timestampMs } = await quorum.head()
    const nowS = timestampMs / 1000
    for (const [answer, startedAt] of [
      [0, nowS - 61],
      [1, nowS - 61],
      [0, nowS],
      [0, 0],
    ] as const) {
      await tell(answer, startedAt)
      const at = await quorum.head()
      seen.push(
        await requireSequencer(quorum, at).then(
          () => 'up',
          (error: Error) => error.message.replace(/\d+/, 'N'),
        ),
      )
    }
    expect(seen).toEqual([
      'up',
      'local: the sequencer is down',
      'local: the sequencer is back since N s only',
      'local: the sequencer feed has not begun',
    ])
  })

  it('is down when there is no feed to say otherwise, and nobody’s matter on other chains', async () => {
    const lost = await start({ profile: { sequencerFeed: { address: refuser, graceMs } } })
    expect(await codeOfError(requireSequencer(lost.quorum, await lost.quorum.head()))).toBe('CHAIN_SEQUENCER_DOWN')
    const plain = await start()
    await tell(1, 1)
    await requireSequencer(plain.quorum, await plain.quorum.head())
  })
})
