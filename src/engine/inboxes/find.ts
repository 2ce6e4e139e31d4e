// Finding an inbox: by id or address for a caller, by address for a mail.

import { type Caller, seesInbox } from '../caller.ts'
import { NotFound, ValidationFailed } from '../errors.ts'
import type { Engine } from '../ports.ts'
import type { AddressFound } from '../recent-addresses.ts'
import type { InboxRow } from './inbox.ts'

type Db = Pick<Engine, 'db'>

/** The inbox a caller names by its id or its address. Throws NotFound also where it is another organization's or not the key's. */
export async function resolveInbox({ db }: Db, caller: Caller, ref: string): Promise<InboxRow> {
  const [row] = await db.query<InboxRow>(
    `SELECT * FROM inboxes WHERE org_id = $1 AND deleted_at IS NULL
       AND (id = $2 OR address = lower($2)) LIMIT 1`,
    [caller.orgId, ref],
    'resolve_inbox',
  )
  if (row === undefined || !seesInbox(caller, row.id)) throw new NotFound('inbox', ref)
  return row
}

/** The inboxes a caller sees, oldest first; at most 1,000. */
export function visibleInboxes({ db }: Db, caller: Caller): Promise<InboxRow[]> {
  return db.query<InboxRow>(
    `SELECT * FROM inboxes WHERE org_id = $1 AND deleted_at IS NULL
       AND ($2::text[] IS NULL OR id = ANY($2)) ORDER BY created_at, id LIMIT 1000`,
    [caller.orgId, caller.inboxIds],
  )
}

/** The inbox named, or the only one there is. Throws ValidationFailed that lists them where a choice is needed. */
export async function theInbox(engine: Db, caller: Caller, ref: string | undefined) {
  if (ref !== undefined) return resolveInbox(engine, caller, ref)
  const all = await visibleInboxes(engine, caller)
  const [only, another] = all
  if (only !== undefined && another === undefined) return only
  const choice = all.slice(0, 20).map(({ id, address }) => `${address} (${id})`)
  throw new ValidationFailed([
    {
      field: 'inbox_id',
      message: only === undefined ? 'there is no inbox' : `name one of ${choice.join(', ')}`,
    },
  ])
}

/** The ids a reading operation looks at: the inbox named, or all that the caller sees (null: the whole organization). */
export async function scopeOf(engine: Db, caller: Caller, ref: string | undefined) {
  if (ref === undefined) return caller.inboxIds
  const { id } = await resolveInbox(engine, caller, ref)
  return [id]
}

/**
 * Who receives mail for these addresses (lower case, without plus-tag). Unknown and retired ones are absent.
 * The directory leads to the organization, so this is one of the few look-ups that starts without one.
 */
export function findAddresses({ db }: Db, addresses: readonly string[]): Promise<AddressFound[]> {
  return db.query<AddressFound>(
    `SELECT d.address, d.org_id, d.inbox_id, i.is_active, o.dmarc_policy
     FROM directory_address d
     JOIN organizations o ON o.id = d.org_id
     JOIN inboxes i ON i.org_id = d.org_id AND i.id = d.inbox_id
     WHERE d.address = ANY($1) AND d.retired_at IS NULL AND i.deleted_at IS NULL`,
    [addresses],
    'find_addresses',
  )
}

/** support+tag@x reaches support@x (RFC 5233); addresses are compared in lower case. */
export function withoutTag(address: string): string {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  const plus = local.indexOf('+')
  return `${plus > 0 ? local.slice(0, plus) : local}${address.slice(at)}`.toLowerCase()
}
