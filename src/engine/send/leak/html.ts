// All that an HTML body says, seen or not: text, attributes, comments.
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5'

type Node = DefaultTreeAdapterTypes.ChildNode | DefaultTreeAdapterTypes.ParentNode

/**
 * The words of an HTML body in two ways: with the text of neighbouring elements joined, since `AK<b>IA…</b>` is one
 * word to a reader, and line by line; attributes and comments behind them.
 */
export function wordsOfHtml(html: string): string[] {
  const text: string[] = []
  const aside: string[] = []
  const open: Node[] = [parseFragment(html)]
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
