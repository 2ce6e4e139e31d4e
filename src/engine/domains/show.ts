// A domain as the outside sees it.
import type { z } from 'zod'
import type { Domain, KeyedDomain } from './domain.ts'
import { type Place, shownRecord, wantedRecords } from './records.ts'

export function showDomain(domain: KeyedDomain, place: Place): z.infer<typeof Domain> {
  return {
    id: domain.id,
    domain: domain.domain,
    status: domain.status,
    dns_records: wantedRecords(domain, place).map((record) => shownRecord(record, domain.findings)),
    checked_at: domain.checked_at?.toISOString() ?? null,
    verified_at: domain.verified_at?.toISOString() ?? null,
    created_at: domain.created_at.toISOString(),
  }
}
