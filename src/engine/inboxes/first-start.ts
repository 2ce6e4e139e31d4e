// The first start: an organization, a key for people and programs, a key for an agent, and an inbox to write to.
import { newId } from '../../platform/ids.ts'
import { hashKey } from '../access/key.ts'
import { type KeyWish, makeKey } from '../access/keys.ts'
import { SCOPES, type Scope } from '../caller.ts'
import type { OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import { makeInbox } from './create.ts'

type Parts = Pick<Engine, 'db' | 'clock' | 'settings'>

/** Of ours alone on a PostgreSQL server. */
const ADVISORY_LOCK = 5_077_211_905
const FIRST_SLUG = 'first'
const FIRST_USERNAME = 'hello'
const AGENT_SCOPES: readonly Scope[] = [
  'inbox:read',
  'inbox:write',
  'email:read',
  'email:write',
  'email:send',
]

export interface FirstStart {
  /** The keys, shown this once; undefined where this start made none of that kind. */
  firstKey?: string
  agentKey?: string
  /** The inbox to write to, where it was made. */
  address?: string
}

export interface FirstStartOptions {
  /** POSTROOM_API_KEY: taken instead of making a key. */
  firstKey?: string | undefined
  /**
   * Whether somebody sees what this start says. A key that nobody sees is lost, so without a reader
   * the first key is left to the next start, and a key that was given is an agent's: it stands in
   * the configuration of an agent's program.
   */
  shown: boolean
}

/**
 * Makes what a new installation lacks; null where nothing was lacking. A start that was killed in the
 * middle is made up for by the next one.
 */
export async function firstStart(
  engine: Parts,
  options: FirstStartOptions = { shown: true },
): Promise<FirstStart | null> {
  return oneAtATime(engine, () => makeWhatIsMissing(engine, options))
}

/** Removes the keys that a start made and then could not show, so that the next one makes others. */
export async function takeBackKeys({ db }: Pick<Engine, 'db'>, made: FirstStart | null) {
  const hashes = [made?.firstKey, made?.agentKey].flatMap((key) => (key ? [hashKey(key)] : []))
  await db.query(
    `WITH gone AS (
       DELETE FROM directory_key WHERE hash = ANY($1) RETURNING org_id, key_id
     )
     DELETE FROM api_keys k USING gone g WHERE k.org_id = g.org_id AND k.id = g.key_id`,
    [hashes],
  )
}

/** Processes that start together on one PostgreSQL; the embedded database has one process. */
function oneAtATime<T>({ db }: Parts, work: () => Promise<T>): Promise<T> {
  if (db.embedded) return work()
  return db.prisma.$transaction(async (lock) => {
    await lock.$executeRaw`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`
    return work()
  })
}

async function makeWhatIsMissing(
  engine: Parts,
  { firstKey: given, shown }: FirstStartOptions,
): Promise<FirstStart | null> {
  const orgId = await firstOrganization(engine)
  const has = await whatThereIs(engine, orgId)
  const wanted = given === undefined ? {} : { key: given }
  const made: FirstStart = {}
  if (!has.agent_key) {
    const wish = { ...AGENT, ...(shown ? {} : wanted) }
    made.agentKey = (await makeKey(engine, orgId, wish)).key
  }
  if (!has.first_key && shown) {
    made.firstKey = (await makeKey(engine, orgId, { ...PEOPLE, ...wanted })).key
  }
  if (!has.inbox) made.address = await makeFirstInbox(engine, orgId)
  return Object.keys(made).length === 0 ? null : made
}

const COMMON = { inboxIds: null, interactive: false, expiresAt: null } as const
const PEOPLE: KeyWish = { ...COMMON, name: 'first key', scopes: SCOPES, agent: false }
const AGENT: KeyWish = { ...COMMON, name: 'agent', scopes: AGENT_SCOPES, agent: true }

async function firstOrganization({ db, clock }: Parts): Promise<OrgId> {
  const now = clock.now()
  await db.query(
    `INSERT INTO organizations (id, name, slug, created_at)
     SELECT $1, 'First organization', $2, $3 WHERE NOT EXISTS (SELECT FROM organizations)`,
    [newId('org', now), FIRST_SLUG, now],
  )
  const [first] = await db.query<{ id: OrgId }>(
    'SELECT id FROM organizations ORDER BY created_at, id LIMIT 1',
  )
  if (first === undefined) throw new Error('the organization just made is gone')
  return first.id
}

/** Revoked keys and deleted inboxes count: what a person took away does not come back. */
async function whatThereIs({ db }: Parts, orgId: OrgId) {
  const [found] = await db.query<{ first_key: boolean; agent_key: boolean; inbox: boolean }>(
    `SELECT EXISTS (SELECT FROM api_keys WHERE org_id = $1 AND NOT agent) AS first_key,
       EXISTS (SELECT FROM api_keys WHERE org_id = $1 AND agent) AS agent_key,
       EXISTS (SELECT FROM inboxes WHERE org_id = $1) AS inbox`,
    [orgId],
  )
  return found ?? { first_key: false, agent_key: false, inbox: false }
}

async function makeFirstInbox(engine: Parts, orgId: OrgId): Promise<string> {
  const { address } = await makeInbox(engine, orgId, {
    username: FIRST_USERNAME,
    domain: engine.settings.mailDomain,
    displayName: null,
    webhookUrl: null,
    clientId: null,
  })
  return address
}
