import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, expect, test } from 'vitest'
import { createMailParser } from '../../../../src/engine/receive/parse.ts'
import { createMailReader } from '../../../../src/engine/receive/reader.ts'
import { bomb, bombs, LARGE, SMALL } from './bombs.ts'

/** The aim is 100 ms; the rest is for a machine that does other things meanwhile. */
const LAG_MS = 400
const NANOSECONDS = 1e6

const parser = createMailParser()
afterAll(() => parser.close())

async function lagOf<T>(work: () => Promise<T>): Promise<{ result: T; lag: number }> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const result = await work()
  // The timer that measures comes round once more, so that the last stretch counts.
  await new Promise((resolve) => setImmediate(() => setTimeout(resolve, 10)))
  delay.disable()
  return { result, lag: delay.max / NANOSECONDS }
}

test.each(Object.keys(bombs))('%s: read, and nobody waits', async (name) => {
  for (const raw of [bomb(name, SMALL), bomb(name, LARGE)]) {
    const { result, lag } = await lagOf(() => parser.parse(raw, 'a@x.test'))
    expect(result.status).not.toBe('failed')
    expect(lag).toBeLessThan(LAG_MS)
  }
})

test('a mail that takes longer than the deadline keeps its header', async () => {
  const hurried = createMailParser(createMailReader({ deadlineMs: 1 }))
  const mail = await hurried.parse(bomb('a text of 25 MB', LARGE), 'a@x.test')
  expect(mail).toMatchObject({
    status: 'failed',
    subject: 'bomb',
    from: { email: 'a@x.test' },
    text: '',
  })
  await hurried.close()
})

test('after a deadline the next mail is read', async () => {
  const reader = createMailReader({ threads: 1, deadlineMs: 2_000 })
  const short = createMailReader({ threads: 1, deadlineMs: 1 })
  expect((await short.read(bomb('a text of 25 MB', LARGE))).status).toBe('failed')
  expect((await reader.read(bomb('a text of 25 MB', LARGE))).status).toBe('partial')
  await Promise.all([short.close(), reader.close()])
})

test('a mail that takes more memory than a thread may have keeps its header', async () => {
  const reader = createMailReader({ heapMb: 4 })
  const { status, mail } = await reader.read(bomb('lines that look like a boundary', LARGE))
  expect(['failed', 'partial']).toContain(status)
  expect(mail?.subject).toBe('bomb')
  await reader.close()
})

test('more large mails than threads are read one after the other', async () => {
  const reader = createMailReader({ threads: 1 })
  const raw = bomb('a text of 25 MB', 512 * 1024)
  const statuses = await Promise.all(Array.from({ length: 5 }, () => reader.read(raw)))
  expect(statuses.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
  await reader.close()
})

test('an attachment of a large mail comes back byte for byte', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) % 256))
  const encoded = bytes.toString('base64').replace(/.{76}/g, '$&\r\n')
  const header = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n'
  const part = 'Content-Type: image/png; name=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\n'
  const raw = Buffer.from(`${header}${part}${encoded}\r\n--b--\r\n`)
  expect((await parser.parse(raw, '')).attachments).toMatchObject([{ size: bytes.length }])
  const found = await parser.readAttachment(raw, 0)
  expect(found).toMatchObject({ filename: 'p.png', contentType: 'image/png' })
  expect(found?.bytes.equals(bytes)).toBe(true)
  expect(await parser.readAttachment(raw, 1)).toBeUndefined()
})
