/** Golden files: what the outside sees, kept word for word. UPDATE_GOLDEN=1 records them anew. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'

/** Compares with the file `name` beside this one (`webhooks/email.received.json`). */
export function expectGolden(name: string, text: string): void {
  const file = join(import.meta.dirname, name)
  const full = text.endsWith('\n') ? text : `${text}\n`
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, full)
    return
  }
  expect(existsSync(file), `no golden file ${name}: record it with UPDATE_GOLDEN=1`).toBe(true)
  expect(full, `differs from golden file ${name}`).toBe(readFileSync(file, 'utf8'))
}

/** Ids and times change with every run: each becomes its place in the order of first mention. */
export function masked(text: string): string {
  const seen = new Map<string, string>()
  const numberOf = (kind: string, value: string) => {
    const count = [...seen.values()].filter((mask) => mask.startsWith(`${kind} `)).length
    const mask = seen.get(value) ?? `${kind} ${count + 1}`
    seen.set(value, mask)
    return `<${mask}>`
  }
  return text
    .replace(/\b([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}\b/g, (id, prefix) => numberOf(prefix, id))
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => numberOf('time', time))
}
