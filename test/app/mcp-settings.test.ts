import { expect, test } from 'vitest'
import { mcpSettings } from '../../src/app/mcp-settings.ts'

test.each([
  ['DATABASE_URL', 'postgresql://app:topsecret@db:5432/x', true],
  ['DATABASE_URL', 'postgresql://db:5432/x?user=app&password=topsecret', true],
  ['DATABASE_URL', 'postgresql://app@db:5432/x', false],
  ['SMTP_RELAY_URL', 'smtps://me:topsecret@relay.example', true],
  ['SMTP_RELAY_URL', 'smtp://relay.example:587', false],
  ['PUBLIC_URL', 'https://me:topsecret@mail.example.com', true],
  ['POSTROOM_SECRET_KEY', 'topsecret', true],
  ['SMTP_TLS_KEY', '/etc/mail/key.pem', false],
  ['HTTP_PORT', '8525', false],
])('%s=%s is hidden: %s', (name, value, hidden) => {
  expect(mcpSettings({ [name]: value }, { keptKey: false })).toEqual({
    env: { [name]: hidden ? `<your ${name}>` : value },
    hidden: hidden ? [name] : [],
  })
})

test("the first key is no agent's, and is not passed on", () => {
  const given = { POSTROOM_API_KEY: 'ait_x', POSTROOM_SECRET_KEY: 'topsecret' }
  expect(mcpSettings(given, { keptKey: true })).toEqual({ env: {}, hidden: [] })
})
