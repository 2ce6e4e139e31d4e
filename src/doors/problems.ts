// What a schema found wrong, said to whoever typed it: one line a field, in the caller's own names.
import type { z } from 'zod'
import type { Detail } from '../engine/errors.ts'
import { nearest } from './nearest.ts'

type Issue = z.core.$ZodIssue
/** One thing that is wrong, and where. */
interface Fault {
  path: readonly PropertyKey[]
  issue: Issue
}

/** A wrong caller may send thousands of wrong things; the first ones are enough to mend them. */
const MAX_DETAILS = 20
/** Longer names are cut when they are named back. */
const SHOWN = 80

/**
 * The faults of an input as details.
 * @param value the input that was refused; @param known the names that the top level of the input may have
 */
export function problemsOf(error: z.ZodError, value: unknown, known: readonly string[]): Detail[] {
  const faults = error.issues.flatMap((issue) => faultsOf(issue, [], value))
  return faults.slice(0, MAX_DETAILS).flatMap((fault) => detailsOf(fault, faults, value, known))
}

/** A union's faults are those of the form that the caller came closest to. */
function faultsOf(issue: Issue, above: readonly PropertyKey[], value: unknown): Fault[] {
  const path = [...above, ...issue.path]
  if (issue.code !== 'invalid_union' || at(value, path) === undefined) return [{ path, issue }]
  const forms = issue.errors.map((issues) => issues.flatMap((one) => faultsOf(one, path, value)))
  const [closest = []] = forms.toSorted((a, b) => depth(b) - depth(a))
  return depth(closest) > path.length ? closest : [{ path, issue }]
}

/** How far into the value a form fitted before it failed. */
const depth = (faults: readonly Fault[]) =>
  Math.max(
    0,
    ...faults.map(({ path, issue }) => path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)),
  )

function detailsOf(
  { path, issue }: Fault,
  all: readonly Fault[],
  value: unknown,
  known: readonly string[],
): Detail[] {
  if (issue.code === 'unrecognized_keys') {
    const names = path.length === 0 ? known : missingIn(path, all, value)
    return issue.keys
      .slice(0, MAX_DETAILS)
      .map((key) => ({ field: dotted([...path, key]), message: unknownField(key, names) }))
  }
  const message = at(value, path) === undefined ? 'is required' : wordsOf(issue)
  return [{ field: dotted(path), message }]
}

export function unknownField(name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  if (meant !== undefined) return `is not known here; did you mean ${meant}?`
  return known.length === 0
    ? 'is not known here'
    : `is not known here; there is ${known.join(', ')}`
}

/** What is missing beside an unknown name is probably what the name was meant to be. */
const missingIn = (path: readonly PropertyKey[], all: readonly Fault[], value: unknown) =>
  all
    .filter((other) => dotted(other.path.slice(0, -1)) === dotted(path))
    .filter((other) => at(value, other.path) === undefined)
    .map((other) => String(other.path.at(-1)))

function wordsOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kind(issue.expected)}`
    case 'invalid_value':
      return `must be ${anyOf(issue.values.map(String))}`
    case 'invalid_union':
      return `must be ${anyOf(issue.errors.flat().flatMap(kindsWanted))}`
    case 'too_small':
      return atLeast(issue.origin, Number(issue.minimum))
    case 'too_big':
      return atMost(issue.origin, Number(issue.maximum))
    default:
      return issue.message === 'Invalid input' ? 'has the wrong form' : issue.message
  }
}

function kindsWanted(issue: Issue): string[] {
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(kindsWanted)
  return [wordsOf(issue).replace(/^must be /, '')]
}

const KINDS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'an ISO 8601 time like 2026-01-31T09:30:00Z',
}
const kind = (expected: string) => KINDS[expected] ?? `of the kind ${expected}`

function anyOf(words: readonly string[]): string {
  const [last = '', ...rest] = [...new Set(words)].reverse()
  return rest.length === 0 ? last : `${rest.reverse().join(', ')} or ${last}`
}

function atLeast(origin: string, least: number): string {
  if (origin === 'string') {
    return least === 1 ? 'must not be empty' : `must have at least ${least} characters`
  }
  return origin === 'array' ? `must have at least ${least} entries` : `must be at least ${least}`
}

function atMost(origin: string, most: number): string {
  if (origin === 'string') return `must have at most ${most} characters`
  return origin === 'array' ? `must have at most ${most} entries` : `must be at most ${most}`
}

const dotted = (path: readonly PropertyKey[]) =>
  path.map((part) => String(part).slice(0, SHOWN)).join('.')

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<PropertyKey, unknown>)[part]
        : undefined,
    value,
  )
}
