// Making a domain: its name read strictly, its keys made, the row stored once.
import { getDomain } from 'tldts'
import { newId } from '../../platform/ids.ts'
import { readDomain } from '../addresses.ts'
import { newAudit } from '../audit.ts'
import type { Caller } from '../caller.ts'
import { Conflict, ValidationFailed } from '../errors.ts'
import type { OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import type { DomainRow, KeyedDomain } from './domain.ts'
import { newKeys } from './keys.ts'
import { withKeys } from './load.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'secrets'>

/** Each has three keys to be made and six records to be looked up. */
const MAX_DOMAINS = 100
/** Names that no zone of the public DNS can hold. RFC 6761, RFC 6762, RFC 7686, RFC 3172. */
const NOWHERE = /(^|\.)(localhost|invalid|local|onion|arpa|internal)$/

/** The name in lower case, international ones in their xn-- form. Throws ValidationFailed. */
export function domainName(text: string): string {
  const name = readDomain(text.trim().replace(/\.$/, ''))
  if (name === undefined)
    throw badName(`${JSON.stringify(text.slice(0, 80))} is not a domain like mail.example.com`)
  if (NOWHERE.test(name))
    throw badName(`${name} exists on this machine or network only, so nobody could look it up`)
  if (!name.includes('.') || getDomain(name) === null) {
    throw badName(`${name} belongs to everybody; name a domain of yours below it`)
  }
  return name
}

const badName = (message: string) => new ValidationFailed([{ field: 'domain', message }])

export interface Wish {
  orgId: OrgId
  domain: string
  isMailDomain: boolean
  /** Who wants it; null where the server makes its own. */
  by: Caller | null
}

/** The domain of that name; `created` is false where it was there already. Throws Conflict beyond 100 domains. */
export async function makeDomain(
  parts: Parts,
  wish: Wish,
): Promise<{ domain: KeyedDomain; created: boolean }> {
  const known = await find(parts, wish)
  if (known !== undefined) return { domain: known, created: false }
  await requireRoom(parts, wish)
  const created = await insert(parts, wish)
  const domain = await find(parts, wish)
  if (domain === undefined) throw new Conflict(`${wish.domain} was deleted while it was made.`)
  return { domain, created }
}

async function find({ db }: Parts, { orgId, domain }: Wish): Promise<KeyedDomain | undefined> {
  const rows = await db.query<DomainRow>(
    'SELECT * FROM domains WHERE org_id = $1 AND domain = $2',
    [orgId, domain],
  )
  return (await withKeys({ db }, orgId, rows))[0]
}

async function requireRoom({ db }: Parts, { orgId }: Wish): Promise<void> {
  const count = await db.prisma.domains.count({ where: { org_id: orgId } })
  if (count < MAX_DOMAINS) return
  throw new Conflict(
    `The organization has ${count} domains; more than ${MAX_DOMAINS} are not taken.`,
    {
      fix: 'Delete a domain that is no longer used.',
    },
  )
}

/** One statement: of two at once one makes it. The operator vouches for the mail domain, so its name is held at once. */
async function insert(parts: Parts, { orgId, domain, isMailDomain, by }: Wish): Promise<boolean> {
  const now = parts.clock.now()
  const id = newId('dom', now)
  const keys = await newKeys(parts, { org_id: orgId, domain_id: id }, now)
  const about = { inbox_id: null, ids: [id], detail: { domain }, undoes: null }
  const audit = by === null ? [] : [newAudit(by, { ...about, action: 'domain.added' }, now)]
  const made = await parts.db.query(
    `WITH made AS (
       INSERT INTO domains (org_id, id, domain, is_mail_domain, status, created_at)
       VALUES ($1, $2, $3, $4, 'pending', $5) ON CONFLICT (org_id, domain) DO NOTHING RETURNING id
     ), keys AS (
       INSERT INTO domain_keys
       SELECT k.* FROM jsonb_populate_recordset(NULL::domain_keys, $6) AS k, made
     ), held AS (
       INSERT INTO directory_domain (name, org_id, domain_id) SELECT $3, $1, id FROM made WHERE $4
       ON CONFLICT (name) DO NOTHING
     ), noted AS (
       INSERT INTO audit SELECT a.* FROM jsonb_populate_recordset(NULL::audit, $7) AS a, made
     )
     SELECT id FROM made`,
    [orgId, id, domain, isMailDomain, now, JSON.stringify(keys), JSON.stringify(audit)],
  )
  return made.length > 0
}
