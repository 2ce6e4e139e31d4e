import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = (name: string) => join(import.meta.dirname, '../../../mail', name)

/** The mails of a folder of test/mail, by their names without `.eml`. */
export function mailsOf(name: string): { name: string; raw: Buffer }[] {
  return readdirSync(folder(name))
    .filter((file) => file.endsWith('.eml'))
    .map((file) => ({
      name: file.slice(0, -'.eml'.length),
      raw: readFileSync(join(folder(name), file)),
    }))
}
