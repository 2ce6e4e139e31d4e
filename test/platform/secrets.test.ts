import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { secretsIn } from '../../src/platform/secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('what was sealed opens again, also after a restart, and never looks the same twice', () => {
  const sealed = [1, 2].map(() => secretsIn(folder).seal('a secret ü', 'row 1'))
  expect(new Set(sealed).size).toBe(2)
  for (const one of sealed) {
    expect(one).not.toContain('secret')
    expect(secretsIn(folder).open(one, 'row 1')).toBe('a secret ü')
  }
})

test('the key is made once, for its owner alone', () => {
  secretsIn(folder)
  const { mode, mtimeMs } = statSync(join(folder, 'secret.key'))
  expect(mode & 0o777).toBe(0o600)
  secretsIn(folder)
  expect(statSync(join(folder, 'secret.key')).mtimeMs).toBe(mtimeMs)
})

test('a secret opens neither about something else, nor changed, nor with another key', () => {
  const secrets = secretsIn(folder)
  const sealed = secrets.seal('a secret', 'row 1')
  expect(secrets.open(sealed, 'row 2')).toBeUndefined()
  const [name, base64 = ''] = sealed.split('.')
  const bytes = Buffer.from(base64, 'base64')
  for (let n = 0; n < bytes.length; n++) {
    const changed = Buffer.from(bytes)
    changed[n] = (changed[n] ?? 0) ^ 1
    expect(secrets.open(`${name}.${changed.toString('base64')}`, 'row 1')).toBeUndefined()
  }
  expect(secretsIn(folder, randomBytes(32)).open(sealed, 'row 1')).toBe('a secret')
  rmSync(join(folder, 'secret.key'))
  expect(secretsIn(folder, randomBytes(32)).open(sealed, 'row 1')).toBeUndefined()
  for (const broken of ['', '.', `${name}.`, `${name}.AAAA`]) {
    expect(secrets.open(broken, 'row 1')).toBeUndefined()
  }
})

test('several machines share the key of the setting, and none makes a file', () => {
  const key = randomBytes(32)
  const other = mkdtempSync(join(tmpdir(), 'postroom-secrets-'))
  const sealed = secretsIn(folder, key).seal('a secret', 'row 1')
  expect(secretsIn(other, key).open(sealed, 'row 1')).toBe('a secret')
  expect(() => statSync(join(other, 'secret.key'))).toThrow()
  rmSync(other, { recursive: true })
})

test('a key that is broken stops the start and is not replaced', () => {
  writeFileSync(join(folder, 'secret.key'), 'short\n')
  expect(() => secretsIn(folder)).toThrow(/secret\.key, cannot be used.*POSTROOM_SECRET_KEY/)
  expect(() => secretsIn(folder)).toThrow(expect.objectContaining({ name: 'StartError' }))
})
