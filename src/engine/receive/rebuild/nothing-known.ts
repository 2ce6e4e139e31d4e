// For reading a mail by itself: what other mails of its inbox say is not asked.
import type { Knowledge } from '../thread.ts'

export const NOTHING_KNOWN: Knowledge = {
  signedThreadOf: () => undefined,
  threadOf: () => undefined,
  factsOf: () => ({ hasOutbound: false, participants: new Set(), keptApartFrom: new Set() }),
  messageOf: () => null,
}
