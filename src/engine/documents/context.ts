// Joins passages to one text that an answer can be written from, within a budget.
import { estimateTokens } from './passage.ts'

export interface ContextBlock {
  document_name: string
  relevance: number
  content: string
}

const BLOCK_JOINT = '\n\n'
/** A line inside a passage that looks like the header of a block would claim a source that is none. */
const FALSE_HEADER = /^(?=[ \t]*---[ \t]*Document:)/gim

/**
 * The blocks that fit into the budget, in the order given, and their text. A block that does not fit is
 * left out and a smaller one behind it may take its place; the first is cut where it alone is too long.
 * @param maxTokens estimated as in estimateTokens, headers included
 */
export function joinContext<Block extends ContextBlock>(
  blocks: readonly Block[],
  maxTokens: number,
): { context: string; used: Block[] } {
  const texts: string[] = []
  const used: Block[] = []
  let left = maxTokens
  for (const block of blocks) {
    const full = blockText(block)
    const text = used.length === 0 ? cutTo(full, left) : full
    const tokens = estimateTokens(text + BLOCK_JOINT)
    if (used.length > 0 && tokens > left) continue
    texts.push(text)
    used.push(block)
    left -= tokens
  }
  return { context: texts.join(BLOCK_JOINT), used }
}

function blockText({ document_name, relevance, content }: ContextBlock): string {
  const header = `--- Document: ${document_name} (relevance: ${relevance.toFixed(2)}) ---`
  return `${header}\n${content.replace(FALSE_HEADER, '> ')}`
}

function cutTo(text: string, maxTokens: number): string {
  const tokens = estimateTokens(text)
  if (tokens <= maxTokens) return text
  // One sign may be a whole token, so the share of the tokens bounds the share of the signs.
  const signs = Array.from(text)
  let length = Math.floor((signs.length * maxTokens) / tokens)
  while (estimateTokens(signs.slice(0, length).join('')) > maxTokens) length -= 1
  return signs.slice(0, length).join('')
}
