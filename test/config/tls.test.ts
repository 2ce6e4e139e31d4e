import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig, sayProblems } from '../../src/config.ts'
import { type Certificate, certificate } from '../world/certificate.ts'

let own: Certificate
let another: Certificate
let garbage: string

beforeAll(() => {
  own = certificate('mail.postroom.test')
  another = certificate('mail.example.com')
  garbage = join(own.paths.cert, '..', 'garbage.pem')
  writeFileSync(garbage, 'not a certificate')
})
afterAll(() => Promise.all([own.remove(), another.remove()]))

const saidAbout = (SMTP_TLS_CERT: string, SMTP_TLS_KEY: string) => {
  const reading = readConfig({ SMTP_TLS_CERT, SMTP_TLS_KEY })
  return reading.ok ? reading.config.smtp.tls : sayProblems(reading.problems)
}

test('a certificate and its key are read', () => {
  const { cert, key } = own
  expect(saidAbout(own.paths.cert, own.paths.key)).toEqual({ cert, key })
})

test.each([
  ['a key without its certificate', () => ['', own.paths.key], /SMTP_TLS_CERT is not set/],
  ['a certificate without its key', () => [own.paths.cert, ''], /SMTP_TLS_KEY is not set/],
  ['a file that is not there', () => ['/nowhere.pem', own.paths.key], /^SMTP_TLS_CERT=.*can read/],
  ['a folder', () => [own.paths.cert, '/'], /^SMTP_TLS_KEY=.*can read/],
  ['no certificate', () => [garbage, own.paths.key], /^SMTP_TLS_CERT=.*holds a certificate/],
  ['no key', () => [own.paths.cert, garbage], /^SMTP_TLS_KEY=.*private key/],
  ['the wrong way round', () => [own.paths.key, own.paths.cert], /^SMTP_TLS_CERT=/],
  ['the key of another', () => [own.paths.cert, another.paths.key], /^SMTP_TLS_KEY=.*belongs to/],
])('%s stops the start and names the variable', (_, paths, words) => {
  const [cert = '', key = ''] = paths()
  expect(saidAbout(cert, key)).toMatch(words)
})
