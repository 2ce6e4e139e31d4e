import { expect, test } from 'vitest'
import type { Objection } from '../../../src/engine/send/policy.ts'
import { verdictOf } from '../../../src/engine/send/verdict.ts'
import { inWords } from '../../../src/engine/send/words.ts'

const inbox = {
  id: 'inb_1' as const,
  address: 'support@x.test',
  send_policy: 'open' as const,
}
const settings = { agentSendPolicy: 'review-new' as const }
const blocked = { effect: 'deny' as const, because: 'blocked' as const }
const fresh = { effect: 'review' as const, because: 'new_recipient' as const }
const everybody = { effect: 'review' as const, because: 'agent_send_policy' as const }

function reasonsOf(outbound: string, ...objections: Omit<Objection, 'recipients'>[]) {
  const recipients = ['ann@example.com']
  const findings = objections.map((one) => inWords({ ...one, recipients }, { inbox, settings }))
  const verdict = verdictOf(findings, outbound)
  return { kind: verdict.kind, reasons: verdict.reasons ?? [] }
}

test('whoever wrote without DMARC pass is told to be unproven, not new', () => {
  const [reason] = reasonsOf('relay', fresh).reasons
  expect(reason?.message).toContain('ann@example.com: not proven in this thread')
  expect(reason?.message).toContain('DMARC')
  expect(reason?.message).not.toContain('new to this thread')
})

test.each([fresh, everybody])('what waits by $because asks for the user', (objection) => {
  const { kind, reasons } = reasonsOf('relay', objection)
  expect(kind).toBe('review')
  expect(reasons[0]?.fix).toMatch(/^Tell your user: a person approves it\. /)
})

test('what is refused asks for no approval, since nothing waits', () => {
  const { kind, reasons } = reasonsOf('relay', blocked, fresh)
  expect([kind, reasons.map(({ code }) => code)]).toEqual(['deny', ['blocked', 'new_recipient']])
  for (const { fix } of reasons) expect(fix).not.toMatch(/Tell your user|approves it/)
})

test.each([fresh, everybody])('nor does what is kept in dry-run, by $because', (objection) => {
  const { kind, reasons } = reasonsOf('dry-run', objection)
  expect([kind, reasons.length]).toEqual(['allow', 1])
  expect(reasons[0]?.fix).toMatch(/^To let such mail go by itself, /)
  expect(reasons[0]?.fix).not.toMatch(/Tell your user|approves it/)
})
