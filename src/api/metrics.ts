// GET /metrics: numbers for Prometheus, read from the view when they are asked for.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type Status, statusCodes } from '../core/status.js'
import { createChainMetrics } from './chain-metrics.js'
import { keepAnswer } from './keep-answer.js'
import type { Latest } from './latest.js'
import type { NodeView } from './node-view.js'
import type { Readiness } from './readiness.js'
import type { Stream } from './stream.js'

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  close(): void
}

/** Metrics of `view` in a registry of their own. */
export function createMetrics(view: NodeView, latest: Latest, readiness: Readiness, stream: Stream): Metrics {
  const register = new Registry()
  register.setDefaultLabels({ oracle: view.status().member })
  collectDefaultMetrics({ register })
  const registers = [register]
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers })
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> =>
    new Counter({ name, help, labelNames, registers })

  const reports = counter('assay_reports_total', 'Attested reports since the start')
  const latency = new Histogram({
    name: 'assay_report_latency_seconds',
    help: 'From the attested time of a report to its place in the store, by this oracle’s clock',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const epoch = gauge('assay_epoch', 'Epoch of the committee as this oracle sees it')
  const reportAge = gauge('assay_report_age_seconds', 'Age of the newest report')
  const ready = gauge('assay_ready', '1 when /readyz says 200')
  const signing = gauge('assay_signing', '1 while this oracle signs')
  const halted = gauge('assay_halted', '1 once this oracle has stopped for good')
  const feedAge = gauge('assay_feed_age_seconds', 'Age of a feed’s newest attested value', ['feed'])
  const feedStatus = gauge('assay_feed_status', 'Status of a feed, 0 (OK) to 9 (NO_DATA)', ['feed'])
  const feedGroups = gauge('assay_feed_groups', 'Groups of sources behind a feed’s value', ['feed'])
  const feedSpread = gauge('assay_feed_spread_ppm', 'Spread of the members’ values, parts per million', ['feed'])
  const sources = gauge('assay_sources', 'Sources of a feed by adapter and state', ['feed', 'adapter', 'state'])
  const readings = counter('assay_source_readings_total', 'Good readings', ['feed', 'adapter'])
  const errors = counter('assay_source_errors_total', 'Failed readings by code', ['feed', 'adapter', 'code'])
  const sourceLatency = gauge('assay_source_latency_seconds', 'Duration of the last good answer', ['feed', 'adapter'])
  const sessions = gauge('assay_sessions', 'Members by state of the session', ['state'])
  const drops = counter('assay_drops_total', 'Messages dropped by reason', ['reason'])
  const readers = gauge('assay_stream_readers', 'Readers of the stream')
  const unread = counter(
    'assay_report_read_failures_total',
    'Times the newest report could not be read for these numbers',
  )

  const chains = createChainMetrics(view, register)

  const stop = view.onReport((slot) => {
    const newest = view.status().latest
    if (newest?.epoch === slot.epoch && newest.round === slot.round)
      latency.observe(Math.max(0, view.nowMs() - newest.attestedAtMs) / 1000)
  })

  const readNode = (): void => {
    const status = view.status()
    reports.reset()
    reports.inc(status.reports)
    epoch.set(status.epoch)
    if (status.latest !== null) reportAge.set(Math.max(0, view.nowMs() - status.latest.attestedAtMs) / 1000)
    ready.set(readiness.reasons().length === 0 ? 1 : 0)
    signing.set(status.signingClosedBy === null && status.haltedBy === null ? 1 : 0)
    halted.set(status.haltedBy === null ? 0 : 1)
    readers.set(stream.readers())
    sessions.reset()
    for (const state of ['self', 'up', 'down'] as const)
      sessions.set({ state }, view.peers().filter((peer) => peer.state === state).length)
    drops.reset()
    for (const [reason, count] of Object.entries(view.drops())) drops.inc({ reason }, count)
  }
  const readFeeds = (): void => {
    for (const metric of [feedAge, feedStatus, feedGroups, feedSpread]) metric.reset()
    const snapshot = newest()
    if (snapshot === null) return
    for (const { name: feed, index } of view.committee.feeds) {
      const facts = snapshot.facts(index)
      if (facts.observedAtMs !== null) feedAge.set({ feed }, Math.max(0, view.nowMs() - facts.observedAtMs) / 1000)
      feedStatus.set({ feed }, statusCodes[facts.status satisfies Status])
      feedGroups.set({ feed }, facts.groups)
      feedSpread.set({ feed }, facts.spreadPpm)
    }
  }
  /** What is damaged is left out and counted: the other numbers are needed most just then. */
  const newest = (): ReturnType<Latest['current']> => {
    try {
      return latest.current()
    } catch {
      unread.inc()
      return null
    }
  }
  const readSources = (): void => {
    for (const metric of [sources, readings, errors, sourceLatency]) metric.reset()
    for (const { feed, adapter, state, counts, lastGood } of view.sources()) {
      sources.inc({ feed, adapter, state })
      readings.inc({ feed, adapter }, counts.good)
      for (const [code, count] of Object.entries(counts.errors)) errors.inc({ feed, adapter, code }, count)
      if (lastGood !== null) sourceLatency.set({ feed, adapter }, lastGood.latencyMs / 1000)
    }
  }

  const text = keepAnswer(view, () => {
    readNode()
    readFeeds()
    readSources()
    chains.read()
    return register.metrics()
  })
  return {
    contentType: register.contentType,
    text: text.get,
    close: () => {
      stop()
      chains.close()
      text.close()
      register.clear()
    },
  }
}
