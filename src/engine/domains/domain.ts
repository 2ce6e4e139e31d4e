// Domains of an organization: the rows, and what the outside sees of them.
import { z } from 'zod'
import type { DomainId, OrgId } from '../ids.ts'

export const DOMAIN_STATUSES = ['pending', 'verified', 'failed'] as const
export type DomainStatus = (typeof DOMAIN_STATUSES)[number]

/** `unknown`: the DNS could not be asked. */
export const RECORD_STATUSES = ['pending', 'verified', 'missing', 'wrong', 'unknown'] as const
export type RecordStatus = (typeof RECORD_STATUSES)[number]

export interface DomainRow {
  org_id: OrgId
  id: DomainId
  domain: string
  is_mail_domain: boolean
  status: DomainStatus
  /** By the record's key; `value` is what it ought to have been then. */
  findings: Record<string, Finding & { value: string }>
  checked_at: Date | null
  verified_at: Date | null
  failing_since: Date | null
  created_at: Date
}

/** What a check has seen of one record. */
export interface Finding {
  status: Exclude<RecordStatus, 'pending'>
  /** What to do; null where all is well. */
  fix: string | null
}

export interface DomainKeyRow {
  org_id: OrgId
  domain_id: DomainId
  selector: string
  /** PKCS #8 in PEM, sealed. */
  private_key: string
  /** SubjectPublicKeyInfo in base64, as `p=` holds it. RFC 6376 §3.6.1. */
  public_key: string
  signs: boolean
  published_at: Date | null
  retired_at: Date | null
  created_at: Date
}

/** A domain with its keys, by selector. */
export interface KeyedDomain extends DomainRow {
  keys: DomainKeyRow[]
}

const Txt = z.object({ type: z.literal('TXT'), name: z.string(), value: z.string() })

export const DnsRecord = z.object({
  purpose: z.enum(['dkim', 'mx', 'spf', 'dmarc']),
  type: z.enum(['CNAME', 'TXT', 'MX']),
  name: z.string(),
  value: z.string(),
  priority: z.number().optional(),
  status: z.enum(RECORD_STATUSES),
  fix: z.string().nullable(),
  /** What may stand there in place of the CNAME. */
  alternative: Txt.optional(),
  /** What has to stand where the CNAME points, in the zone of the mail domain. */
  target: Txt.optional(),
})
export type DnsRecord = z.infer<typeof DnsRecord>

export const Domain = z.object({
  id: z.string(),
  domain: z.string(),
  status: z.enum(DOMAIN_STATUSES),
  dns_records: z.array(DnsRecord),
  checked_at: z.string().nullable(),
  verified_at: z.string().nullable(),
  created_at: z.string(),
})
