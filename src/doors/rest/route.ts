// A line of a table of routes: which request runs which operation, and what its answer looks like.
import type { z } from 'zod'
import type { Operation } from '../../engine/operation.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Answer {
  status: number
  /** Shown as JSON; bytes go out as they are. */
  body?: unknown
  headers?: Record<string, string>
}

/** A file of a multipart form. */
export interface Upload {
  filename: string
  contentType: string
  bytes: Uint8Array
}

export interface Route {
  method: Method
  /** Hono's notation: `:name` is a field of the operation's input. */
  path: string
  operation: Operation
  /** What a body may be; requests without one give their input in the query. */
  body: 'none' | 'json' | 'form'
  maxBytes: number
  /** Other names under which the path or a body may give a field of the input. */
  aliases: Readonly<Record<string, string>>
  /** The same for the path alone, where the body has a field of that name too. */
  pathAliases: Readonly<Record<string, string>>
  /** Request headers, in lower case, that may give a field of the input. */
  headers: Readonly<Record<string, string>>
  /** What a form's file becomes in the operation's input. */
  upload(file: Upload): Record<string, unknown>
  answer(output: unknown): Answer
}

interface Special<Out extends z.ZodType> {
  body?: Route['body']
  maxBytes?: number
  aliases?: Route['aliases']
  pathAliases?: Route['pathAliases']
  headers?: Route['headers']
  upload?: Route['upload']
  answer?: (output: z.output<Out>) => Answer
}

const MIB = 1024 * 1024
const JSON_LIMIT = MIB

/** A route that differs from the usual only in what `special` names. */
export function route<In extends z.ZodType, Out extends z.ZodType>(
  method: Method,
  path: string,
  operation: Operation<In, Out>,
  special: Special<Out> = {},
): Route {
  return {
    method,
    path,
    operation,
    body: method === 'GET' ? 'none' : 'json',
    maxBytes: JSON_LIMIT,
    aliases: {},
    pathAliases: {},
    headers: {},
    upload: () => ({}),
    answer:
      method === 'DELETE' ? () => ({ status: 204 }) : (body: unknown) => ({ status: 200, body }),
    ...special,
  }
}
