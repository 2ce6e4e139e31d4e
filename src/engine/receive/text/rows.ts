// Which rows of a table hold data, and which only lay out the page.
import type { Element, Node } from './tree.ts'

/** A cell with more inside than this lays out. */
const NODES_LIMIT = 40
const LAYOUT = new Set('table ul ol h1 h2 h3 h4 hr blockquote pre form'.split(' '))
const BLOCKS = new Set(['p', 'div', 'br', 'center'])

/** Whether the row is one line of data: several cells, none with more than a paragraph in it. */
export function isDataRow(row: Element): boolean {
  const cells = row.childNodes.filter(({ nodeName }) => nodeName === 'td' || nodeName === 'th')
  return cells.length > 1 && cells.every(isPlain)
}

function isPlain(cell: Node): boolean {
  const open: Node[] = [cell]
  let nodes = 0
  let blocks = 0
  for (let node = open.pop(); node; node = open.pop()) {
    nodes += 1
    if (BLOCKS.has(node.nodeName)) blocks += 1
    if (LAYOUT.has(node.nodeName) || blocks > 2 || nodes > NODES_LIMIT) return false
    if ('childNodes' in node) open.push(...node.childNodes.slice(0, NODES_LIMIT + 1))
  }
  return true
}
