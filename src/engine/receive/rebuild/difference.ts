// What another reading of the same bytes would change. Pure.
import { withoutNul } from '../../../platform/nul.ts'
import type { AttachmentRow, MessageRow } from '../../messages/message.ts'

/** The columns that follow from the bytes alone; ids, thread, state and verdicts of the time do not. */
export const PARSED_COLUMNS = [
  'from',
  'to',
  'cc',
  'reply_to',
  'subject',
  'text_body',
  'html_body',
  'new_text',
  'quoted',
  'hidden_text_removed',
  'codes',
  'links',
  'message_id_header',
  'in_reply_to',
  'references',
  'parse_status',
  'auto_reply',
  'bounce',
] as const satisfies readonly (keyof MessageRow)[]

const ATTACHMENT_COLUMNS = ['filename', 'content_type', 'size', 'inline', 'content_id'] as const

export interface Difference {
  field: string
  before: string
  after: string
}

/** The columns that differ; both as JSON. */
export function differences(before: MessageRow, after: MessageRow): Difference[] {
  return PARSED_COLUMNS.flatMap((field) => difference(field, before[field], after[field]))
}

/** One difference for the whole list: what a list holds is told by its order. */
export function attachmentDifference(
  before: readonly AttachmentRow[],
  after: readonly AttachmentRow[],
): Difference[] {
  const shown = (rows: readonly AttachmentRow[]) =>
    rows.map((row) => ATTACHMENT_COLUMNS.map((column) => row[column]))
  return difference('attachments', shown(before), shown(after))
}

function difference(field: string, before: unknown, after: unknown): Difference[] {
  const [was, is] = [canonical(before), canonical(after)]
  return was === is ? [] : [{ field, before: was, after: is }]
}

/** As it comes out of the database: jsonb sorts keys and drops what is undefined, and some characters are replaced. */
const canonical = (value: unknown): string =>
  JSON.stringify(JSON.parse(String(withoutNul(JSON.stringify(value, sortedKeys) ?? 'null'))))

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
