import { expect, test } from 'vitest'
import { shownFilename } from '../../../src/engine/messages/filename.ts'

test.each([
  ['offer.pdf', 'offer.pdf'],
  ['Årsbok 2026 (1).pdf', 'Årsbok 2026 (1).pdf'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\ann\\offer.pdf', 'offer.pdf'],
  ['..\\..\\run.exe', 'run.exe'],
  ['a/b\\c.txt', 'c.txt'],
  ['one\r\nX-Evil: two.txt', 'one X-Evil: two.txt'],
  ['nul\0.txt', 'nul .txt'],
  ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
  ['two\u2028lines.txt', 'two lines.txt'],
])('%j is shown as %j', (given, shown) => expect(shownFilename(given)).toBe(shown))

test.each(['', ' ', '..', '/', 'folder/', '\\', '\u202E'])('%j is no name', (given) =>
  expect(shownFilename(given)).toBeUndefined(),
)

test('a long name keeps its ending', () => {
  const shown = shownFilename(`${'x'.repeat(400)}.pdf`)
  expect(shown).toHaveLength(255)
  expect(shown).toMatch(/x\.pdf$/)
})
