// What an organization decides for all its inboxes.
import { z } from 'zod'
import { NotFound } from '../errors.ts'
import { operation } from '../operation.ts'

const Organization = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  dmarc_policy: z.enum(['store', 'reject']),
})

/** `dmarc_policy`: mail that fails DMARC where the author's domain asks for its rejection is stored, marked; or refused with 550 5.7.1 (RFC 7489 §10.3). */
export const updateOrganization = operation({
  name: 'update_organization',
  summary: 'Change the organization: its name, and what is done with mail that fails DMARC.',
  scope: 'org:admin',
  reads: false,
  input: z.strictObject({
    org_id: z.string(),
    name: z.string().trim().min(1).max(200).optional(),
    dmarc_policy: z.enum(['store', 'reject']).optional(),
  }),
  output: Organization,
  async run({ db }, caller, { org_id, name, dmarc_policy }) {
    if (org_id !== caller.orgId) throw new NotFound('organization', org_id)
    const row = await db.prisma.organizations.update({
      where: { id: caller.orgId },
      data: { ...(name && { name }), ...(dmarc_policy && { dmarc_policy }) },
      select: { id: true, name: true, slug: true, dmarc_policy: true },
    })
    return Organization.parse(row)
  },
})
