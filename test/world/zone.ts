/** Records of a domain as its owner puts them into the DNS. */
import type { Zone } from './dns.ts'

interface DnsRecord {
  type: 'CNAME' | 'TXT' | 'MX'
  name: string
  value: string
  priority?: number | undefined
  /** What has to stand where a CNAME points. */
  target?: { name: string; value: string } | undefined
}

/** RFC 1035 §3.3: what one string of a record holds. */
const MAX_STRING = 255

export function publishRecord(zones: Map<string, Zone>, record: DnsRecord): void {
  switch (record.type) {
    case 'CNAME':
      put(zones, record.name, { CNAME: record.value })
      if (record.target) put(zones, record.target.name, { TXT: [stringsOf(record.target.value)] })
      return
    case 'MX':
      put(zones, record.name, {
        MX: [{ exchange: record.value, preference: record.priority ?? 0 }],
      })
      return
    case 'TXT':
      put(zones, record.name, { TXT: [stringsOf(record.value)] })
  }
}

export const stringsOf = (value: string): string[] => [
  ...(value.match(new RegExp(`.{1,${MAX_STRING}}`, 'g')) ?? []),
]

const put = (zones: Map<string, Zone>, name: string, more: Zone) =>
  zones.set(name, { ...zones.get(name), ...more })
