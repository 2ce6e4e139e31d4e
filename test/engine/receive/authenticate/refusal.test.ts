import { describe, expect, test } from 'vitest'
import type { Authentication } from '../../../../src/engine/receive/authenticate/authenticate.ts'
import { decide } from '../../../../src/engine/receive/authenticate/refusal.ts'
import type { DmarcVerdict } from '../../../../src/engine/receive/authenticate/verdict.ts'

const FAILED: DmarcVerdict = {
  result: 'fail',
  policy: 'reject',
  testing: false,
  domain: 'bank.test',
  aligned: { spf: false, dkim: false },
}

const found = (dmarc: Partial<DmarcVerdict>): Authentication => ({
  spf: 'fail',
  dkim: 'none',
  dmarc: 'fail',
  arc: 'none',
  summary: 'fail',
  details: {
    from: ['a@bank.test'],
    spf: { result: 'fail', domain: 'bank.test', identity: 'mailfrom' },
    dkim: [],
    dmarc: { ...FAILED, ...dmarc },
    arc: { result: 'none', instance: 0, domain: '' },
  },
})

test('mail that fails where the domain asks for reject is refused, and told why', () => {
  expect(decide('reject', found({}))).toEqual({
    kind: 'reject',
    code: 550,
    text: '5.7.1 The DMARC policy of bank.test asks to reject mail that neither SPF nor DKIM vouches for',
  })
})

describe('everything else is stored', () => {
  test('where the organization stores', () =>
    expect(decide('store', found({}))).toEqual({ kind: 'store' }))

  test.each<Partial<DmarcVerdict>>([
    { policy: 'quarantine' },
    { policy: 'none' },
    { testing: true },
    { result: 'pass' },
    { result: 'temperror' },
    { result: 'permerror', policy: null },
  ])('%j', (dmarc) => expect(decide('reject', found(dmarc))).toEqual({ kind: 'store' }))
})
