// A domain with its DNS records, as a model is shown it.
import type { z } from 'zod'
import type { Domain } from '../../engine/domains/domain.ts'
import { filled, type JsonObject } from './answer.ts'

/** The other records, with keys as long as a letter, only where a fix speaks of them. */
export function domainResult(domain: z.infer<typeof Domain>): JsonObject {
  return {
    domain_id: domain.id,
    domain: domain.domain,
    status: domain.status,
    records: domain.dns_records.map(({ alternative, target, ...record }) => {
      const { purpose, type, name, value, priority, status, fix } = record
      const spoken = fix === null ? {} : { alternative, target }
      return filled({ purpose, type, name, value, priority, status, fix, ...spoken })
    }),
  }
}
