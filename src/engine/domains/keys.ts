// DKIM keys: made here, the private part sealed before it is stored. RFC 6376 §3.3, RFC 8301.
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { DomainId, OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import type { DomainKeyRow } from './domain.ts'

/** RFC 8301 §3.2: at least 1024, better 2048; more does not fit into one datagram. Ed25519 (RFC 8463) is verified by few. */
const KEY_BITS = 2048

/** One signs, one has signed, one is published for the next. */
export const SELECTORS = ['postroom1', 'postroom2', 'postroom3'] as const

interface Owner {
  org_id: OrgId
  domain_id: DomainId
}

const generate = promisify(generateKeyPair)

export async function newKey(
  { secrets }: Pick<Engine, 'secrets'>,
  owner: Owner,
  selector: string,
  now: Date,
): Promise<DomainKeyRow> {
  const { privateKey, publicKey } = await generate('rsa', {
    modulusLength: KEY_BITS,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  })
  const row = { org_id: owner.org_id, domain_id: owner.domain_id, selector }
  return {
    ...row,
    private_key: secrets.seal(privateKey, placeOf(row)),
    public_key: publicKey.toString('base64'),
    signs: false,
    published_at: null,
    retired_at: null,
    created_at: now,
  }
}

/** The first of the three signs. */
export async function newKeys(parts: Pick<Engine, 'secrets'>, owner: Owner, now: Date) {
  const keys = await Promise.all(SELECTORS.map((selector) => newKey(parts, owner, selector, now)))
  return keys.map((key, n) => ({ ...key, signs: n === 0 }))
}

/** The private key in PEM; undefined where it was sealed with a key that this server does not have. */
export function openKey(
  { secrets }: Pick<Engine, 'secrets'>,
  key: Pick<DomainKeyRow, 'org_id' | 'domain_id' | 'selector' | 'private_key'>,
): string | undefined {
  return secrets.open(key.private_key, placeOf(key))
}

/** A sealed key that is moved to another row does not open. */
const placeOf = ({ org_id, domain_id, selector }: Owner & { selector: string }) =>
  `dkim ${org_id} ${domain_id} ${selector}`
