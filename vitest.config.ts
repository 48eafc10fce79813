import { defineConfig } from 'vitest/config'

/** Files that count milliseconds, start committees or fill the heap: one at a time, each with a heap of its own. */
const alone = [
  'test/network/siege.test.ts',
  'test/e2e/**/*.test.ts',
  'test/api/stream.test.ts',
  'test/simulation/**/*.test.ts',
  'test/store/crash-points.test.ts',
]
/** Files with a chain of their own, most of them on a clock of their own: two at a time, each with a heap of its own. */
const chains = [
  'test/chain/**/*.test.ts',
  'test/contracts/**/*.test.ts',
  'test/deliver/**/*.test.ts',
  'test/cli/chain-*.test.ts',
]
const common = { pool: 'threads', testTimeout: 60_000, hookTimeout: 60_000 } as const

const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'alone', include: alone, isolate: true, maxWorkers: 1, sequence: { groupOrder: 0 } } },
      {
        test: { ...common, name: 'chains', include: chains, isolate: true, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        test: {
          ...common,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...alone, ...chains],
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
export default config
