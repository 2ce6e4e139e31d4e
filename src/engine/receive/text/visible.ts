// What a person sees of a mail's HTML, as plain text, and how much was hidden from people.
import { createCascade } from './cascade.ts'
import { cleanText } from './characters.ts'
import { parseStyleSheet } from './css.ts'
import type { Line, Mark } from './lines.ts'
import { distinctLinks, type Link } from './links.ts'
import { renderTree } from './render.ts'
import { type Document, type Node, parseTree } from './tree.ts'

export interface VisibleText {
  text: string
  /** Characters left out: hidden elements (white space not counted), comments, unseen characters. */
  hiddenRemoved: number
  links: Link[]
  /** By number of line, what the HTML says of it: input to `splitReply`. */
  marks: ReadonlyMap<number, Mark>
  /** The HTML passes a limit (1,048,576 characters without inline pictures, 50,000 elements). */
  truncated: boolean
}

/**
 * The visible text of a mail's HTML: links as `text (domain)`, a row of a data table as one line,
 * quotes with `> `, pictures as `[alt]`. Left out and counted: whatever display, visibility, opacity,
 * font size up to 1 px, a colour near the background, a place off the screen, clipping, `hidden`,
 * `aria-hidden`, template, noscript or mso-hide hide, from a style attribute or a style sheet.
 * Linear in the length of the HTML; never throws.
 */
export function visibleText(html: string): VisibleText {
  const { document, truncated } = parseTree(html)
  const cascade = createCascade(parseStyleSheet(styleSheets(document)))
  const { lines, links, hidden } = renderTree(document, cascade)
  const { text, hiddenRemoved } = cleanText(lines.map(written).join('\n'))
  const marks = new Map<number, Mark>()
  lines.forEach(({ mark }, number) => {
    if (mark) marks.set(number, mark)
  })
  return {
    text: text.trimEnd(),
    hiddenRemoved: hidden + hiddenRemoved,
    links: distinctLinks(links).map((link) => ({ ...link, text: cleanText(link.text).text })),
    marks,
    truncated: truncated || cascade.exhausted(),
  }
}

function written({ text, quote }: Line): string {
  return quote === 0 ? text : `${'> '.repeat(quote)}${text}`.trimEnd()
}

/** The text of all style elements, wherever they stand. */
function styleSheets(document: Document): string {
  const sheets: string[] = []
  const open: Node[] = [...document.childNodes].reverse()
  for (let node = open.pop(); node; node = open.pop()) {
    if (!('childNodes' in node)) continue
    if (node.nodeName === 'style') sheets.push(styleSheet(node))
    else for (let at = node.childNodes.length - 1; at >= 0; at -= 1) push(open, node.childNodes[at])
  }
  return sheets.join('\n')
}

function push(open: Node[], node: Node | undefined): void {
  if (node) open.push(node)
}

function styleSheet(node: Extract<Node, { childNodes: unknown }>): string {
  const css = node.childNodes.map((child) => ('value' in child ? child.value : '')).join('')
  const media = node.attrs.find(({ name }) => name === 'media')?.value
  return media ? `@media ${media} {${css}}` : css
}
