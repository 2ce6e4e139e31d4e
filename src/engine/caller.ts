// Who calls, and what they may see and do.
import { Forbidden } from './errors.ts'
import type { InboxId, KeyId, OrgId } from './ids.ts'

export const SCOPES = [
  'inbox:read',
  'inbox:write',
  'email:read',
  'email:write',
  'email:send',
  'review:resolve',
  'org:admin',
] as const
export type Scope = (typeof SCOPES)[number]

/** Scopes that no agent may hold: they decide what binds agents. */
export const PEOPLE_ONLY: readonly Scope[] = ['review:resolve', 'org:admin']

export interface Caller {
  orgId: OrgId
  keyId: KeyId | null
  /** Name of the key or the person, for the audit and the logs. */
  name: string
  scopes: readonly Scope[]
  /** The inboxes a key is limited to; null: all of the organization. */
  inboxIds: readonly InboxId[] | null
  /** True for keys made `agent: true` and for every call through the MCP door. */
  agent: boolean
}

/** `email:write` comes with `inbox:write` and with `email:send`. */
export function hasScope(caller: Pick<Caller, 'scopes'>, scope: Scope | 'any'): boolean {
  if (scope === 'any' || caller.scopes.includes(scope)) return true
  if (scope !== 'email:write') return false
  return caller.scopes.includes('inbox:write') || caller.scopes.includes('email:send')
}

/**
 * Throws Forbidden, naming the missing scope. A call may need several and asks for them one by one, so the key that
 * helps has this one beside those that led here.
 */
export function requireScope(caller: Caller, scope: Scope | 'any'): void {
  if (hasScope(caller, scope)) return
  const scopes = SCOPES.filter((one) => one === scope || caller.scopes.includes(one)).join(',')
  const forPeople = caller.agent && scope !== 'any' && PEOPLE_ONLY.includes(scope)
  throw new Forbidden(`This key lacks the scope ${scope}.`, {
    fix: `${forPeople ? 'Have a person do it, by a key of theirs' : 'Use a key'} with ${scope} too: postroom keys create --name NAME --scopes ${scopes}`,
  })
}

export function seesInbox(caller: Caller, inboxId: InboxId): boolean {
  return caller.inboxIds === null || caller.inboxIds.includes(inboxId)
}
