import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { signatureHeaders } from '../../src/engine/notify/sign.ts'

interface Vector {
  secret: string
  id: string
  timestamp: number
  payload: string
  signature: string
}

const file = join(import.meta.dirname, '../../../shared/corpora/webhooks/vectors.json')

test.skipIf(!existsSync(file))('the Standard Webhooks libraries accept our signature', () => {
  const { sign } = JSON.parse(readFileSync(file, 'utf8')) as { sign: Vector }
  const at = new Date(sign.timestamp * 1000)
  const headers = signatureHeaders(sign.secret, { id: sign.id, at, body: sign.payload })
  expect(headers['webhook-signature']).toBe(sign.signature)
  expect(headers['webhook-timestamp']).toBe(String(sign.timestamp))
})
