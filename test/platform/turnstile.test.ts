import { expect, test } from 'vitest'
import { createTurnstile } from '../../src/platform/turnstile.ts'

/** Work that notes when its turn came and holds it until told to leave. */
function queue(now: () => number) {
  const turnstile = createTurnstile(now)
  const order: string[] = []
  const enter = (name: string, urgent: boolean) =>
    turnstile.enter(urgent).then(() => void order.push(name))
  const leave = async () => {
    turnstile.leave()
    await Promise.resolve()
    await Promise.resolve()
  }
  return { turnstile, order, enter, leave }
}

test('urgent work goes ahead of what waits', async () => {
  const { order, enter, leave } = queue(() => 0)
  await enter('running', false)
  void enter('plain 1', false)
  void enter('plain 2', false)
  void enter('urgent', true)
  for (let i = 0; i < 3; i++) await leave()
  expect(order).toEqual(['running', 'urgent', 'plain 1', 'plain 2'])
})

test('work that waited long enough goes before the next urgent one', async () => {
  let now = 0
  const { order, enter, leave } = queue(() => now)
  await enter('running', true)
  void enter('plain', false)
  for (const name of ['urgent 1', 'urgent 2', 'urgent 3']) void enter(name, true)
  await leave()
  now = 10_000
  for (let i = 0; i < 3; i++) await leave()
  expect(order).toEqual(['running', 'urgent 1', 'plain', 'urgent 2', 'urgent 3'])
})

test('a backlog that waited long enough takes turns with urgent work', async () => {
  let now = 0
  const { order, enter, leave } = queue(() => now)
  await enter('running', false)
  for (const name of ['plain 1', 'plain 2', 'plain 3']) void enter(name, false)
  for (const name of ['urgent 1', 'urgent 2']) void enter(name, true)
  now = 10_000
  for (let i = 0; i < 5; i++) await leave()
  expect(order).toEqual(['running', 'urgent 1', 'plain 1', 'urgent 2', 'plain 2', 'plain 3'])
})

test('quiet waits for the end of urgent work, and for nothing else', async () => {
  const { turnstile, order, enter, leave } = queue(() => 0)
  await turnstile.quiet()
  await enter('plain', false)
  await turnstile.quiet()
  await leave()
  await enter('urgent', true)
  const quiet = turnstile.quiet().then(() => order.push('quiet'))
  await Promise.resolve()
  expect(order).toEqual(['plain', 'urgent'])
  await leave()
  await quiet
  expect(order).toEqual(['plain', 'urgent', 'quiet'])
})

test('quiet ends although urgent work never does', async () => {
  const { turnstile, enter } = queue(() => 0)
  await enter('urgent', true)
  await turnstile.quiet()
})
