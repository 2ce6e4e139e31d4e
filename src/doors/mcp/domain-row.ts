// A domain with its DNS records, as a model is shown it.
import type { z } from 'zod'
import type { Domain } from '../../engine/domains/domain.ts'
import { filled, type JsonObject } from './answer.ts'

export function domainResult(domain: z.infer<typeof Domain>): JsonObject {
  return {
    domain_id: domain.id,
    domain: domain.domain,
    status: domain.status,
    records: domain.dns_records.map(({ purpose, type, name, value, priority, status, fix }) =>
      filled({ purpose, type, name, value, priority, status, fix }),
    ),
  }
}
