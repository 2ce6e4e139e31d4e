import { expect, test } from 'vitest'
import { headerOf } from '../../../../src/engine/receive/authenticate/header.ts'

const mail = (fields: number) => Buffer.from(`${'X-A: b\r\n'.repeat(fields)}\r\nbody`)

test('a header of 2,000 fields is read to its end', () => {
  const raw = mail(2_000)
  expect(headerOf(raw)).toMatchObject({ bodyStart: raw.length - 'body'.length })
})

test('of more fields the first 2,000 are read, and where the body starts is not known', () => {
  const { fields, bodyStart } = headerOf(mail(50_000))
  expect(fields).toHaveLength(2_000)
  expect(bodyStart).toBeUndefined()
})
