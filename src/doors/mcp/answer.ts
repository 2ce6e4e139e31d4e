// What a tool gives back: one object, and the same in readable lines, since some clients show a model only one of the two.
import { estimateTokens } from './tokens.ts'

export type Json = string | number | boolean | Json[] | { [key: string]: Json }
export interface JsonObject {
  [key: string]: Json
}

export interface Answer {
  result: JsonObject
  /** One row of a list in one line, where that is shorter than naming every field. */
  line?: (row: JsonObject) => string
}

/** What is left out of results: they are what a reader assumes. */
const DEFAULTS: JsonObject = {
  is_read: true,
  is_archived: false,
  delivery: 'email',
}

/** Without undefined, null, empty lists and defaults. */
export function filled(fields: Readonly<Record<string, unknown>>): JsonObject {
  const said = Object.entries(fields).filter(
    ([name, value]) =>
      value !== undefined &&
      value !== null &&
      !(Array.isArray(value) && value.length === 0) &&
      DEFAULTS[name] !== value,
  )
  return Object.fromEntries(said) as JsonObject
}

/** The result in lines. */
export function textOf({ result, line = rowLine }: Answer): string {
  return Object.entries(result)
    .flatMap(([name, value]) => section(name, value, line))
    .join('\n')
}

/** What one row of a list costs whoever reads it in the dearer of the two forms. */
export function costOf(row: JsonObject, line: (row: JsonObject) => string = rowLine): number {
  return Math.max(estimateTokens(JSON.stringify(row)), estimateTokens(line(row)))
}

function section(name: string, value: Json, line: (row: JsonObject) => string): string[] {
  if (NOTES.includes(name)) return [String(value)]
  if (isFenced(value)) return [`${name}:`, value]
  if (!isRows(value)) return [`${name}: ${inline(value)}`]
  if (value.length === 0) return [`${name}: none`]
  return [`${name}:`, ...value.map((row) => `- ${line(row)}`)]
}

/** The notes around fenced text are sentences of their own. */
export const NOTES = ['note', 'note_after']

/** Short fields in one line, bodies as they are below it. */
function rowLine(row: JsonObject): string {
  const bodies = Object.entries(row).filter(([, value]) => isFenced(value))
  const rest = Object.entries(row).filter(([, value]) => !isFenced(value))
  return [inline(Object.fromEntries(rest)), ...bodies.map(([, body]) => String(body))].join('\n')
}

export function inline(value: Json): string {
  if (Array.isArray(value)) {
    return value.map((item) => (isObject(item) ? `{${inline(item)}}` : inline(item))).join(', ')
  }
  if (!isObject(value)) return String(value)
  return Object.entries(value)
    .map(([name, item]) => `${name}: ${isObject(item) ? `{${inline(item)}}` : inline(item)}`)
    .join(' · ')
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && !Array.isArray(value)
const isRows = (value: Json): value is JsonObject[] =>
  Array.isArray(value) && value.every((item) => isObject(item))
const isFenced = (value: Json): value is string =>
  typeof value === 'string' && value.startsWith('<<mail ')
