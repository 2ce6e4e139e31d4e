// Changing the key that signs. Three selectors: one signs, the next is in the DNS already, the last one's mail is still under way.
import { newAudit } from '../audit.ts'
import type { Caller } from '../caller.ts'
import { Conflict } from '../errors.ts'
import type { Engine } from '../ports.ts'
import type { DomainKeyRow, KeyedDomain } from './domain.ts'
import { newKey } from './keys.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'secrets'>

/** Mail is tried for five days at most (RFC 5321 §4.5.4.1), and read soon after: until then its key stays in the DNS. */
const UNDER_WAY_MS = 7 * 86_400_000

/**
 * Lets the next published key sign from now on. Behind a CNAME the customer's zone stays as it is.
 * Throws Conflict where no further key is published.
 */
export async function rotateKeys(parts: Parts, known: KeyedDomain, by: Caller): Promise<void> {
  const domain = await renewRetired(parts, known)
  const next = nextKey(domain.keys)
  if (next === undefined) throw nothingNext(domain)
  const { db, clock } = parts
  const now = clock.now()
  const { org_id, id, domain: name } = domain
  const before = domain.keys.find(({ signs }) => signs)?.selector ?? null
  const detail = { domain: name, before, selector: next.selector }
  const about = { inbox_id: null, ids: [id], detail, undoes: null }
  const audit = newAudit(by, { ...about, action: 'domain.rotated' }, now)
  await db.query(TURN, [org_id, id, next.selector, before, now, JSON.stringify(audit)])
}

// Of two at once one finds the key signing that it is to relieve.
const TURN = `
  WITH relieved AS (
    UPDATE domain_keys SET signs = false, retired_at = $5
    WHERE org_id = $1 AND domain_id = $2 AND selector = $4 AND signs RETURNING 1
  ), noted AS (
    INSERT INTO audit SELECT a.* FROM jsonb_populate_record(NULL::audit, $6) AS a, relieved
  )
  UPDATE domain_keys SET signs = true
  WHERE org_id = $1 AND domain_id = $2 AND selector = $3 AND EXISTS (SELECT 1 FROM relieved)`

/** Published, and has never signed; in the order of the selectors, after the one that signs. */
function nextKey(keys: readonly DomainKeyRow[]): DomainKeyRow | undefined {
  const at = keys.findIndex(({ signs }) => signs)
  const inTurn = [...keys.slice(at + 1), ...keys.slice(0, Math.max(at, 0))]
  return inTurn.find(({ published_at, retired_at }) => published_at !== null && retired_at === null)
}

function nothingNext({ id, keys, domain }: KeyedDomain): Conflict {
  const waiting = keys.filter(({ signs, retired_at }) => !signs && retired_at === null)
  const fix =
    waiting.length > 0
      ? `Publish the record of ${waiting.map(({ selector }) => selector).join(' or ')}, then have it seen: POST /v1/organizations/…/domains/${id}/verify.`
      : 'Wait until seven days have passed since the key before was taken out of use: mail that it signed may still be under way.'
  return new Conflict(`${domain} has no other key that could sign.`, { fix })
}

/** Puts new keys where old ones are no longer needed. They sign nothing before their record was seen. */
export async function renewRetired(parts: Parts, domain: KeyedDomain): Promise<KeyedDomain> {
  const now = parts.clock.now()
  const old = domain.keys.filter(
    ({ signs, retired_at }) =>
      !signs && retired_at !== null && now.getTime() - retired_at.getTime() >= UNDER_WAY_MS,
  )
  if (old.length === 0) return domain
  const fresh = await Promise.all(old.map((key) => newKey(parts, key, key.selector, now)))
  for (const key of fresh) await replace(parts, key)
  const keys = domain.keys.map(
    (key) => fresh.find(({ selector }) => selector === key.selector) ?? key,
  )
  return { ...domain, keys }
}

/** Only one that was still retired: somebody else may have renewed it meanwhile. */
async function replace({ db }: Pick<Engine, 'db'>, key: DomainKeyRow): Promise<void> {
  const { org_id, domain_id, selector, private_key, public_key, created_at } = key
  await db.query(
    `UPDATE domain_keys SET private_key = $4, public_key = $5, created_at = $6,
       published_at = NULL, retired_at = NULL
     WHERE org_id = $1 AND domain_id = $2 AND selector = $3 AND retired_at IS NOT NULL`,
    [org_id, domain_id, selector, private_key, public_key, created_at],
  )
}
