import { expect, test } from 'vitest'
import { z } from 'zod'
import { nearest } from '../../src/doors/nearest.ts'
import { problemsOf } from '../../src/doors/problems.ts'
import { addressesInput } from '../../src/engine/addresses.ts'
import { flag, pageInput } from '../../src/engine/page.ts'

const schema = z.strictObject({
  to: addressesInput,
  subject: z.string().min(1).max(5).optional(),
  text_body: z.string().optional(),
  kind: z.enum(['a', 'b', 'c']).optional(),
  is_read: flag.optional(),
  before: z.coerce.date().optional(),
  entries: z.array(z.string()).max(2).optional(),
  limit: pageInput.limit,
})

function problems(value: object): Record<string, string> {
  const input = { to: 'a@example.com', ...value }
  const parsed = schema.safeParse(input)
  if (parsed.success) return {}
  const details = problemsOf(parsed.error, input, Object.keys(schema.shape))
  return Object.fromEntries(details.map(({ field, message }) => [field, message]))
}

test.each([
  [{}, {}],
  [{ to: undefined }, { to: 'is required' }],
  [{ to: 5 }, { to: 'must be a text, an object or a list' }],
  [
    { to: [{ emial: 'a@b.c' }] },
    { 'to.0.emial': 'is not known here; did you mean email?', 'to.0.email': 'is required' },
  ],
  [{ to: { email: 3 } }, { 'to.email': 'must be a text' }],
  [{ subject: 7 }, { subject: 'must be a text' }],
  [{ subject: '' }, { subject: 'must not be empty' }],
  [{ subject: 'longer' }, { subject: 'must have at most 5 characters' }],
  [{ textBody: 'x' }, { textBody: 'is not known here; did you mean text_body?' }],
  [{ body: 'x' }, { body: 'is not known here; did you mean text_body?' }],
  [{ subjct: 'x' }, { subjct: 'is not known here; did you mean subject?' }],
  [
    { zzzzzz: 'x' },
    {
      zzzzzz:
        'is not known here; there is to, subject, text_body, kind, is_read, before, entries, limit',
    },
  ],
  [{ kind: 'd' }, { kind: 'must be a, b or c' }],
  [{ is_read: 'yes' }, { is_read: 'must be true or false' }],
  [{ before: 'never' }, { before: 'must be an ISO 8601 time like 2026-01-31T09:30:00Z' }],
  [{ entries: ['a', 'b', 'c'] }, { entries: 'must have at most 2 entries' }],
  [{ entries: ['a', 3] }, { 'entries.1': 'must be a text' }],
  [{ limit: 'many' }, { limit: 'must be a number' }],
  [{ limit: '1.5' }, { limit: 'must be a whole number' }],
  [{ limit: '0' }, { limit: 'must be at least 1' }],
  [{ limit: '101' }, { limit: 'must be at most 100' }],
])('%j', (value, expected) => expect(problems(value)).toEqual(expected))

test('every wrong field is named at once, also one that is called __proto__', () => {
  const input = JSON.parse('{"to": 5, "subject": 7, "__proto__": {"admin": true}}')
  expect(Object.keys(problems(input)).sort()).toEqual(['__proto__', 'subject', 'to'])
})

test('a word far from every name is not guessed at', () => {
  expect(nearest('webhok', ['webhook_url'])).toBeUndefined()
  expect(nearest('webhookUrl', ['webhook_url'])).toBe('webhook_url')
  expect(nearest('offst', ['limit', 'offset'])).toBe('offset')
})
