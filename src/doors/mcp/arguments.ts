// The arguments of a call: slips that models make are put right, everything else that is unknown is named.
import type { z } from 'zod'
import { type Detail, ValidationFailed } from '../../engine/errors.ts'
import { nearest } from '../nearest.ts'
import { problemsOf } from '../problems.ts'
import type { Tool } from './tool.ts'

type Given = Readonly<Record<string, unknown>>
type Spec = Pick<Tool, 'name' | 'input' | 'aliases' | 'instead'>

/** Said everywhere, where the tool has the argument that is meant. */
const COMMON_ALIASES: Readonly<Record<string, string>> = {
  query: 'q',
  page_token: 'cursor',
}
const SHOWN = 60

/** The input that a tool runs with. Throws ValidationFailed that names each argument that is wrong. */
export function readArguments(spec: Spec, given: Given): Record<string, unknown> {
  const { named, problems } = rename(spec, given)
  if (problems.length > 0) throw wrong(spec, problems)
  const mended = Object.fromEntries(
    Object.entries(named).map(([name, value]) => [name, mend(spec.input.shape[name], value)]),
  )
  const parsed = spec.input.safeParse(mended)
  if (parsed.success) return parsed.data
  throw wrong(spec, problemsOf(parsed.error, mended, Object.keys(spec.input.shape)))
}

/**
 * What an operation takes, of what a tool passes on: its limits are stricter than a published schema can say.
 * Throws ValidationFailed in the operation's names; the door gives them the tool's.
 */
export function operationInput<Input extends z.ZodObject>(
  { input }: { input: Input },
  given: Given,
): z.output<Input> {
  const parsed = input.safeParse(given)
  if (parsed.success) return parsed.data
  throw new ValidationFailed(problemsOf(parsed.error, given, Object.keys(input.shape)))
}

function wrong({ name }: Spec, details: Detail[]): ValidationFailed {
  return new ValidationFailed(details, {
    fix: `Correct the named arguments and call ${name} again.`,
  })
}

/** Every argument under its own name; null counts as left out. */
function rename(spec: Spec, given: Given) {
  const named: Record<string, unknown> = {}
  const spelled: Record<string, string> = {}
  const problems: Detail[] = []
  for (const [word, value] of Object.entries(given)) {
    const name = meant(spec, word)
    if (name === undefined)
      problems.push({ field: word.slice(0, SHOWN), message: unknown(spec, word) })
    else if (value === null) continue
    else if (spelled[name] === undefined) {
      spelled[name] = word
      named[name] = value
    } else {
      const both = `${spelled[name]} and ${word} mean the same; give ${name} alone`
      problems.push({ field: name, message: both })
    }
  }
  return { named, problems }
}

/** The argument that a word means; undefined where it means none of this tool's. */
function meant({ input, aliases = {} }: Spec, word: string): string | undefined {
  const snake = snakeCase(word)
  const names = [word, snake, aliases[word], aliases[snake], COMMON_ALIASES[snake]]
  return names.find((name) => name !== undefined && Object.hasOwn(input.shape, name))
}

function unknown({ name, input, instead = {} }: Spec, word: string): string {
  const snake = snakeCase(word)
  const hint = Object.hasOwn(instead, snake) ? instead[snake] : undefined
  if (hint !== undefined) return hint
  const known = Object.keys(input.shape)
  const meant = nearest(word, known)
  const guess = meant === undefined ? '' : `; did you mean ${meant}?`
  return `is no argument of ${name}, which takes: ${known.join(', ')}${guess}`
}

const snakeCase = (word: string) => word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** "5" for 5, "true" for true, one string for a list of them, {email, name} for an address. */
function mend(schema: unknown, value: unknown): unknown {
  const type = typeOf(schema)
  if (type === 'number' && typeof value === 'string' && /^-?\d+$/.test(value.trim())) {
    return Number(value)
  }
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  if (type !== 'array') return value
  return (Array.isArray(value) ? value : [value]).map(asAddress)
}

/** The kind of value below defaults and optionals. */
function typeOf(schema: unknown): string | undefined {
  let inner = schema as z.core.$ZodType | undefined
  while (inner !== undefined && 'innerType' in inner._zod.def) {
    inner = inner._zod.def.innerType as z.core.$ZodType
  }
  return inner?._zod.def.type
}

/** "Name <a@b>" for {email, name}; quoted, so that no name adds an address. RFC 5322 §3.4. */
function asAddress(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || !('email' in item)) return item
  const { email, name, ...rest } = item as Given
  if (typeof email !== 'string' || Object.keys(rest).length > 0) return item
  if (typeof name !== 'string' || name.trim() === '') return email
  return `"${name.replace(/["\\]/g, '\\$&')}" <${email}>`
}
