// All that an HTML body says, seen or not: text, attributes, comments.
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parseFragment } from 'parse5'
import type { Budget } from './budget.ts'

type Node = DefaultTreeAdapterTypes.ChildNode | DefaultTreeAdapterTypes.ParentNode

/** A table of 100,000 rows has fewer. */
const MAX_ELEMENTS = 500_000
/** Repair of broken HTML multiplies elements: a thousand open ones are made anew in each paragraph. Common HTML has fewer than letters. */
const elementsFor = (letters: number) => Math.min(MAX_ELEMENTS, 5_000 + letters)

/** Stops the parser, which has no other way to be stopped. */
class TooManyElements extends Error {}

/**
 * The words of an HTML body in two ways: with the text of neighbouring elements joined, since `AK<b>IA…</b>` is one
 * word to a reader, and line by line; attributes and comments behind them. None where it has too many elements.
 */
export function wordsOfHtml(html: string, budget: Budget): string[] {
  try {
    return wordsOfTree(treeOf(html))
  } catch (error) {
    if (!(error instanceof TooManyElements)) throw error
    budget.unread.add('its HTML makes more elements than a page has')
    return []
  }
}

function treeOf(html: string): Node {
  let left = elementsFor(html.length)
  const treeAdapter: typeof defaultTreeAdapter = {
    ...defaultTreeAdapter,
    createElement(...element) {
      left -= 1
      if (left < 0) throw new TooManyElements()
      return defaultTreeAdapter.createElement(...element)
    },
  }
  return parseFragment(html, { treeAdapter })
}

function wordsOfTree(root: Node): string[] {
  const text: string[] = []
  const aside: string[] = []
  const open: Node[] = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.nodeName === '#text' && 'value' in node) text.push(node.value)
    else for (const value of unseenOf(node)) aside.push(value)
    for (const child of childrenOf(node).reverse()) open.push(child)
  }
  return [text.join(''), [...text, ...aside].join('\n')]
}

function unseenOf(node: Node): string[] {
  if (node.nodeName === '#comment' && 'data' in node) return [node.data]
  return 'attrs' in node ? node.attrs.map(({ value }) => value) : []
}

/** A template keeps its children apart. */
function childrenOf(node: Node): Node[] {
  const children: Node[] = 'childNodes' in node ? [...node.childNodes] : []
  return 'content' in node ? [...children, node.content] : children
}
