// Which domains addresses can be made on, and which may be written from.
import { ValidationFailed } from '../errors.ts'
import type { DomainId, OrgId } from '../ids.ts'
import type { Engine, Settings } from '../ports.ts'
import type { DomainRow, DomainStatus } from './domain.ts'

type Parts = Pick<Engine, 'db' | 'settings'>

const NAMED = 10

/** The domain of a new inbox: the mail domain, or a verified one of the organization. Throws ValidationFailed. */
export async function domainForInbox(
  { db, settings }: Parts,
  orgId: OrgId,
  wanted: string | undefined,
): Promise<string> {
  const name = wanted?.trim().toLowerCase().replace(/\.$/, '') ?? settings.mailDomain
  if (name === settings.mailDomain) return name
  const rows = await db.query<{ id: DomainId; domain: string; status: DomainStatus }>(
    'SELECT id, domain, status FROM domains WHERE org_id = $1 ORDER BY domain',
    [orgId],
  )
  const found = rows.find(({ domain }) => domain === name)
  if (found?.status === 'verified') return name
  const message =
    found === undefined
      ? `inboxes can be made on ${choice(settings.mailDomain, rows)}`
      : `${name} is ${found.status === 'pending' ? 'not verified yet' : 'not verified any more'}: publish its DNS records and have them checked (POST /v1/organizations/${orgId}/domains/${found.id}/verify)`
  throw new ValidationFailed([{ field: 'domain', message }])
}

function choice(mailDomain: string, rows: readonly { domain: string; status: DomainStatus }[]) {
  const verified = rows
    .filter(({ domain, status }) => status === 'verified' && domain !== mailDomain)
    .map(({ domain }) => domain)
  if (verified.length === 0) return `${mailDomain} only, until a domain of yours is verified`
  return `${[mailDomain, ...verified.slice(0, NAMED)].join(', ')} only`
}

export interface Unusable {
  /** Goes after the address. */
  because: string
  fix: string
}

/** What the database knows of a domain that is written from. */
export type SenderDomain = Pick<DomainRow, 'id' | 'status' | 'is_mail_domain'>

/** Why nobody outside can be written to from this domain, said of an address on it; undefined where all is well. */
export async function unusableDomain(
  { db, settings }: Parts,
  orgId: OrgId,
  domain: string,
): Promise<Unusable | undefined> {
  const rows = isOperators(settings, domain)
    ? []
    : await db.query<SenderDomain>(
        'SELECT id, status, is_mail_domain FROM domains WHERE org_id = $1 AND domain = $2',
        [orgId, domain],
        'domain_usable',
      )
  return judgeSender(settings, { orgId, domain, row: rows[0] ?? null })
}

/** The same where the row is known already; `row` is null where the organization has no such domain. */
export function judgeSender(
  settings: Pick<Settings, 'mailDomain'>,
  { orgId, domain, row }: { orgId: OrgId; domain: string; row: SenderDomain | null },
): Unusable | undefined {
  // RFC 6761 §6.3: the world would refuse such a sender, and could not answer.
  if (`.${domain}`.endsWith('.localhost')) {
    return {
      because: 'exists on this machine only',
      fix: 'Set POSTROOM_MAIL_DOMAIN to a domain of yours and write from an inbox made on it, or leave OUTBOUND at dry-run.',
    }
  }
  if (isOperators(settings, domain)) return undefined
  if (row === null) {
    return {
      because: `stands on ${domain}, which is no domain of this organization`,
      fix: `Add it (POST /v1/organizations/${orgId}/domains {"domain": "${domain}"}), publish its DNS records and have them checked.`,
    }
  }
  if (row.status === 'verified' || row.is_mail_domain) return undefined
  return {
    because: `stands on ${domain}, whose DNS records are not as they have to be`,
    fix: `See what is missing and have it checked again: POST /v1/organizations/${orgId}/domains/${row.id}/verify.`,
  }
}

const isOperators = ({ mailDomain }: Pick<Settings, 'mailDomain'>, domain: string) =>
  domain === mailDomain || domain.endsWith(`.${mailDomain}`)
