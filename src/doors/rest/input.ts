// From a request to an operation's input: the path, the query or the body, then the operation's own schema.
import type { Context } from 'hono'
import { z } from 'zod'
import { ValidationFailed } from '../../engine/errors.ts'
import { problemsOf, unknownField } from '../problems.ts'
import { type Fields, formFields, jsonFields } from './body.ts'
import type { Route } from './route.ts'

/** The input of the route's operation. Throws ValidationFailed that names every wrong field, and UnsupportedType. */
export async function inputOf(route: Route, c: Context): Promise<unknown> {
  const params = withAliases(c.req.param(), { ...route.aliases, ...route.pathAliases })
  const accepted = fieldsOf(route).filter((name) => !(name in params))
  const query = queryOf(c, route.body === 'none' ? accepted : [])
  const carried = route.body === 'none' ? query : await carriedBy(route, c)
  const headed = headedBy(route, c)
  const input = { ...headed, ...carried, ...params }
  repeatsPath(carried, params)
  repeatsHeader(carried, headed)
  const parsed = route.operation.input.safeParse(input)
  if (parsed.success) return parsed.data
  throw new ValidationFailed(problemsOf(parsed.error, input, accepted))
}

/** The names of the operation's input. */
export function fieldsOf({ operation }: Pick<Route, 'operation'>): string[] {
  return operation.input instanceof z.ZodObject ? Object.keys(operation.input.shape) : []
}

async function carriedBy(route: Route, c: Context): Promise<Fields> {
  if (route.body === 'json')
    return withAliases(await jsonFields(c.req.raw, route.maxBytes), route.aliases)
  const { fields, file } = await formFields(c.req.raw, route.maxBytes)
  if (file === undefined) {
    throw new ValidationFailed([
      { field: 'file', message: 'is required: a form field with the file' },
    ])
  }
  return { ...fields, ...route.upload(file) }
}

/** Every parameter is known and given once. */
function queryOf(c: Context, known: readonly string[]): Fields {
  const given = Object.entries(c.req.queries())
  const problems = given.flatMap(([field, values]) => {
    if (!known.includes(field)) return [{ field, message: unknownField(field, known) }]
    return values.length > 1 ? [{ field, message: 'is given twice' }] : []
  })
  if (problems.length > 0) throw new ValidationFailed(problems)
  return Object.fromEntries(given.map(([field, values]) => [field, values[0]]))
}

function withAliases(fields: Fields, aliases: Route['aliases']): Fields {
  const problems = Object.entries(aliases)
    .filter(([alias, name]) => alias in fields && name in fields)
    .map(([field, name]) => ({ field, message: `means ${name}, which is given too` }))
  if (problems.length > 0) throw new ValidationFailed(problems)
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      Object.hasOwn(aliases, name) ? aliases[name] : name,
      value,
    ]),
  )
}

/** What stands in headers instead of the body. */
function headedBy({ headers }: Route, c: Context): Fields {
  const given = Object.entries(headers).map(([header, name]) => [name, c.req.header(header)])
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}

/** The same twice is said once. */
function repeatsHeader(carried: Fields, headed: Fields): void {
  const problems = Object.keys(headed)
    .filter((name) => name in carried && carried[name] !== headed[name])
    .map((field) => ({ field, message: `is ${JSON.stringify(headed[field])} in the header` }))
  if (problems.length > 0) throw new ValidationFailed(problems)
}

/** A field that the path holds may stand in the body too, as long as both say the same. */
function repeatsPath(carried: Fields, params: Fields): void {
  const problems = Object.keys(params)
    .filter((name) => name in carried && carried[name] !== params[name])
    .map((field) => ({ field, message: `stands in the path as ${JSON.stringify(params[field])}` }))
  if (problems.length > 0) throw new ValidationFailed(problems)
}
