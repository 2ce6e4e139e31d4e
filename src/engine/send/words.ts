// What a policy has against a mail, in words that name the setting and the way to mend it.
import type { InboxRow } from '../inboxes/inbox.ts'
import type { Settings } from '../ports.ts'
import type { Objection } from './policy.ts'
import type { Finding } from './verdict.ts'

interface About {
  inbox: Pick<InboxRow, 'id' | 'address' | 'send_policy'>
  settings: Pick<Settings, 'agentSendPolicy'>
}

type Words = Pick<Finding['reason'], 'message'> & { fix: string; whileHeld?: string }

const ASK = 'Tell your user: a person approves it.'

export function inWords(objection: Objection, about: About): Finding {
  const { effect, because, recipients } = objection
  const { message, fix, whileHeld } = wordsOf(objection, about)
  const people = recipients.join(', ')
  const reason = { code: because, message: `${people}: ${message}`, fix, recipients }
  return { effect, reason, ...(whileHeld === undefined ? {} : { whileHeld }) }
}

function wordsOf({ because, effect }: Objection, { inbox, settings }: About): Words {
  const allowList = `have a person with org:admin add the address or its domain to the allow-list (PUT /v1/agent/inboxes/${inbox.id}/lists/allow)`
  const policy = `the send_policy of ${inbox.address} is "${inbox.send_policy}"`
  switch (because) {
    case 'blocked':
      return {
        message: `on the block-list of ${inbox.address}.`,
        fix: `Leave them out, or have a person with org:admin change the block-list (PUT /v1/agent/inboxes/${inbox.id}/lists/block).`,
      }
    case 'send_policy':
      return {
        message:
          effect === 'deny'
            ? `not allowed, since ${policy}.`
            : `a person must approve the mail, since ${policy}.`,
        fix:
          inbox.send_policy === 'allowlist'
            ? `Leave them out, or ${allowList}.`
            : `Have a person with org:admin change send_policy (PATCH /v1/agent/inboxes/${inbox.id}).`,
      }
    case 'agent_send_policy':
      return {
        message: `an agent does not write there without a person, since AGENT_SEND_POLICY is "${settings.agentSendPolicy}".`,
        whileHeld: ASK,
        fix: 'To let such mail go by itself, a person sets AGENT_SEND_POLICY to review-new or open.',
      }
    case 'new_recipient':
      return {
        message: `not proven in this thread (no mail of theirs there passed DMARC, and no person wrote to them in it), and an agent does not write there without a person, since AGENT_SEND_POLICY is "${settings.agentSendPolicy}".`,
        whileHeld: ASK,
        fix: `To let such mail go by itself, ${allowList}.`,
      }
  }
}
