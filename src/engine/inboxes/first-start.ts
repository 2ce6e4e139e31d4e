// The first start: an organization, a key for people and programs, a key for an agent, and an inbox to write to.
import { newId } from '../../platform/ids.ts'
import { SCOPES, type Scope } from '../access/caller.ts'
import { type KeyWish, keyRows } from '../access/keys.ts'
import type { Engine } from '../ports.ts'
import { inboxRow } from './create.ts'

const FIRST_SLUG = 'first'
const FIRST_INBOX = { username: 'hello', displayName: null, webhookUrl: null, clientId: null }
const AGENT_SCOPES: readonly Scope[] = [
  'inbox:read',
  'inbox:write',
  'email:read',
  'email:write',
  'email:send',
]

const LASTING = { inboxIds: null, interactive: false, expiresAt: null }
const EVERYTHING: KeyWish = { ...LASTING, name: 'first key', scopes: SCOPES, agent: false }
const AGENT: KeyWish = { ...LASTING, name: 'agent', scopes: AGENT_SCOPES, agent: true }

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
  const { prisma } = engine.db
  const now = engine.clock.now()
  const orgId = newId('org', now)
  const people = keyRows(
    orgId,
    { ...EVERYTHING, ...(firstKey === undefined ? {} : { key: firstKey }) },
    now,
  )
  const agent = keyRows(orgId, AGENT, now)
  const { settings } = engine
  const inbox = inboxRow(orgId, { ...FIRST_INBOX, domain: settings.mailDomain }, now)
  const organization = { id: orgId, name: 'First organization', slug: FIRST_SLUG, created_at: now }
  if ((await prisma.organizations.count()) > 0) return null
  try {
    await prisma.$transaction([
      prisma.organizations.create({ data: organization }),
      prisma.api_keys.createMany({ data: [people.row, agent.row] }),
      prisma.directory_key.createMany({ data: [people.found, agent.found] }),
      prisma.directory_address.create({
        data: { address: inbox.address, org_id: orgId, inbox_id: inbox.id },
      }),
      prisma.inboxes.create({ data: inbox }),
    ])
  } catch (error) {
    if ((await prisma.organizations.count()) > 0) return null
    throw error
  }
  return { firstKey: people.key, agentKey: agent.key, address: inbox.address }
}
