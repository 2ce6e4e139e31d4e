// How each element of HTML is written in plain text.
import { isQuote, markOf } from './html-quotes.ts'
import { type Line, LineWriter } from './lines.ts'
import { type Link, placeAfter, readLink } from './links.ts'
import { isDataRow } from './rows.ts'
import type { Element } from './tree.ts'

export interface ElementWriter {
  /** Begins an element; what it returns ends it. */
  enter: (
    element: Element,
    attributes: ReadonlyMap<string, string>,
    canBeSeen: boolean,
  ) => (() => void) | null
  text: (text: string) => void
  finish: () => Line[]
  links: Link[]
}

/** What is being written, and what it stands in. */
interface Page {
  writer: LineWriter
  links: Link[]
  lists: { ordered: boolean; count: number }[]
  /** Of each open table, whether it has headings: its empty cells keep their place. */
  tables: { headed: boolean }[]
}

type Leave = (() => void) | null
type Attributes = ReadonlyMap<string, string>
type Write = (page: Page, element: Element, attributes: Attributes) => Leave

const QUOTES_LIMIT = 20
const LISTS_LIMIT = 10
const RULE = '----------'

export function createElementWriter(): ElementWriter {
  const page: Page = { writer: new LineWriter(), links: [], lists: [], tables: [] }
  return {
    links: page.links,
    text: (text) => page.writer.write(text),
    finish: () => page.writer.finish(),
    enter(element, attributes, canBeSeen) {
      const unmark = beginMark(page, element.tagName, attributes)
      const unquote = beginQuote(page, element, attributes)
      const inPage =
        VOID.has(element.tagName) && !canBeSeen ? undefined : ELEMENTS.get(element.tagName)
      const leave = inPage?.(page, element, attributes) ?? null
      if (!unmark && !unquote) return leave
      return () => {
        leave?.()
        unquote?.()
        unmark?.()
      }
    },
  }
}

/** They show something themselves, so what hides them hides that. */
const VOID = new Set(['img', 'hr', 'input'])

function beginMark({ writer }: Page, tag: string, attributes: Attributes): Leave {
  const mark = markOf(tag, attributes)
  if (!mark || writer.quote > 0) return null
  writer.block(false)
  const before = writer.mark
  writer.mark = mark
  return () => {
    writer.block(false)
    writer.mark = before
  }
}

function beginQuote({ writer }: Page, element: Element, attributes: Attributes): Leave {
  if (!isQuote(element.tagName, attributes) || writer.quote >= QUOTES_LIMIT) return null
  writer.block(true)
  writer.quote += 1
  return () => {
    writer.block(true)
    writer.quote -= 1
  }
}

const block =
  (apart: boolean): Write =>
  ({ writer }) => {
    writer.block(apart)
    return () => writer.block(apart)
  }

const list =
  (ordered: boolean): Write =>
  ({ writer, lists }, _, attributes) => {
    writer.block(lists.length === 0)
    const start = Number.parseInt(attributes.get('start') ?? '1', 10)
    lists.push({ ordered, count: Number.isNaN(start) ? 0 : start - 1 })
    return () => {
      lists.pop()
      writer.block(lists.length === 0)
    }
  }

const item: Write = ({ writer, lists }) => {
  const inner = lists.at(-1)
  if (inner) inner.count += 1
  const bullet = inner?.ordered ? `${inner.count}. ` : '- '
  const before = writer.indent
  writer.block(false)
  if (lists.length <= LISTS_LIMIT) writer.indent = before + ' '.repeat(bullet.length)
  writer.bullet(bullet)
  return () => {
    writer.block(false)
    writer.bullet('')
    writer.indent = before
  }
}

const link: Write = ({ writer, links }, { childNodes }, attributes) => {
  const href = attributes.get('href')
  if (href === undefined) return null
  const before = writer.linkText
  writer.linkText = ''
  return () => {
    const found = readLink(href, writer.linkText ?? '')
    writer.linkText = before
    if (!found) return
    const isPicture = childNodes.some(({ nodeName }) => nodeName === 'img')
    if (found.text !== '' || isPicture) links.push(found)
    if (found.text !== '') writer.append(placeAfter(found))
  }
}

const image: Write = ({ writer }, _, attributes) => {
  const alt = attributes.get('alt')?.replace(/\s+/g, ' ').trim() ?? ''
  const isPixel = ['width', 'height'].some((side) =>
    /^\s*[01](?:px)?\s*$/.test(attributes.get(side) ?? ''),
  )
  if (alt !== '' && !isPixel) writer.write(`[${alt}]`)
  return null
}

const input: Write = ({ writer }, _, attributes) => {
  const isButton = /^(submit|button|reset)$/i.test(attributes.get('type') ?? '')
  const value = attributes.get('value')?.trim() ?? ''
  if (isButton && value !== '') writer.write(` [${value}] `)
  return null
}

const pre: Write = ({ writer }) => {
  const before = writer.preformatted
  writer.block(true)
  writer.preformatted = true
  return () => {
    writer.block(true)
    writer.preformatted = before
  }
}

const rule: Write = ({ writer }) => {
  writer.block(false)
  writer.write(RULE)
  writer.block(false)
  return null
}

const table: Write = ({ writer, tables }) => {
  writer.block(tables.length === 0)
  tables.push({ headed: false })
  return () => {
    tables.pop()
    writer.block(tables.length === 0)
  }
}

const row: Write = ({ writer }, element) => {
  writer.block(false)
  const before = writer.flat
  const isFlat = isDataRow(element)
  if (isFlat) writer.flat = true
  return () => {
    writer.endRow()
    writer.flat = before
    writer.block(false)
  }
}

const cell: Write = ({ writer, tables }, element) => {
  const inner = tables.at(-1)
  if (inner && element.tagName === 'th') inner.headed = true
  if (writer.flat) writer.cell(inner?.headed === true)
  else writer.block(false)
  return writer.flat ? null : () => writer.block(false)
}

const breakLine: Write = ({ writer }) => {
  writer.breakLine()
  return null
}

const ELEMENTS = new Map<string, Write>([
  ...`p h1 h2 h3 h4 h5 h6 dl figure fieldset`.split(' ').map((tag) => [tag, block(true)] as const),
  ...`div section article header footer main nav aside address form center dt dd figcaption caption
    details summary legend option optgroup tbody thead tfoot body`
    .split(/\s+/)
    .map((tag) => [tag, block(false)] as const),
  ['ul', list(false)],
  ['ol', list(true)],
  ['menu', list(false)],
  ['li', item],
  ['a', link],
  ['img', image],
  ['input', input],
  ['pre', pre],
  ['textarea', pre],
  ['hr', rule],
  ['table', table],
  ['tr', row],
  ['td', cell],
  ['th', cell],
  ['br', breakLine],
])
