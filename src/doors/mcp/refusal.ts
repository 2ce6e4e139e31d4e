// What went wrong, in words for a model: everything stands in the text, and nothing that was thrown unforeseen does.
import { randomBytes } from 'node:crypto'
import { Conflict, Refusal } from '../../engine/errors.ts'
import type { Engine } from '../../engine/ports.ts'
import { ThreadMoved } from '../../engine/send/moved.ts'
import { visible } from './fence.ts'
import { newerMessages } from './newer-messages.ts'

const REF_BYTES = 4
const MESSAGE_LENGTH = 2_000

/** The call took longer than it may. */
export class TookTooLong extends Error {
  override readonly name = 'TookTooLong'
}

interface Told {
  code: string
  message: string
  argument: string
  fix: string
}

export interface Failure {
  tool: string
  writes: boolean
  /** The names of what the tool takes and of what was given. */
  arguments: readonly string[]
  /** What was given, under the tool's names as far as it could be read. */
  given: Readonly<Record<string, unknown>>
  /** The argument that a conflict is about where its words name none. */
  conflict?: string | undefined
  /** The operation's names of fields that have another name in the tool. */
  fields?: Readonly<Record<string, string>> | undefined
}

/** The result of a call that failed; what it means for the operator goes to the log under the same `ref`. */
export function refused(error: unknown, failure: Failure, log: Engine['log'] | undefined) {
  const ref = `ref_${randomBytes(REF_BYTES).toString('hex')}`
  const told = tell(error, failure)
  const line = { ref, tool: failure.tool, code: told.code }
  if (error instanceof Refusal) log?.info(line, 'a tool call was refused')
  else log?.error({ ...line, err: error }, 'a tool call failed')
  const lines = Object.entries({ error: told.code, ...told, ref })
    .filter(([name, value]) => name !== 'code' && value !== '')
    .map(([name, value]) => `${name}: ${oneLine(value)}`)
  if (error instanceof ThreadMoved) lines.push(newerMessages(error.newer))
  return { content: [{ type: 'text' as const, text: lines.join('\n') }], isError: true }
}

function tell(error: unknown, failure: Failure): Told {
  const fix = failure.writes ? `${LOOK_FIRST} ${ASK}` : `${REPEAT} ${ASK}`
  if (error instanceof Refusal) return tellRefusal(error, failure)
  if (error instanceof TookTooLong) {
    return { code: 'timeout', message: error.message, argument: '', fix }
  }
  return { code: 'internal_error', message: OUR_FAULT, argument: '', fix }
}

const OUR_FAULT = 'Postroom could not finish this call; the fault is not in the arguments.'
const LOOK_FIRST = 'It may have been done all the same: look before you repeat it.'
const REPEAT = 'Repeat the call.'
const ASK = 'If it fails again, give the ref to the operator, whose log has the cause.'

function tellRefusal(error: Refusal, failure: Failure): Told {
  const { fields = {} } = failure
  const details = error.details.map(({ field, message }) => {
    const [name = '', ...inner] = field.split('.')
    const own = fields[name] ?? name
    return { own, line: `${[own, ...inner].join('.')}: ${message}` }
  })
  const listed = error.code === 'validation_failed' && details.length > 0
  return {
    code: error.code,
    message: listed ? details.map(({ line }) => line).join('; ') : error.message,
    argument: argumentsOf(error, failure).join(', '),
    fix: error.fix,
  }
}

/** Which arguments to change: those that the details name, else those whose value the refusal speaks of. */
function argumentsOf(error: Refusal, { fields = {}, given, conflict, ...rest }: Failure): string[] {
  const isOurs = (name: string) => rest.arguments.includes(name)
  const holding = (fits: (value: string) => boolean) =>
    Object.keys(given).filter((name) => valuesOf(given[name]).some(fits))
  const named = error.details.flatMap(({ field, message }) => {
    const [name = ''] = field.split('.')
    const own = fields[name] ?? name
    // A refused recipient is found where its address was written; in a reply nobody wrote it.
    const written = isOurs(name) ? [] : holding((value) => holdsAddress(value, message))
    return written.length > 0 ? written : [own]
  })
  const ours = [...new Set(named)].filter(isOurs)
  if (ours.length > 0) return ours
  const spoken = holding((value) => speaksOf(error.message, value))
  if (spoken.length > 0) return spoken
  return error instanceof Conflict && conflict !== undefined ? [conflict] : []
}

const valuesOf = (value: unknown) =>
  (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string')

/** Refusals cut long values. */
const QUOTED_LENGTH = 40
const ID = /^[a-z]{3}_[0-9a-z]{26}$/

/** Ids stand in refusals as they are, other values in quotation marks. */
const speaksOf = (message: string, value: string) =>
  message.includes(ID.test(value) ? value : JSON.stringify(value).slice(0, QUOTED_LENGTH))

/** "a@b.example" in itself and in "Name <a@b.example>". */
function holdsAddress(value: string, email: string): boolean {
  const written = value.toLowerCase().trim()
  return email.includes('@') && (written === email || written.endsWith(`<${email}>`))
}

function oneLine(text: string): string {
  const line = visible(text).text.replace(/\s+/gu, ' ').trim()
  return line.length > MESSAGE_LENGTH ? `${line.slice(0, MESSAGE_LENGTH)}…` : line
}
