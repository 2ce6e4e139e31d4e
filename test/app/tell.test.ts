import { expect, test } from 'vitest'
import { tell } from '../../src/app/tell.ts'
import { Conflict, ValidationFailed } from '../../src/engine/errors.ts'

const WRONG = [{ field: 'username', message: 'is taken' }]

test.each([
  [
    new ValidationFailed(WRONG),
    'username: is taken. Correct what is named and run the command again.',
  ],
  [new ValidationFailed(WRONG, { fix: 'Take another.' }), 'username: is taken Take another.'],
  [new Conflict('It was sent.'), 'It was sent.'],
])('a refusal is told in words for a command line: %s', (error, words) => {
  let said = ''
  const output = {
    out: () => undefined,
    err: (text: string) => {
      said += text
    },
    bytes: async () => undefined,
  }
  expect(tell(error, output)).toBe(1)
  expect(said).toBe(`${words}\n`)
})
