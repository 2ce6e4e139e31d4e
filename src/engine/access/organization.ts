// What an organization decides for all its inboxes.
import { z } from 'zod'
import { NotFound, ValidationFailed } from '../errors.ts'
import { operation } from '../operation.ts'
import { forgetRecent } from '../recent-addresses.ts'
import { readCaps } from '../send-caps.ts'

const MAX_CANARY_WORDS = 200
/** Shorter words stand in ordinary text. */
const SHORTEST_CANARY = 4
const LONGEST_CANARY = 200

const Organization = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  dmarc_policy: z.enum(['store', 'reject']),
  canary_words: z.array(z.string()),
  send_caps: z.string().nullable(),
})

const SHOWN = {
  id: true,
  name: true,
  slug: true,
  dmarc_policy: true,
  canary_words: true,
  send_caps: true,
} as const

/**
 * `dmarc_policy`: mail that fails DMARC where the author's domain asks for its rejection is stored, marked; or refused
 * with 550 5.7.1 (RFC 7489 §10.3). `canary_words`: a mail that holds one of them waits for a person. `send_caps`: how
 * much keys that are no agent's may send, in the notation of AGENT_CAPS; null: no caps.
 */
export const updateOrganization = operation({
  name: 'update_organization',
  summary:
    'Change the organization: its name, what is done with mail that fails DMARC, which words must not leave, how much may be sent.',
  scope: 'org:admin',
  reads: false,
  input: z.strictObject({
    org_id: z.string(),
    name: z.string().trim().min(1).max(200).optional(),
    dmarc_policy: z.enum(['store', 'reject']).optional(),
    canary_words: z
      .array(z.string().trim().min(SHORTEST_CANARY).max(LONGEST_CANARY))
      .max(MAX_CANARY_WORDS)
      .optional(),
    send_caps: z.string().trim().nullable().optional(),
  }),
  output: Organization,
  async run({ db }, caller, { org_id, name, dmarc_policy, canary_words, send_caps }) {
    if (org_id !== caller.orgId) throw new NotFound('organization', org_id)
    requireCaps(send_caps)
    const row = await db.prisma.organizations.update({
      where: { id: caller.orgId },
      data: {
        ...(name && { name }),
        ...(dmarc_policy && { dmarc_policy }),
        ...(canary_words && { canary_words: [...new Set(canary_words)] }),
        ...(send_caps !== undefined && { send_caps }),
      },
      select: SHOWN,
    })
    forgetRecent({ db })
    return Organization.parse(row)
  },
})

function requireCaps(text: string | null | undefined): void {
  if (typeof text !== 'string' || readCaps(text) !== undefined) return
  const message = 'must be some of N/m, N/d and Nnew/d, like "10/m,200/d,20new/d", or null'
  throw new ValidationFailed([{ field: 'send_caps', message }])
}
