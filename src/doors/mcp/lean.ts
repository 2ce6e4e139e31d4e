// What stands around a text, made shorter step by step where the budget is small; what was cut says so.
import { costOf, type Json, type JsonObject } from './answer.ts'

/** Entries of a list and characters of a field that stay; a list that lost some says how many there were. */
const STEPS = [
  { entries: 8, characters: 100 },
  { entries: 3, characters: 60 },
  { entries: 1, characters: 40 },
  { entries: 0, characters: 20 },
]
/** Good for nothing when it is cut; times are shorter than any step. */
const ID = /^[a-z]{3}_[0-9a-z]{26}$/
type Step = (typeof STEPS)[number]

/** The row as it is or after as few steps as bring it within the budget; after the last step whatever it costs. */
export function leanRow(row: JsonObject, budget: number): JsonObject {
  let lean = row
  for (const step of STEPS) {
    if (costOf(lean) <= budget) return lean
    lean = shorter(row, step)
  }
  return lean
}

function shorter(row: JsonObject, step: Step): JsonObject {
  const fields = Object.entries(row).flatMap(([name, value]): [string, Json][] => {
    const total = `${name}_total`
    const cut = Array.isArray(value) && value.length > step.entries
    return [
      ...(cut && step.entries === 0 ? [] : [[name, shortened(value, step)] as [string, Json]]),
      ...(cut && row[total] === undefined ? [[total, value.length] as [string, Json]] : []),
    ]
  })
  return Object.fromEntries(fields)
}

function shortened(value: Json, step: Step): Json {
  if (typeof value === 'string') return ID.test(value) ? value : cutTo(value, step.characters)
  if (Array.isArray(value)) {
    return value.slice(0, step.entries).map((entry) => shortened(entry, step))
  }
  return typeof value === 'object' ? shorter(value, step) : value
}

/** The first characters of a short field. */
export function cutTo(text: string, length: number): string {
  const characters = [...text]
  if (characters.length <= length) return text
  return `${characters.slice(0, length - 1).join('')}…`
}
