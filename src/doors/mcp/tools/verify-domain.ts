import { z } from 'zod'
import { verifyDomain } from '../../../engine/domains/operations.ts'
import { filled } from '../answer.ts'
import { domainResult } from '../domain-row.ts'
import { tool } from '../tool.ts'

export const verifyDomainTool = tool({
  name: 'verify_domain',
  toolset: 'admin',
  title: 'Check domain',
  description: ['Look the DNS records up now and say what is missing.'],
  scope: 'org:admin',
  hints: { writes: true, idempotent: true, open: true },
  input: z.strictObject({ domain_id: z.string().describe('Domain id or name.') }),
  aliases: { domain: 'domain_id' },
  conflict: 'domain_id',
  async run({ engine, caller }, { domain_id }) {
    const domain = await verifyDomain.run(engine, caller, { domain_id })
    return { result: { ...domainResult(domain), ...filled({ checked_at: domain.checked_at }) } }
  },
})
