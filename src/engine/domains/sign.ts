// Signing what leaves: with the key of the sender's domain, once its record has been seen in the DNS.
import { createPrivateKey } from 'node:crypto'
import type { DomainId, OrgId } from '../ids.ts'
import type { Engine, Settings } from '../ports.ts'
import { openKey } from './keys.ts'
import { dkimSignature } from './signature.ts'

type Parts = Pick<Engine, 'db' | 'log' | 'secrets' | 'settings'>

export interface Unsigned {
  orgId: OrgId
  /** The address in From, which is the envelope's too. */
  from: string
  /** Lines ended by CRLF. */
  raw: Uint8Array
}

interface SigningKey {
  org_id: OrgId
  domain_id: DomainId
  selector: string
  private_key: string
}

/** Relays that set a Message-ID and a Date of their own (Amazon SES does) would break a signature over them. */
const REWRITTEN_BY_RELAYS = ['message-id', 'date']

/**
 * The mail with a DKIM-Signature (RFC 6376) before it; as it was where its domain has no published key.
 * The same mail gives the same bytes at every attempt, until the domain's key is changed.
 */
export const signedMail = (parts: Parts, mail: Unsigned): Promise<Uint8Array> =>
  createSigner(parts)(mail)

/** The same for many mails: those that leave together look their key up once. */
export function createSigner(parts: Parts): (mail: Unsigned) => Promise<Uint8Array> {
  const asked = new Map<string, Promise<SigningKey | undefined>>()
  return async (mail) => {
    const domain = signingDomain(parts.settings, mail.from)
    const who = `${mail.orgId} ${domain}`
    const lookUp =
      asked.get(who) ?? keyOf(parts, mail.orgId, domain).finally(() => asked.delete(who))
    asked.set(who, lookUp)
    return signedWith(parts, mail, domain, await lookUp)
  }
}

async function signedWith(
  parts: Parts,
  mail: Unsigned,
  domain: string,
  key: SigningKey | undefined,
): Promise<Uint8Array> {
  if (key === undefined) return mail.raw
  const pem = openKey(parts, key)
  if (pem === undefined) {
    parts.log.error(
      { domain, selector: key.selector },
      'mail leaves unsigned: its DKIM key was encrypted with another key; POSTROOM_SECRET_KEY or secret.key must be that of the time it was made',
    )
    return mail.raw
  }
  const field = await dkimSignature(mail.raw, {
    domain,
    selector: key.selector,
    privateKey: createPrivateKey(pem),
    rewritten: parts.settings.outbound === 'relay' ? REWRITTEN_BY_RELAYS : [],
  })
  return Buffer.concat([Buffer.from(field, 'latin1'), mail.raw])
}

/** Organizations write from below the mail domain with its keys: aligned, since relaxed alignment is the rule. RFC 7489 §3.1.1. */
function signingDomain({ mailDomain }: Pick<Settings, 'mailDomain'>, from: string): string {
  const domain = from.slice(from.lastIndexOf('@') + 1).toLowerCase()
  return domain.endsWith(`.${mailDomain}`) ? mailDomain : domain
}

/** A domain of the organization's own goes before the mail domain, which is everybody's. */
async function keyOf(
  { db, settings }: Pick<Parts, 'db' | 'settings'>,
  orgId: OrgId,
  domain: string,
): Promise<SigningKey | undefined> {
  await db.quiet()
  const [key] = await db.query<SigningKey>(
    `SELECT k.org_id, k.domain_id, k.selector, k.private_key
     FROM directory_domain d JOIN domain_keys k ON k.org_id = d.org_id AND k.domain_id = d.domain_id
     WHERE d.name = $1 AND (d.org_id = $2 OR $3) AND k.signs AND k.published_at IS NOT NULL`,
    [domain, orgId, domain === settings.mailDomain],
    'dkim_key',
  )
  return key
}
