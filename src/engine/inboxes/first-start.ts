// The first start: an organization, a key for people and programs, a key for an agent, and an inbox to write to.
import { newId } from '../../platform/ids.ts'
import type { Scope } from '../access/caller.ts'
import { SCOPES } from '../access/caller.ts'
import { makeKey } from '../access/keys.ts'
import type { OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import { makeInbox } from './create.ts'

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
  /** The keys, shown this once. */
  firstKey: string
  agentKey: string
  address: string
}

/**
 * Makes what a new installation needs; null where an organization is there already.
 * Two processes that start at once on one database make it once: the slug is unique.
 * @param firstKey POSTROOM_API_KEY, to be the first key instead of a new one
 */
export async function firstStart(
  engine: Pick<Engine, 'db' | 'clock' | 'settings'>,
  firstKey?: string,
): Promise<FirstStart | null> {
  const now = engine.clock.now()
  const [organization] = await engine.db.query<{ id: OrgId }>(
    `INSERT INTO organizations (id, name, slug, created_at)
     SELECT $1, 'First organization', $2, $3 WHERE NOT EXISTS (SELECT 1 FROM organizations)
     ON CONFLICT (slug) DO NOTHING RETURNING id`,
    [newId('org', now), FIRST_SLUG, now],
  )
  if (organization === undefined) return null
  const common = { inboxIds: null, interactive: false, expiresAt: null }
  const people = await makeKey(engine, organization.id, {
    ...common,
    name: 'first key',
    scopes: SCOPES,
    agent: false,
    ...(firstKey === undefined ? {} : { key: firstKey }),
  })
  const agent = await makeKey(engine, organization.id, {
    ...common,
    name: 'agent',
    scopes: AGENT_SCOPES,
    agent: true,
  })
  const inbox = await makeInbox(engine, organization.id, {
    username: FIRST_USERNAME,
    domain: engine.settings.mailDomain,
    displayName: null,
    webhookUrl: null,
    clientId: null,
  })
  return { firstKey: people.key, agentKey: agent.key, address: inbox.address }
}
