// Reads a source's bytes as namespaced XML 1.0 in UTF-8, without document types, entities of its own or great depth.

import { SaxesParser } from 'saxes'
import type { Raw } from '../adapter.js'
import { SourceError } from '../source-error.js'
import { excerpt } from './excerpt.js'
import { type Place, textOf } from './json.js'
import { drift } from './read.js'

/** One element: its local name, namespace (empty for none), attributes without namespace, children and path. */
export interface Element {
  readonly name: string
  readonly namespace: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  readonly text: string
  /** Place in the document, as /Envelope/Cube/2. */
  readonly path: string
}

interface OpenElement extends Element {
  readonly children: Element[]
  readonly counts: Map<string, number>
  text: string
}

const depthMax = 64
const elementsMax = 200_000

/** The root element; SOURCE_BLOCKED for an HTML page, SOURCE_NOT_XML for all that is not well-formed or not wanted here. */
export function parseXml(raw: Raw): Element {
  const text = textOf(raw.bytes, 'SOURCE_NOT_XML')
  if (raw.mediaType === 'text/html' || /^\s*<(!doctype\s+html|html)[\s>]/i.test(text.slice(0, 400)))
    throw new SourceError('SOURCE_BLOCKED', 'a page came in place of XML')
  const open: OpenElement[] = []
  let root: Element | null = null
  let count = 0
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw refusal(error.message)
  })
  parser.on('doctype', () => {
    throw refusal('it has a document type')
  })
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) throw refusal('its encoding is not UTF-8')
  })
  parser.on('opentag', (tag) => {
    if (open.length >= depthMax) throw refusal(`it is nested deeper than ${depthMax}`)
    if (++count > elementsMax) throw refusal(`it has more than ${elementsMax} elements`)
    const parent = open.at(-1)
    const index = parent?.counts.get(tag.local) ?? 0
    parent?.counts.set(tag.local, index + 1)
    const attributes = Object.values(tag.attributes).filter(({ uri }) => uri === '')
    const element: OpenElement = {
      name: tag.local,
      namespace: tag.uri,
      attributes: new Map(attributes.map(({ local, value }) => [local, value])),
      children: [],
      counts: new Map(),
      text: '',
      path: `${parent?.path ?? ''}/${tag.local}${index === 0 ? '' : `/${index}`}`,
    }
    parent?.children.push(element)
    open.push(element)
  })
  parser.on('closetag', () => {
    root = open.pop() ?? null
  })
  const append = (content: string): void => {
    const element = open.at(-1)
    if (element !== undefined) element.text += content
  }
  parser.on('text', append)
  parser.on('cdata', append)
  parser.write(text).close()
  if (root === null) throw refusal('it has no element')
  return root
}

/** The children of that name and namespace, in order. */
export function childrenOf(element: Element, name: string, namespace: string): readonly Element[] {
  return element.children.filter((child) => child.name === name && child.namespace === namespace)
}

/** The only child of that name and namespace; SOURCE_DRIFT when there is none, or more than one. */
export function childOf(element: Element, name: string, namespace: string): Element {
  const [first, second] = childrenOf(element, name, namespace)
  if (first === undefined) throw drift({ value: null, path: `${element.path}/${name}` }, 'is missing')
  if (second !== undefined) throw drift({ value: null, path: second.path }, 'comes twice')
  return first
}

/** An attribute as a place that the readers of read.ts take; SOURCE_DRIFT when it is missing. */
export function attributeOf(element: Element, name: string): Place {
  const value = element.attributes.get(name)
  const path = `${element.path}/@${name}`
  if (value === undefined) throw drift({ value: null, path }, 'is missing')
  return { value, path }
}

function refusal(why: string): SourceError {
  return new SourceError('SOURCE_NOT_XML', `the body is not usable XML: ${excerpt(why)}`)
}
