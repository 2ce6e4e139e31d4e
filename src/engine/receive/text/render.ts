// From the tree of a mail's HTML to lines of visible text. No recursion: nesting may be any depth.
import type { Cascade } from './cascade.ts'
import { createElementWriter, type ElementWriter } from './elements.ts'
import type { Line } from './lines.ts'
import type { Link } from './links.ts'
import { canBeSeen, type Look, lookOf, PAGE } from './look.ts'
import type { Target } from './selector.ts'
import type { Document, Element, Node } from './tree.ts'

export interface Rendered {
  lines: Line[]
  links: Link[]
  /** Characters in hidden elements and in comments, white space not counted. */
  hidden: number
}

/** An element whose children are being written. */
interface Open {
  children: readonly Node[]
  next: number
  look: Look
  canBeSeen: boolean
  target: Target | null
  leave: (() => void) | null
}

/** Not text in any program, so not hidden text either. */
const MACHINERY = new Set(['style', 'script', 'title', 'meta', 'link', 'base'])

export function renderTree(document: Document, cascade: Cascade): Rendered {
  const writer = createElementWriter()
  const stack: Open[] = [
    {
      children: document.childNodes,
      next: 0,
      look: PAGE,
      canBeSeen: true,
      target: null,
      leave: null,
    },
  ]
  let hidden = 0
  for (let open = stack.at(-1); open; open = stack.at(-1)) {
    const node = open.children[open.next]
    open.next += 1
    if (!node) {
      open.leave?.()
      stack.pop()
    } else if (isElement(node)) {
      if (!MACHINERY.has(node.nodeName)) stack.push(enter(node, open, cascade, writer))
    } else {
      hidden += writeLeaf(node, open.canBeSeen, writer)
    }
  }
  return { lines: writer.finish(), links: writer.links, hidden }
}

const isElement = (node: Node): node is Element => 'tagName' in node

/** Writes a text; answers how many characters stay hidden. */
function writeLeaf(node: Node, isSeen: boolean, writer: ElementWriter): number {
  if ('data' in node) return commentLength(node.data)
  if (!('value' in node)) return 0
  if (!isSeen) return seenLength(node.value)
  writer.text(node.value)
  return 0
}

function enter(element: Element, parent: Open, cascade: Cascade, writer: ElementWriter): Open {
  const attributes = new Map(element.attrs.map(({ name, value }) => [name, value]))
  const target: Target = {
    tag: element.tagName,
    id: attributes.get('id') ?? '',
    classes: attributes.get('class')?.split(/\s+/) ?? [],
    attributes,
    parent: parent.target,
  }
  const declarations = parent.look.hidden
    ? []
    : cascade.declarations(target, attributes.get('style'))
  const look = lookOf(parent.look, target.tag, attributes, declarations)
  const isSeen = look === parent.look ? parent.canBeSeen : canBeSeen(look)
  const children = 'content' in element ? contentOf(element) : element.childNodes
  const leave = look.hidden ? null : writer.enter(element, attributes, isSeen)
  return { children, next: 0, look, canBeSeen: isSeen, target, leave }
}

/** A template keeps its children apart from the page. */
function contentOf(element: Element): readonly Node[] {
  const { content } = element as Element & { content?: { childNodes: Node[] } }
  return content?.childNodes ?? element.childNodes
}

/**
 * What Outlook alone shows (`<!--[if mso]>`) repeats what others see in nearly every newsletter; it is
 * left out like any comment, but counted it would say that they all hide something.
 */
function commentLength(comment: string): number {
  if (/^\s*\[if\b|^\s*<?!?\[(?:if|endif)/i.test(comment)) return 0
  return seenLength(comment)
}

function seenLength(text: string): number {
  return text.replace(/\s+/g, '').length
}
