import { describe, expect, test } from 'vitest'
import { withoutClaims } from '../../../../src/engine/receive/authenticate/claims.ts'

const BEFORE = 'Received: from a\r\n\tby b\r\n'
const AFTER = 'From: a@example.test\r\n\r\nAuthentication-Results: mx.postroom.test; spf=pass\r\n'

const without = (field: string) =>
  withoutClaims(Buffer.from(`${BEFORE}${field}${AFTER}`), 'mx.postroom.test').toString()

describe('an Authentication-Results that claims our name is taken out', () => {
  test.each([
    'Authentication-Results: mx.postroom.test; spf=pass\r\n',
    'Authentication-Results: mx.postroom.test;\r\n\tspf=pass;\r\n dkim=pass\r\n',
    'Authentication-Results:\r\n mx.postroom.test; spf=pass\r\n',
    'AUTHENTICATION-RESULTS : MX.Postroom.Test. 1; spf=pass\r\n',
    'Authentication-Results: (a "comment (in one)) mx.postroom.test (x); spf=pass\r\n',
    'Authentication-Results: ((((((((((((x)))))))))))) mx.postroom.test; spf=pass\r\n',
    'Authentication-Results: ("b) mx.postroom.test; "spf=pass\r\n',
    'Authentication-Results: "mx.postroom\\.test"; spf=pass\r\n',
    'Authentication-Results: mx.postroom.test\r\n',
    'authentication-results: mx.postroom.test; none\n',
  ])('%j', (field) => expect(without(field)).toBe(`${BEFORE}${AFTER}`))

  test('all of them', () => {
    const field = 'Authentication-Results: mx.postroom.test; spf=pass\r\n'
    expect(without(`${field}X: y\r\n${field}`)).toBe(`${BEFORE}X: y\r\n${AFTER}`)
  })
})

describe('anything else stays as it came', () => {
  test.each([
    'Authentication-Results: mx.example.test; spf=pass\r\n',
    'Authentication-Results: mx.postroom.test.example.com; spf=pass\r\n',
    'Authentication-Results: (mx.postroom.test) other.test; spf=pass\r\n',
    'X-Authentication-Results: mx.postroom.test; spf=pass\r\n',
    'Subject: Authentication-Results: mx.postroom.test; spf=pass\r\n',
  ])('%j', (field) => {
    const raw = Buffer.from(`${BEFORE}${field}${AFTER}`)
    expect(withoutClaims(raw, 'mx.postroom.test')).toBe(raw)
  })
})
