// All that an XML file says, by one pass over its letters: a part of an Office file has a million tags, and a tree of them takes seconds. Pure.

/** XML 1.0 §2.5, §2.7: what stands in them is no tag. */
const COMMENT = ['<!--', '-->'] as const
const CDATA = ['<![CDATA[', ']]>'] as const
/** §4.6, §4.1: the five names that every program knows, and numbers. */
const REFERENCE = /&(?:#x0{0,30}([0-9a-f]{1,6})|#0{0,30}(\d{1,7})|(amp|lt|gt|quot|apos));/gi
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const LAST_CODE_POINT = 0x10ffff

/** Its text joined, since a word is cut where its look changes; and line by line, with the tags behind it that say something else than their letters do. */
export function wordsOfXml(xml: string): string[] {
  const text: string[] = []
  const aside: string[] = []
  for (let at = 0; at < xml.length; ) {
    const tag = placeOf(xml, '<', at)
    if (tag > at) text.push(decoded(xml.slice(at, tag)))
    at = endOf(xml, tag)
    const inside = xml.slice(tag, at)
    if (inside.startsWith(CDATA[0])) text.push(inside.slice(CDATA[0].length).replace(/\]\]>$/, ''))
    else if (inside.includes('&')) aside.push(decoded(inside))
  }
  return [text.join(''), [...text, ...aside].join('\n')]
}

/** Behind what begins at a place; the end of the file where it never ends. */
function endOf(xml: string, start: number): number {
  for (const [open, close] of [COMMENT, CDATA]) {
    if (xml.startsWith(open, start)) return placeOf(xml, close, start + open.length) + close.length
  }
  return endOfTag(xml, start)
}

/** §3.1: a `>` within quotes does not end a tag. */
function endOfTag(xml: string, start: number): number {
  let quote = ''
  for (let at = start; at < xml.length; at += 1) {
    const letter = xml.charAt(at)
    if (quote !== '') quote = letter === quote ? '' : quote
    else if (letter === '>') return at + 1
    else if (letter === '"' || letter === "'") quote = letter
  }
  return xml.length
}

function placeOf(xml: string, wanted: string, from: number): number {
  const at = xml.indexOf(wanted, from)
  return at < 0 ? xml.length : at
}

const decoded = (text: string) =>
  text.replace(REFERENCE, (written, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? written
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code > LAST_CODE_POINT ? written : String.fromCodePoint(code)
  })
