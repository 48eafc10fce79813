// One template to one feed for each of its entities, with the place each part came from.

import type { Params } from '../observe/adapter.js'
import type { WrittenBounds, WrittenEntity, WrittenFeed, WrittenSource } from './written-feed.js'

/** A feed of a template: every {key} filled in. */
export interface Instance {
  readonly feed: WrittenFeed
  readonly entity: Readonly<Record<string, string>>
  /** JSON Pointer of the entity, or of the whole document without one. */
  readonly pointer: string
  /** JSON Pointer of each source that is left, in order. */
  readonly sourcePointers: readonly string[]
  readonly boundPointers: Readonly<Record<keyof WrittenBounds, string>>
  /** Places with a {key} that the entity does not have, and `without` that names no source. */
  readonly faults: readonly { readonly pointer: string; readonly message: string }[]
}

/** The feeds of `written`: one, or one for each entity. Pure, and total on all that the schema lets through. */
export function expandTemplate(written: WrittenFeed): Instance[] {
  if (written.entities === undefined) return [instance(written, {}, '')]
  return written.entities.map((entity, i) => instance(written, entity, `/entities/${i}`))
}

function instance(written: WrittenFeed, given: WrittenEntity, pointer: string): Instance {
  const keys = Object.entries(given).filter((entry): entry is [string, string | number] => typeof entry[1] !== 'object')
  const entity = Object.fromEntries(keys.map(([key, value]) => [key, String(value)]))
  const faults: { pointer: string; message: string }[] = []
  const fill = (text: string, at: string): string => {
    return text.replace(/\{([A-Za-z0-9]*)\}/g, (mark, key: string) => {
      if (Object.hasOwn(entity, key)) return entity[key]!
      faults.push({ pointer: at, message: `${mark} stands for nothing: the entity has no key "${key}"` })
      return mark
    })
  }
  // A parameter that is nothing but {latitude} takes the entity's number as it is.
  const fillParam = (value: Params[string], at: string): Params[string] => {
    if (typeof value !== 'string') return value
    const whole = given[/^\{([A-Za-z0-9]+)\}$/.exec(value)?.[1] ?? '']
    return typeof whole === 'number' ? whole : fill(value, at)
  }
  const fillParams = (params: Params, at: string): Params =>
    Object.fromEntries(Object.entries(params).map(([key, value]) => [key, fillParam(value, `${at}/${key}`)]))

  const without = (given['without'] ?? []) as readonly string[]
  without.forEach((adapter, i) => {
    if (!written.sources.some((source) => source.adapter === adapter))
      faults.push({ pointer: `${pointer}/without/${i}`, message: `no source has the adapter "${adapter}"` })
  })
  const kept = written.sources
    .map((source, i) => ({ source, at: `/sources/${i}` }))
    .filter(({ source }) => !without.includes(source.adapter))
  const sources = kept.map(
    ({ source, at }): WrittenSource => ({
      ...source,
      params: fillParams(source.params, `${at}/params`),
      group: fill(source.group, `${at}/group`).toLowerCase(),
    }),
  )

  const own = (given['bounds'] ?? {}) as WrittenBounds
  const place = (bound: keyof WrittenBounds): string =>
    own[bound] === undefined ? `/bounds/${bound}` : `${pointer}/bounds/${bound}`
  const { entities: _, unit, ...rest } = written
  const feed: WrittenFeed = {
    ...rest,
    name: fill(written.name, '/name').toLowerCase(),
    title: fill(written.title, '/title'),
    ...(unit === undefined ? {} : { unit: fill(unit, '/unit') }),
    sources,
    bounds: { ...written.bounds, ...own },
  }
  return {
    feed,
    entity,
    pointer,
    sourcePointers: kept.map(({ at }) => at),
    boundPointers: { min: place('min'), max: place('max'), change: place('change') },
    faults,
  }
}
