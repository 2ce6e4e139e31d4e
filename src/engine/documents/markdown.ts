// The blocks of a Markdown text, as far as cutting it into passages asks: headings, prose, code and tables (CommonMark §4, GFM §4.10).

export type Block =
  | { kind: 'heading'; level: number; title: string; text: string }
  | { kind: 'prose' | 'code' | 'table'; text: string }

const FENCE = /^ {0,3}(`{3,}|~{3,})/
const ATX = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/
const CLOSING_SEQUENCE = /(?:^|[ \t])#+[ \t]*$/
const SETEXT = /^ {0,3}(=+|-+)[ \t]*$/
const TABLE_RULE = /^[ \t|:-]*-[ \t|:-]*$/
const COMMENT_START = '<!--'
const COMMENT_END = '-->'
const TITLE_LENGTH = 200

/** The blocks in order. Comments are left out: whoever reads the page does not see them. */
export function* markdownBlocks(text: string): Generator<Block> {
  const lines = visibleLines(text)
  let open: string[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const fence = FENCE.exec(line)?.[1]
    const heading = headingOf(line, open)
    if (!fence && !heading && line.trim() !== '') {
      open.push(line)
      continue
    }
    // The text of a setext heading is the line before its underline.
    if (heading?.text !== open[0]) yield* closed(open)
    open = []
    if (heading) yield heading
    if (!fence) continue
    const end = endOfFence(lines, at, fence)
    yield { kind: 'code', text: lines.slice(at, end).join('\n') }
    at = end - 1
  }
  yield* closed(open)
}

function visibleLines(text: string): string[] {
  const lines: string[] = []
  let fence = ''
  let hidden = false
  for (const line of text.split('\n')) {
    if (fence) {
      lines.push(line)
      if (closes(line, fence)) fence = ''
      continue
    }
    const seen = withoutComments(line, hidden)
    hidden = seen.hidden
    fence = FENCE.exec(seen.text)?.[1] ?? ''
    if (seen.text.trim() !== '' || line.trim() === '') lines.push(seen.text)
  }
  return lines
}

function withoutComments(line: string, hiddenBefore: boolean) {
  let text = ''
  let at = 0
  let hidden = hiddenBefore
  for (;;) {
    const mark = hidden ? COMMENT_END : COMMENT_START
    const next = line.indexOf(mark, at)
    if (!hidden) text += line.slice(at, next < 0 ? undefined : next)
    if (next < 0) return { text, hidden }
    at = next + mark.length
    hidden = !hidden
  }
}

function closes(line: string, fence: string): boolean {
  const mark = line.trim()
  return mark.startsWith(fence) && mark === mark.charAt(0).repeat(mark.length)
}

function endOfFence(lines: readonly string[], start: number, fence: string): number {
  for (let at = start + 1; at < lines.length; at++) {
    if (closes(lines[at] ?? '', fence)) return at + 1
  }
  return lines.length
}

function headingOf(
  line: string,
  open: readonly string[],
): (Block & { kind: 'heading' }) | undefined {
  const atx = ATX.exec(line)
  if (atx) {
    const title = (atx[2] ?? '').replace(CLOSING_SEQUENCE, '')
    return { kind: 'heading', level: atx[1]?.length ?? 1, title: plainTitle(title), text: line }
  }
  const underline = SETEXT.exec(line)?.[1]
  const [only, another] = open
  if (!underline || only === undefined || another !== undefined) return undefined
  const level = underline.startsWith('=') ? 1 : 2
  return { kind: 'heading', level, title: plainTitle(only), text: only }
}

/** A heading as one line of plain text: no emphasis, no code marks, a link's text for the link. */
function plainTitle(title: string): string {
  return title
    .slice(0, 2 * TITLE_LENGTH)
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*`]|\b_|_\b/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, TITLE_LENGTH)
    .toWellFormed()
}

function closed(lines: readonly string[]): Block[] {
  if (lines.length === 0) return []
  const [head = '', rule = ''] = lines
  const table = head.includes('|') && rule.includes('|') && TABLE_RULE.test(rule)
  return [{ kind: table ? 'table' : 'prose', text: lines.join('\n') }]
}
