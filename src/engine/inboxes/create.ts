// Making an inbox: one statement takes the address in the directory and makes the row.
import { newId } from '../../platform/ids.ts'
import { Conflict, ValidationFailed } from '../errors.ts'
import type { OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import type { InboxRow } from './inbox.ts'
import { newWebhookSecret } from './webhook-secret.ts'

/** RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL_PART = 64
const LOCAL_PART = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/

export interface InboxWish {
  username: string
  domain: string
  displayName: string | null
  webhookUrl: string | null
  clientId: string | null
}

/** The local part as it is kept: lower case, letters, digits, dot, underscore and hyphen. Throws ValidationFailed. */
export function localPartOf(username: string): string {
  const local = username.trim().toLowerCase()
  if (LOCAL_PART.test(local) && !local.includes('..') && local.length <= MAX_LOCAL_PART)
    return local
  throw new ValidationFailed([
    {
      field: 'username',
      message: `${JSON.stringify(username.slice(0, MAX_LOCAL_PART))} cannot stand before the @: use 1 to ${MAX_LOCAL_PART} letters, digits, ".", "_" or "-", beginning and ending with a letter or digit`,
    },
  ])
}

/** The row of a new inbox. Throws ValidationFailed for a username that cannot stand before the @. */
export function inboxRow(orgId: OrgId, wish: InboxWish, now: Date) {
  const local = localPartOf(wish.username)
  return {
    org_id: orgId,
    id: newId('inb', now),
    address: `${local}@${wish.domain}`,
    local_part: local,
    domain: wish.domain,
    display_name: wish.displayName,
    webhook_url: wish.webhookUrl,
    webhook_secret: newWebhookSecret(),
    client_id: wish.clientId,
    created_at: now,
  }
}

/** Takes the address and makes the inbox. Throws Conflict where the address is taken or was retired. */
export async function makeInbox(
  { db, clock }: Pick<Engine, 'db' | 'clock'>,
  orgId: OrgId,
  wish: InboxWish,
): Promise<InboxRow> {
  const wanted = inboxRow(orgId, wish, clock.now())
  const [row] = await db.query<InboxRow>(
    `WITH wanted AS (
       SELECT * FROM jsonb_to_record($1) AS w (
         org_id text, id text, address text, local_part text, domain text, display_name text,
         webhook_url text, webhook_secret text, client_id text, created_at timestamptz)
     ), taken AS (
       INSERT INTO directory_address (address, org_id, inbox_id) SELECT address, org_id, id FROM wanted
       ON CONFLICT (address) DO NOTHING RETURNING 1
     )
     INSERT INTO inboxes (org_id, id, address, local_part, domain, display_name, webhook_url, webhook_secret, client_id, created_at)
     SELECT wanted.* FROM wanted, taken
     RETURNING *`,
    [JSON.stringify(wanted)],
  )
  if (row !== undefined) return row
  throw new Conflict(`The address ${wanted.address} is taken, or belonged to a deleted inbox.`, {
    fix: 'Choose another username; the list of inboxes shows the addresses that are yours.',
  })
}
