import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createLog } from '../../src/platform/log.ts'

function captured(pretty: boolean, level = 'info') {
  const stream = new PassThrough()
  return {
    log: createLog({ level, stream, pretty }),
    read: () => stream.read()?.toString() ?? '',
  }
}

test('a line is one JSON object with its fields and those of its parent', () => {
  const { log, read } = captured(false)
  log.child({ inbox: 'inb_1' }).warn({ attempts: 2 }, 'delivery put off')
  expect(JSON.parse(read())).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    inbox: 'inb_1',
    attempts: 2,
    msg: 'delivery put off',
  })
})

test('lines below the level are dropped', () => {
  const { log, read } = captured(false, 'warn')
  log.info({}, 'quiet')
  log.debug({}, 'quiet')
  expect(read()).toBe('')
})

test('a secret among the fields is hidden', () => {
  const { log, read } = captured(false)
  log.info({ password: 'hunter2', request: { authorization: 'Bearer x' } }, 'seen')
  expect(read()).not.toMatch(/hunter2|Bearer x/)
})

test('for people the line is text and is written before the call returns', () => {
  const { log, read } = captured(true)
  log.info({ port: 2525 }, 'listening')
  const line = read()
  expect(line).toContain('listening')
  expect(line).not.toContain('"msg"')
})
