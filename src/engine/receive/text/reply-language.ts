// The words of all languages by which mail programs introduce an earlier mail.
import { EASTERN } from './reply-east.ts'
import { type ReplyLanguage, WESTERN } from './reply-west.ts'

const LANGUAGES = [...Object.values(WESTERN), ...Object.values(EASTERN)]

const all = (field: keyof ReplyLanguage) => [
  ...new Set(LANGUAGES.flatMap((language) => language[field]?.split('|') ?? [])),
]

/** Longest first, so that an alternation finds the whole of it. */
const longestFirst = (words: readonly string[]) => [...words].sort((a, b) => b.length - a.length)

export const ON_WORDS = longestFirst(all('on'))
export const WROTE_WORDS = longestFirst(all('wrote'))
export const ORIGINAL_LABELS = longestFirst(all('original'))
export const FORWARD_LABELS = longestFirst(all('forwarded'))
export const FORWARD_PREFIXES = longestFirst(all('prefix'))

export type Field = 'from' | 'date' | 'to' | 'subject' | 'copy'
const FIELDS: readonly Field[] = ['copy', 'subject', 'to', 'date', 'from']

/** A label in lower case, and which field of a copied header it names. */
export const FIELD_LABELS: ReadonlyMap<string, Field> = new Map(
  FIELDS.flatMap((field) => all(field).map((label) => [label.toLowerCase(), field] as const)),
)
