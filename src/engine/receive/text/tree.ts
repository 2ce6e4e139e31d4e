// HTML into a tree as a browser would build it, within limits that no mail can break.
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5'

export type Node = DefaultTreeAdapterTypes.ChildNode
export type Element = DefaultTreeAdapterTypes.Element
export type Document = DefaultTreeAdapterTypes.Document

/** In characters, after pictures written into the HTML (`data:`) are left out. */
export const HTML_LIMIT = 1_048_576
/** A newsletter of 1 MB holds some 20,000; repair of broken HTML can multiply them. */
const ELEMENTS_LIMIT = 50_000

export interface Tree {
  document: Document
  /** Something was left out because the HTML passes a limit. */
  truncated: boolean
}

/** Stops the parser, which has no other way to be stopped. */
class TooManyElements extends Error {}

/**
 * Parses a mail's HTML by the WHATWG rules, as mail programs do: with another parser's repairs of
 * broken HTML, text hidden from people could end outside of the element that hides it.
 * parse5 8.1 is linear on hostile nesting; the limits bound what is left.
 */
export function parseTree(html: string): Tree {
  const lean = html.length > HTML_LIMIT ? withoutInlineData(html) : html
  const document = defaultTreeAdapter.createDocument()
  let elements = 0
  const adapter: typeof defaultTreeAdapter = {
    ...defaultTreeAdapter,
    createDocument: () => document,
    createElement(...element) {
      elements += 1
      if (elements > ELEMENTS_LIMIT) throw new TooManyElements()
      return defaultTreeAdapter.createElement(...element)
    },
  }
  const truncated = lean.length > HTML_LIMIT
  try {
    parse(lean.slice(0, HTML_LIMIT), { treeAdapter: adapter, scriptingEnabled: false })
    return { document, truncated }
  } catch (error) {
    if (error instanceof TooManyElements) return { document, truncated: true }
    throw error
  }
}

const withoutInlineData = (html: string) =>
  html.replace(/data:[\w/+.;=-]{1,80},[\w+/=%\r\n-]{100,}/g, 'data:,')
