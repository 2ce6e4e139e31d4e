import { expect, test } from 'vitest'
import type { MessageId } from '../../../src/engine/ids.ts'
import { partWithAnswers } from '../../../src/engine/messages/rearrange/homes.ts'

const mail = (id: MessageId, evidence: string | null = null) => ({
  id,
  message_id_header: `<${id}@x>`,
  match_evidence: evidence,
})
const SUFFIX = '01jd0000000000000000000000'

test('mail that came since goes with what it answers, also over others that came since', () => {
  const messages = [
    mail('msg_a'),
    mail('msg_b'),
    mail('msg_c', '<msg_b@x>'),
    mail('msg_d', 'msg_c'),
    mail('msg_e', '<msg_a@x>'),
    mail('msg_f', '<never-seen@x>'),
  ]
  const part = partWithAnswers(messages, new Set(['msg_b']), new Set(['msg_a', 'msg_b']))
  expect(part).toEqual(['msg_b', 'msg_c', 'msg_d'])
})

test('what was there before stays where it was, whatever it answers', () => {
  const messages = [mail('msg_a'), mail('msg_b'), mail('msg_c', '<msg_b@x>')]
  const part = partWithAnswers(messages, new Set(['msg_b']), new Set(['msg_a', 'msg_b', 'msg_c']))
  expect(part).toEqual(['msg_b'])
})

test('an answer that was known by our signature goes with the mail that was signed', () => {
  const ours = mail(`msg_${SUFFIX}`)
  const byAddress = mail('msg_x', `support+t-${SUFFIX}0123456789@ours.test`)
  const byId = mail('msg_y', `<${SUFFIX}.0123456789abcdef@ours.test>`)
  const messages = [mail('msg_a'), ours, byAddress, byId]
  const part = partWithAnswers(messages, new Set([ours.id]), new Set(['msg_a', ours.id]))
  expect(part).toEqual([ours.id, 'msg_x', 'msg_y'])
})
