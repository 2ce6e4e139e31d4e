// Looks every record of a domain up and says what each lacks.
import type { Engine } from '../../ports.ts'
import type { DomainRow, Finding, KeyedDomain } from '../domain.ts'
import { openKey } from '../keys.ts'
import { findingKey, publishedValue, spfTerm, type Wanted, wantedRecords } from '../records.ts'
import { checkDkim } from './dkim.ts'
import { checkDmarc } from './dmarc.ts'
import { wrong } from './found.ts'
import { checkMx } from './mx.ts'
import { checkSpf } from './spf.ts'
import { spfPasses } from './spf-pass.ts'

type Parts = Pick<Engine, 'dns' | 'secrets' | 'settings'>
export type Findings = DomainRow['findings']

/** A finding for each wanted record. What was remembered of the DNS does not count. */
export async function lookUp(parts: Parts, domain: KeyedDomain): Promise<Findings> {
  const records = wantedRecords(domain, parts.settings)
  const findings = await Promise.all(
    records.map(async (record) => {
      const finding = await check(parts, domain, record)
      return [record.key, { ...finding, value: publishedValue(record) }] as const
    }),
  )
  return Object.fromEntries(findings)
}

function check(parts: Parts, domain: KeyedDomain, record: Wanted): Promise<Finding> {
  const { dns, settings } = parts
  switch (record.purpose) {
    case 'mx':
      return checkMx(dns, record)
    case 'spf': {
      const term = spfTerm(settings)
      const host = /^a:(.+)$/.exec(term)?.[1]
      const passes = async () =>
        host === undefined ? ('no' as const) : spfPasses(dns, domain.domain, host)
      return checkSpf(dns, record, term, passes)
    }
    case 'dmarc':
      return checkDmarc(dns, record, domain.domain)
    case 'dkim':
      return checkKey(parts, domain, record)
  }
}

async function checkKey(parts: Parts, domain: KeyedDomain, record: Wanted): Promise<Finding> {
  const key = domain.keys.find(({ selector }) => findingKey(selector) === record.key)
  if (key === undefined) throw new Error(`no key for ${record.name}`)
  if (openKey(parts, key) !== undefined) return checkDkim(parts.dns, record, key)
  return wrong(
    `The private part of ${record.name} was encrypted with another key than this server has: start it with the POSTROOM_SECRET_KEY or the secret.key of that time, or add the domain anew.`,
  )
}
