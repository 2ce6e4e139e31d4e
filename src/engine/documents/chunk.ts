// Cuts a document into the passages that a search finds.
import { type Block, markdownBlocks } from './markdown.ts'
import { fitLines, fitProse, packPassages } from './passage.ts'

export type Format = 'markdown' | 'plain'

export interface Passage {
  /** The headings above it, outermost first, joined by " > "; null where there are none. */
  heading: string | null
  content: string
}

interface Section {
  heading: (Block & { kind: 'heading' }) | null
  path: { level: number; title: string }[]
  pieces: string[]
}

const PARAGRAPH_JOINT = '\n\n'
const PATH_JOINT = ' > '

/** The passages of a text in order, made as they are asked for. Markdown is cut at its headings, plain text at its paragraphs. */
export function passagesOf(text: string, format: Format): Generator<Passage> {
  return format === 'markdown' ? markdownPassages(text) : plainPassages(text)
}

function* plainPassages(text: string): Generator<Passage> {
  for (const content of packPassages(paragraphs(text), PARAGRAPH_JOINT))
    yield { heading: null, content }
}

function* paragraphs(text: string): Generator<string> {
  for (const paragraph of text.split(/\n[ \t]*\n/)) {
    const trimmed = paragraph.replace(/^\s*\n/, '').trimEnd()
    if (trimmed) yield* fitProse(trimmed)
  }
}

function* markdownPassages(text: string): Generator<Passage> {
  let section: Section = { heading: null, path: [], pieces: [] }
  for (const block of markdownBlocks(text)) {
    if (block.kind !== 'heading') {
      section.pieces.push(...piecesOf(block))
      continue
    }
    yield* sectionPassages(section, block.level)
    const above = section.path.filter(({ level }) => level < block.level)
    section = { heading: block, path: [...above, block], pieces: [] }
  }
  yield* sectionPassages(section, 0)
}

/** A heading with nothing of its own under it lives on in the paths of the headings below it. */
function* sectionPassages(
  { heading, path, pieces }: Section,
  nextLevel: number,
): Generator<Passage> {
  if (pieces.length === 0 && (!heading || nextLevel > heading.level)) return
  const titles = path.map(({ title }) => title).filter(Boolean)
  const passage = (content: string) => ({ heading: titles.join(PATH_JOINT) || null, content })
  if (pieces.length === 0 && heading) yield passage(heading.text.trim())
  let lead = heading ? heading.text.trim() + PARAGRAPH_JOINT : ''
  for (const content of packPassages(pieces, PARAGRAPH_JOINT)) {
    yield passage(lead + content)
    lead = ''
  }
}

function piecesOf(block: Exclude<Block, { kind: 'heading' }>): string[] {
  if (block.kind === 'prose') return fitProse(block.text)
  if (block.kind === 'code') return fitLines(block.text)
  const [head = '', rule = '', ...rows] = block.text.split('\n')
  const [first = '', ...others] = fitLines(rows.join('\n'))
  // Rows say nothing without the names of their columns.
  return [first, ...others].map((part) => [head, rule, part].filter(Boolean).join('\n'))
}
