// Who sends a request: the key in its headers, asked anew each time so that a revoked key stops at once.
import { callerOf } from '../../engine/access/authenticate.ts'
import { type Caller, SCOPES } from '../../engine/caller.ts'
import { Unauthorized } from '../../engine/errors.ts'
import type { Engine } from '../../engine/ports.ts'

/** Throws Unauthorized. */
export function authenticate(engine: Engine, headers: Headers): Promise<Caller> {
  return callerOf(engine, keyOf(headers))
}

/** `Authorization: Bearer …` (RFC 6750 §2.1) or `x-api-key: …`. */
function keyOf(headers: Headers): string {
  const authorization = headers.get('authorization')
  const apiKey = headers.get('x-api-key')?.trim()
  if (authorization === null) {
    if (apiKey) return apiKey
    throw new Unauthorized('This needs a key and none was sent.')
  }
  const [, bearer] = /^bearer +(\S+)$/i.exec(authorization.trim()) ?? []
  if (bearer === undefined) throw new Unauthorized('Authorization must be "Bearer" and a key.')
  if (apiKey && apiKey !== bearer) {
    throw new Unauthorized('Authorization and x-api-key hold different keys; send one of them.')
  }
  return bearer
}

/**
 * The WWW-Authenticate of a 401: where a client learns how to get in (RFC 9728 §5.1).
 * @param resource the path of what was asked for, under which its metadata stand
 */
export function challengeFor(publicUrl: string, resource: '' | '/mcp'): string {
  const metadata = `${publicUrl}${METADATA_PATH}${resource}`
  return `Bearer resource_metadata="${metadata}", scope="${OFFERED_SCOPES.join(' ')}"`
}

export const METADATA_PATH = '/.well-known/oauth-protected-resource'

/** What a client should ask for: all that an agent may have. */
const OFFERED_SCOPES = SCOPES.filter((scope) => scope !== 'review:resolve' && scope !== 'org:admin')

/** RFC 9728 §2. Keys are made with `postroom keys create`, so no authorization server is named. */
export const metadataOf = (publicUrl: string, resource: '' | '/mcp') => ({
  resource: `${publicUrl}${resource}`,
  resource_name: 'Postroom',
  bearer_methods_supported: ['header'],
  scopes_supported: OFFERED_SCOPES,
})
