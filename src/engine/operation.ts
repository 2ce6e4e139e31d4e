// A capability of the product, defined once. Doors are tables over operations: they bring a caller and an input, and show the output.
import type { z } from 'zod'
import type { Caller, Scope } from './caller.ts'
import type { Engine } from './ports.ts'

export interface Operation<In extends z.ZodType = z.ZodType, Out extends z.ZodType = z.ZodType> {
  /** snake_case, as in logs, golden files and the OpenAPI operationId. */
  name: string
  /** One sentence for people and for OpenAPI. */
  summary: string
  /** The scope a caller needs; `any`: every caller that is known. */
  scope: Scope | 'any'
  /** True when running it changes nothing. */
  reads: boolean
  input: In
  output: Out
  run(engine: Engine, caller: Caller, input: z.output<In>): Promise<z.output<Out>>
}

/** Gives an operation's `run` the types of its schemas. */
export function operation<In extends z.ZodType, Out extends z.ZodType>(
  definition: Operation<In, Out>,
): Operation<In, Out> {
  return definition
}
