import { expect, test } from 'vitest'
import { createTurns } from '../../../src/engine/receive/turns.ts'

test('turns come in the order in which they were asked for, each in a round of the event loop of its own', async () => {
  const turn = createTurns()
  let round = 0
  let counting = setImmediate(function count() {
    round += 1
    counting = setImmediate(count)
  })
  const seen: { name: string; round: number }[] = []
  const mails = ['first', 'second', 'third'].map(async (name) => {
    await turn()
    seen.push({ name, round })
  })
  await Promise.all(mails)
  clearImmediate(counting)
  expect(seen.map(({ name }) => name)).toEqual(['first', 'second', 'third'])
  expect(new Set(seen.map((mail) => mail.round)).size).toBe(3)
})

test('a queue that ran empty begins again', async () => {
  const turn = createTurns()
  await turn()
  await Promise.all([turn(), turn()])
  await expect(turn()).resolves.toBeUndefined()
})
