// Checking a domain: what the DNS holds now, what that makes of the domain, and who is told of it.
import { newAudit } from '../audit.ts'
import type { Caller } from '../caller.ts'
import { Conflict } from '../errors.ts'
import { newEvent } from '../events.ts'
import type { Engine } from '../ports.ts'
import { type Findings, lookUp } from './check/check.ts'
import type { Finding, KeyedDomain } from './domain.ts'
import { statusAfter } from './judge.ts'
import { findingKey } from './records.ts'
import { renewRetired } from './rotate.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'dns' | 'secrets' | 'settings' | 'jobs'>

/**
 * Looks the records up and writes down what was found. The first organization whose keys are published holds the
 * name; throws Conflict where another one of this server does.
 * @param by who wants to know now; null for the daily check, which is patient
 */
export async function checkDomain(
  parts: Parts,
  known: KeyedDomain,
  by: Caller | null,
): Promise<void> {
  const domain = await renewRetired(parts, known)
  const findings = await lookUp(parts, domain)
  const now = parts.clock.now()
  const keyFinding = (selector: string) => findings[findingKey(selector)]
  const after = statusAfter(domain, findings, keyFinding, { now, asked: by !== null })
  const checked = { ...domain, ...after, findings, now, by }
  if (await write(parts, checked)) parts.jobs.wake()
}

interface Checked extends KeyedDomain {
  failingSince: Date | null
  findings: Findings
  now: Date
  by: Caller | null
}

/** Returns whether there is news. */
async function write({ db }: Parts, checked: Checked): Promise<boolean> {
  const { org_id, id, status, findings, now, failingSince } = checked
  const seen = (state: Finding['status'][]) =>
    checked.keys
      .filter(({ selector }) => state.includes(findings[findingKey(selector)]?.status ?? 'unknown'))
      .map(({ public_key }) => public_key)
  return db.prisma.$transaction(async (tx) => {
    const before = await tx.domains.findUnique({ where: { org_id_id: { org_id, id } } })
    if (before === null) return false
    if (status === 'verified') await hold(tx, checked)
    await tx.domains.update({
      where: { org_id_id: { org_id, id } },
      data: {
        status,
        findings: findings as object,
        checked_at: now,
        failing_since: failingSince,
        ...(status === 'verified' && before.status !== 'verified' ? { verified_at: now } : {}),
      },
    })
    for (const [state, published_at] of [
      [['verified'], now],
      [['missing', 'wrong'], null],
    ] as const) {
      const where = { org_id, domain_id: id, public_key: { in: seen([...state]) } }
      await tx.domain_keys.updateMany({ where, data: { published_at } })
    }
    return before.status !== status && tellChange(tx, checked, before.status)
  })
}

type Transaction = Parameters<Parameters<Engine['db']['prisma']['$transaction']>[0]>[0]

async function tellChange(tx: Transaction, checked: Checked, before: string): Promise<boolean> {
  await note(tx, checked, before)
  const verified = checked.status === 'verified'
  if (verified) await tellVerified(tx, checked)
  return verified
}

/** The daily check is nobody's doing; its log says what it found. */
async function note(tx: Transaction, { id, domain, status, by, now }: Checked, before: string) {
  if (by === null) return
  const about = { inbox_id: null, ids: [id], detail: { domain, before, status }, undoes: null }
  const audit = newAudit(by, { ...about, action: 'domain.checked' }, now)
  await tx.$executeRaw`
    INSERT INTO audit SELECT * FROM jsonb_populate_record(NULL::audit, ${JSON.stringify(audit)}::jsonb)`
}

/** Says so in the log, and wakes the deliveries that wait for the domain. */
async function tellVerified(tx: Transaction, { org_id, id, domain, status, now }: Checked) {
  const data = { domain_id: id, domain, status }
  const event = newEvent('domain.verified', { orgId: org_id, inboxId: null, data }, now)
  const { id: eventId, event: name } = event
  await tx.$executeRaw`
    INSERT INTO events (org_id, id, event, data, created_at)
    VALUES (${org_id}, ${eventId}, ${name}, ${JSON.stringify(data)}::jsonb, ${now})`
  await tx.$executeRaw`
    UPDATE jobs SET run_at = ${now}
    WHERE org_id = ${org_id} AND payload ->> 'sender_domain' = ${domain}
      AND leased_until IS NULL AND run_at > ${now}`
}

/** A holder whose records are gone gives way to whom the DNS proves right. */
async function hold(tx: Transaction, { org_id, id, domain }: KeyedDomain): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM directory_domain d USING domains h
    WHERE d.name = ${domain} AND h.org_id = d.org_id AND h.id = d.domain_id
      AND h.org_id <> ${org_id} AND h.status <> 'verified' AND NOT h.is_mail_domain`
  await tx.$executeRaw`
    INSERT INTO directory_domain (name, org_id, domain_id) VALUES (${domain}, ${org_id}, ${id})
    ON CONFLICT (name) DO NOTHING`
  const holder = await tx.directory_domain.findUnique({ where: { name: domain } })
  if (holder?.domain_id === id) return
  throw new Conflict(`The domain ${domain} is in use by another organization of this server.`, {
    fix: 'Have it deleted there first, or ask whoever runs this server.',
  })
}
