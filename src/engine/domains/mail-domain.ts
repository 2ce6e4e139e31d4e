// POSTROOM_MAIL_DOMAIN as a domain with keys and records: it belongs to the first organization.
import { Conflict } from '../errors.ts'
import type { OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import { makeDomain } from './add.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'secrets' | 'settings'>

/** Makes its row and keys where they are missing. A mail domain of before stays one: addresses on it go on. */
export async function keepMailDomain(parts: Parts): Promise<void> {
  const { db, settings } = parts
  const orgId = await firstOrganization(parts)
  if (orgId === undefined) return
  await makeDomain(parts, { orgId, domain: settings.mailDomain, isMailDomain: true, by: null })
  await db.query(
    `WITH vouched AS (
       UPDATE domains SET is_mail_domain = true
       WHERE org_id = $1 AND domain = $2 AND NOT is_mail_domain RETURNING org_id, id, domain
     )
     INSERT INTO directory_domain (name, org_id, domain_id) SELECT domain, org_id, id FROM vouched
     ON CONFLICT (name) DO NOTHING`,
    [orgId, settings.mailDomain],
  )
}

/** Nobody's but the operator's: the mail domain, and what lies below it, where organizations have their addresses. */
export async function refuseMailDomain(
  parts: Parts,
  { orgId, domain }: { orgId: OrgId; domain: string },
): Promise<void> {
  const { mailDomain } = parts.settings
  const below = domain.endsWith(`.${mailDomain}`)
  if (domain !== mailDomain && !below) return
  const own = (await firstOrganization(parts)) === orgId
  if (own && !(below && (await isSlug(parts, domain)))) return
  throw new Conflict(`${domain} is part of this server's own mail domain, ${mailDomain}.`, {
    fix: 'Name a domain of yours.',
  })
}

async function isSlug({ db, settings }: Parts, domain: string): Promise<boolean> {
  const slug = domain.slice(0, -settings.mailDomain.length - 1)
  const found = await db.query('SELECT 1 FROM organizations WHERE slug = $1', [slug])
  return found.length > 0
}

export async function firstOrganization({ db }: Pick<Engine, 'db'>): Promise<OrgId | undefined> {
  const [first] = await db.query<{ id: OrgId }>(
    'SELECT id FROM organizations ORDER BY created_at, id LIMIT 1',
  )
  return first?.id
}
