// Lists in pages: by offset, or by a cursor that points behind the last row seen.
import { z } from 'zod'
import type { IdPrefix } from '../platform/ids.ts'
import { ValidationFailed } from './errors.ts'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100

/** The part of a list's input that every list has. Numbers may come as text, as in a query string. */
export const pageInput = {
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  offset: z.coerce.number().int().min(0).default(0),
  cursor: z.string().optional(),
}

/** A boolean that may come as text, as in a query string. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((v) => v === 'true')])

export const pagination = z.object({
  total: z.number(),
  limit: z.number(),
  offset: z.number(),
  next_cursor: z.string().optional(),
})

export const pageOf = <Row extends z.ZodType>(row: Row) =>
  z.object({ data: z.array(row), pagination })

export interface PageInput {
  limit: number
  offset: number
  cursor?: string | undefined
}

/** The sort key of a row: its time, then its id. */
export interface Place {
  at: Date
  id: string
}

/** Where a list goes on, opaque to the caller. */
export function cursorOf({ at, id }: Place): string {
  return Buffer.from(`${at.toISOString()} ${id}`).toString('base64url')
}

/**
 * The place a cursor points behind; undefined where none was given. Throws ValidationFailed on anything we did not make
 * and on the cursor of another list, whose place has no meaning here. @param prefixes of the ids in the list
 */
export function placeOf(
  cursor: string | undefined,
  ...prefixes: readonly IdPrefix[]
): Place | undefined {
  if (cursor === undefined) return undefined
  const [iso = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ')
  const at = new Date(iso)
  const [, prefix] = /^([a-z]{3})_[0-9a-z]{26}$/.exec(id) ?? []
  if (Number.isNaN(at.getTime()) || !prefixes.some((one) => one === prefix)) {
    throw new ValidationFailed([
      {
        field: 'cursor',
        message: 'is not a cursor of this list; take next_cursor of the last page',
      },
    ])
  }
  return { at, id }
}

/**
 * Makes a page of rows that were fetched with one more than the limit.
 * @param rows at most `limit + 1` rows in the list's order
 */
export function makePage<Row, Out>(
  rows: readonly Row[],
  { limit, offset }: PageInput,
  total: number,
  place: (row: Row) => Place,
  show: (row: Row) => Out,
) {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const more = rows.length > limit && last !== undefined
  return {
    data: shown.map(show),
    pagination: { total, limit, offset, ...(more ? { next_cursor: cursorOf(place(last)) } : {}) },
  }
}
