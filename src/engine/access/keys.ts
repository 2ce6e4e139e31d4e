// Making, listing and revoking API keys.
import { newId } from '../../platform/ids.ts'
import { type Caller, PEOPLE_ONLY, type Scope } from '../caller.ts'
import { Forbidden, NotFound, ValidationFailed } from '../errors.ts'
import type { InboxId, KeyId, OrgId } from '../ids.ts'
import { makePage, type PageInput, placeOf } from '../page.ts'
import type { Engine } from '../ports.ts'
import { hashKey, newKey, shownPrefix } from './key.ts'

export interface KeyWish {
  name: string
  scopes: readonly Scope[]
  inboxIds: readonly InboxId[] | null
  agent: boolean
  interactive: boolean
  expiresAt: Date | null
  /** A key to take instead of making one: POSTROOM_API_KEY on the first start. */
  key?: string
}

export interface KeyRow {
  org_id: OrgId
  id: KeyId
  prefix: string
  name: string
  scopes: Scope[]
  inbox_ids: InboxId[]
  all_inboxes: boolean
  agent: boolean
  interactive: boolean
  expires_at: Date | null
  revoked_at: Date | null
  created_at: Date
}

/** Nobody makes a key that may more than its maker, and no agent gets a scope that is for people. */
export function checkWish(maker: Caller, wish: KeyWish): void {
  const beyond = wish.scopes.filter((scope) => !maker.scopes.includes(scope))
  if (beyond.length > 0) {
    throw new Forbidden(`This key lacks ${beyond.join(', ')} itself and cannot give it on.`, {
      fix: 'Leave those scopes out, or make the key with one that has them.',
    })
  }
  const forPeople = wish.scopes.filter((scope) => wish.agent && PEOPLE_ONLY.includes(scope))
  if (forPeople.length > 0) {
    throw new ValidationFailed([
      { field: 'scopes', message: `an agent's key cannot have ${forPeople.join(', ')}` },
    ])
  }
  const unseen = (wish.inboxIds ?? []).filter((id) => maker.inboxIds?.includes(id) === false)
  if (unseen.length > 0 || (wish.inboxIds === null && maker.inboxIds !== null)) {
    throw new Forbidden('This key is limited to some inboxes and cannot make one that sees more.', {
      fix: `Name only inboxes of: ${maker.inboxIds?.join(', ')}.`,
    })
  }
}

/** A key, the row that keeps its hash, and the row that leads from the hash to it. */
export function keyRows(orgId: OrgId, wish: KeyWish, now: Date) {
  const key = wish.key ?? newKey()
  const row = {
    org_id: orgId,
    id: newId('key', now),
    hash: hashKey(key),
    prefix: shownPrefix(key),
    name: wish.name,
    scopes: [...wish.scopes],
    inbox_ids: [...(wish.inboxIds ?? [])],
    all_inboxes: wish.inboxIds === null,
    agent: wish.agent,
    interactive: wish.interactive,
    expires_at: wish.expiresAt,
    revoked_at: null,
    created_at: now,
  }
  return { key, row, found: { hash: row.hash, org_id: orgId, key_id: row.id } }
}

/** Stores a key's hash and where to find it. The key itself is returned and never kept. */
export async function makeKey(
  { db, clock }: Pick<Engine, 'db' | 'clock'>,
  orgId: OrgId,
  wish: KeyWish,
) {
  const { key, row, found } = keyRows(orgId, wish, clock.now())
  await db.prisma.$transaction([
    db.prisma.api_keys.create({ data: row }),
    db.prisma.directory_key.create({ data: found }),
  ])
  return { key, row }
}

export async function pageOfKeys({ db }: Pick<Engine, 'db'>, orgId: OrgId, page: PageInput) {
  const after = placeOf(page.cursor, 'key')
  const rows = await db.query<KeyRow>(
    `SELECT * FROM api_keys WHERE org_id = $1 AND revoked_at IS NULL
       AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
     ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5`,
    [orgId, after?.at ?? null, after?.id ?? null, page.limit + 1, page.offset],
  )
  const total = await db.prisma.api_keys.count({ where: { org_id: orgId, revoked_at: null } })
  return makePage(rows, page, total, (row) => ({ at: row.created_at, id: row.id }), showKey)
}

/** A revoked key stays as a row, so that it is never made again and logs can name it. */
export async function endKey(
  { db, clock }: Pick<Engine, 'db' | 'clock'>,
  orgId: OrgId,
  id: string,
) {
  const { count } = await db.prisma.api_keys.updateMany({
    where: { org_id: orgId, id, revoked_at: null },
    data: { revoked_at: clock.now() },
  })
  if (count === 0) throw new NotFound('key', id)
}

export const showKey = (row: KeyRow) => ({
  id: row.id,
  prefix: row.prefix,
  name: row.name,
  scopes: row.scopes,
  inbox_ids: row.all_inboxes ? null : row.inbox_ids,
  agent: row.agent,
  interactive: row.interactive,
  expires_at: row.expires_at?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
})
