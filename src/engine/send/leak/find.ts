// Which secrets a text holds. Pure, but for giving others their turn.
import { setImmediate as others } from 'node:timers/promises'
import { RULES } from './rules.ts'
import { asSeen, viewsOf } from './views.ts'

export const CANARY = 'A word that must not leave'

/** So much is read between two turns. */
const TURN_CHARACTERS = 1024 * 1024

/**
 * The names of what was found, once each, in the order of the rules.
 * @param words words that must not leave, in any letter case
 */
export async function secretsIn(text: string, words: readonly string[]): Promise<string[]> {
  const wanted = words.flatMap(formOf)
  const found = new Set<string>()
  let read = 0
  for (const view of viewsOf(text)) {
    for (const { name, form } of RULES) if (!found.has(name) && form.test(view)) found.add(name)
    const lower = view.toLowerCase()
    if (wanted.some((form) => form.test(lower))) found.add(CANARY)
    read += view.length
    if (read < TURN_CHARACTERS) continue
    read = 0
    await others()
  }
  return [...found]
}

/** Where lines are broken says nothing: mail is wrapped on its way. */
function formOf(word: string): RegExp[] {
  const parts = asSeen(word).toLowerCase().trim().split(/\s+/)
  const literal = parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return parts.join('') === '' ? [] : [new RegExp(literal.join('\\s+'))]
}
