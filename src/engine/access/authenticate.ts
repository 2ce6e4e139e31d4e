// From a key to a caller.

import { type Caller, SCOPES, type Scope } from '../caller.ts'
import { NotFound, Unauthorized } from '../errors.ts'
import type { InboxId, KeyId, OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import { hashKey, isKeyForm } from './key.ts'

interface KeyRow {
  org_id: OrgId
  id: KeyId
  name: string
  scopes: Scope[]
  inbox_ids: InboxId[]
  all_inboxes: boolean
  agent: boolean
  expires_at: Date | null
  revoked_at: Date | null
}

/**
 * The caller behind an API key. The look-up is by the key's hash, so no comparison leaks how much of a guess was right.
 * Throws Unauthorized, saying whether the key is malformed, unknown, revoked or expired.
 */
export async function callerOf({ db, clock }: Pick<Engine, 'db' | 'clock'>, key: string) {
  if (!isKeyForm(key)) throw new Unauthorized('A key has the form ait_ and a UUID.')
  const [row] = await db.query<KeyRow>(
    `SELECT k.org_id, k.id, k.name, k.scopes, k.inbox_ids, k.all_inboxes, k.agent, k.expires_at, k.revoked_at
     FROM directory_key d JOIN api_keys k ON k.org_id = d.org_id AND k.id = d.key_id
     WHERE d.hash = $1`,
    [hashKey(key)],
    'caller_of',
  )
  if (row === undefined) throw new Unauthorized('This key is not known here.')
  if (row.revoked_at !== null) throw new Unauthorized('This key was revoked.')
  if (row.expires_at !== null && row.expires_at <= clock.now()) {
    throw new Unauthorized(`This key expired on ${row.expires_at.toISOString()}.`)
  }
  return asCaller(row)
}

/** Whoever holds the data folder or the database itself: a person who may do everything in the first organization. */
export async function operatorOf({ db }: Pick<Engine, 'db'>): Promise<Caller> {
  const [row] = await db.query<{ id: OrgId }>(
    'SELECT id FROM organizations ORDER BY created_at, id LIMIT 1',
  )
  if (row === undefined) {
    throw new NotFound('organization', 'first', { fix: 'Start the server once: postroom serve.' })
  }
  return {
    orgId: row.id,
    keyId: null,
    name: 'operator',
    scopes: SCOPES,
    inboxIds: null,
    agent: false,
  }
}

function asCaller(row: KeyRow): Caller {
  return {
    orgId: row.org_id,
    keyId: row.id,
    name: row.name,
    scopes: row.scopes,
    inboxIds: row.all_inboxes ? null : row.inbox_ids,
    agent: row.agent,
  }
}

/** The agent of the first organization: who calls over stdio without a key. */
export async function firstAgent({ db }: Pick<Engine, 'db'>): Promise<Caller> {
  const [row] = await db.query<KeyRow>(
    `SELECT k.* FROM api_keys k
     WHERE k.org_id = (SELECT id FROM organizations ORDER BY created_at, id LIMIT 1)
       AND k.agent AND k.revoked_at IS NULL
     ORDER BY k.created_at, k.id LIMIT 1`,
  )
  if (row === undefined) {
    throw new Unauthorized('The agent key of the first organization is gone.', {
      fix: 'Make one: postroom keys create --name agent --agent --scopes inbox:read,inbox:write,email:read,email:write,email:send',
    })
  }
  return asCaller(row)
}
