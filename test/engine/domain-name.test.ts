import { domainToASCII, domainToUnicode } from 'node:url'
import { expect, it } from 'vitest'
import { toALabels, toULabels } from '../../src/engine/domain-name.ts'

it.each([
  'example.com',
  'localhost',
  'a-b.c--d.example',
  'Example.COM',
  'münchen.example',
  'xn--mnchen-3ya.example',
  'mail.xn--p1ai',
  // Each of these is an IPv4 address to a URL parser, or none at all.
  '127.0.0.1',
  '0x7f.1',
  'a.0x7f',
  'a..b',
  'under_score.example',
  'a b.example',
  '%61.example',
  '',
])('%j is written as node:url writes it', (domain) => {
  expect(toALabels(domain)).toBe(domainToASCII(domain))
  expect(toULabels(domain)).toBe(domainToUnicode(domain))
})
