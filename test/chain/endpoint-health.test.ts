import { describe, expect, it } from 'vitest'
import { EndpointHealth } from '../../src/chain/endpoint-health.js'

const now = (ms: number): { wallMs: number; steadyMs: number } => ({ wallMs: ms + 1_000_000, steadyMs: ms })

function start(): { readonly health: EndpointHealth; readonly states: string[] } {
  const states: string[] = []
  const health = new EndpointHealth(1_000, now(0), () => states.push(health.state))
  return { health, states }
}

describe('the standing of an endpoint', () => {
  it('counts from its first agreement, and after it fell out only when it agreed without a break', () => {
    const { health, states } = start()
    health.agreed(now(1))
    health.out('frozen', 'still', now(10), 2_000)
    for (const ms of [100, 1_100, 2_099]) health.agreed(now(ms))
    expect([health.counts, health.reason, health.sinceMs]).toEqual([false, 'still', 1_000_010])
    health.out('frozen', 'still again', now(2_099), 2_000)
    health.agreed(now(2_100))
    health.agreed(now(4_099))
    expect([health.counts, health.sinceMs]).toEqual([false, 1_000_010])
    health.agreed(now(4_100))
    expect([health.counts, health.reason, states]).toEqual([true, '', ['counting', 'frozen', 'counting']])
  })

  it('of another chain is final', () => {
    const { health } = start()
    health.out('foreign', 'chain 1', now(0), 0)
    health.failed('timeout', now(1), 0)
    health.out('lying', 'a lie', now(1), 0)
    health.agreed(now(9_000))
    expect([health.state, health.reason, health.isDue(now(1e9))]).toEqual(['foreign', 'chain 1', false])
  })

  it('of a liar is not made better by failing or lagging, nor shorter by a smaller lie', () => {
    const { health } = start()
    health.out('lying', 'false code', now(0), 50_000)
    health.failed('timeout', now(1), 0)
    health.out('lagging', 'behind', now(1), 0)
    expect([health.state, health.reason]).toEqual(['lying', 'false code'])
    health.out('lying', 'a fork', now(1), 3_000)
    health.agreed(now(2))
    health.agreed(now(50_001))
    expect(health.counts).toBe(false)
    health.agreed(now(50_002))
    expect(health.counts).toBe(true)
  })

  it('of one that fails lets it be asked after 1, 2, 4… blocks, at most 30 s, or when it asked for', () => {
    const { health } = start()
    const waits: number[] = []
    for (let ms = 0, i = 0; i < 8; i++) {
      health.failed('timeout', now(ms), 0)
      // Others that fail with it make it no longer.
      health.failed('timeout', now(ms), 0)
      let waitMs = 0
      while (!health.isDue(now(ms + waitMs))) waitMs += 500
      waits.push(waitMs)
      ms += waitMs
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    health.answered()
    health.failed('HTTP 429', now(500_000), 7_000)
    expect([health.isDue(now(506_999)), health.isDue(now(507_000))]).toEqual([false, true])
    health.failed('HTTP 429', now(600_000), 1e9)
    expect([health.isDue(now(659_999)), health.isDue(now(660_000))]).toEqual([false, true])
  })
})
