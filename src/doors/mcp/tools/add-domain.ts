import { z } from 'zod'
import { addDomain } from '../../../engine/domains/operations.ts'
import { domainResult } from '../domain-row.ts'
import { tool } from '../tool.ts'

export const addDomainTool = tool({
  name: 'add_domain',
  toolset: 'admin',
  title: 'Add domain',
  description: ['Add a domain of yours; returns the DNS records to set.'],
  scope: 'org:admin',
  hints: { writes: true, idempotent: true },
  input: z.strictObject({ domain: z.string().describe('mail.example.com') }),
  aliases: { name: 'domain' },
  conflict: 'domain',
  async run({ engine, caller }, { domain }) {
    return { result: domainResult(await addDomain.run(engine, caller, { domain })) }
  },
})
