// Looks through one place of a mail: here where it is small, in a child process where it is not.
import { type Budget, newBudget } from './budget.ts'
import { isPacked, type Leaving, textsOf } from './file-text.ts'
import { secretsIn } from './find.ts'
import { wordsOfHtml } from './html.ts'

/** What can stand in a place of a mail. */
export type Content =
  | { kind: 'texts'; texts: readonly string[] }
  | { kind: 'html'; html: string }
  | { kind: 'file'; file: Leaving }

export interface Looked {
  /** What was found. */
  names: string[]
  /** Why it was not looked through whole. */
  unread: string[]
}

/** Of what its readers may throw (a text that is too long for a string), the caller says that it was not looked through. */
export async function look(content: Content, words: readonly string[]): Promise<Looked> {
  const budget = newBudget()
  const names = new Set<string>()
  for (const text of textsIn(content, budget)) {
    for (const name of await secretsIn(text, words)) names.add(name)
  }
  return { names: [...names], unread: [...budget.unread] }
}

function* textsIn(content: Content, budget: Budget): Generator<string> {
  if (content.kind === 'texts') return yield* content.texts
  if (content.kind === 'file') return yield* textsOf(content.file, budget)
  yield content.html
  yield* wordsOfHtml(content.html, budget)
}

/** The worst that was found of this size (marks to be put in order, elements that cross) takes 40 ms; a common one 1 ms. */
export const SMALL = 8 * 1024

/** Whether looking through it takes no longer than others can wait. */
export const isSmall = (content: Content) =>
  sizeOf(content) <= SMALL && !(content.kind === 'file' && isPacked(content.file))

export function sizeOf(content: Content): number {
  if (content.kind === 'html') return content.html.length
  if (content.kind === 'file') return content.file.bytes.length
  return content.texts.reduce((sum, text) => sum + text.length, 0)
}
