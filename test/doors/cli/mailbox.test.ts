import { existsSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  endAll,
  type Folder,
  migratedFolder,
  type Postroom,
  postroom,
  run,
} from '../../world/postroom.ts'

/** Each start opens a database; on a busy machine that takes a while. */
const PATIENCE_MS = 90_000
vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS })

const INBOX = 'hello@postroom.localhost'
const MAILS = 60

let folder: Folder
let server: Postroom
let mbox: string

beforeAll(async () => {
  folder = await migratedFolder()
  server = postroom(['serve'], { POSTROOM_DATA: folder.path })
  await server.says(/is ready/)
  mbox = join(folder.path, '..', 'old.mbox')
  await writeFile(mbox, Array.from({ length: MAILS }, (_, n) => mail(n)).join(''), 'latin1')
})
afterAll(async () => {
  await endAll()
  await folder.remove()
})

const mail = (n: number) =>
  `From ann@x.test Mon Jan  5 10:00:00 2015\nFrom: Ann <ann@x.test>\nSubject: Order ${n - (n % 3)}\nMessage-ID: <${n}@x.test>\n${n % 3 > 0 ? `In-Reply-To: <${n - 1}@x.test>\n` : ''}Date: Mon, 05 Jan 2015 10:00:${String(n).padStart(2, '0')} +0000\n\n>From here: Gr\xfc\xdfe \x80\n\n`

const command = (...args: string[]) => run(args, { POSTROOM_DATA: folder.path })

async function threads(of: Postroom, key: string) {
  const [, base] = await of.says(/HTTP\s+(http:\S+)/)
  const answer = await fetch(`${base}/v1/agent/threads?limit=100`, {
    headers: { 'x-api-key': key },
  })
  return ((await answer.json()) as { data: unknown[] }).data
}

const keyOf = async (of: Postroom) => (await of.says(/^ {2}(ait_\S+)$/m))[1] ?? ''

describe('while a server holds the folder', () => {
  test('a mailbox comes in, once, with one line said where nobody watches', async () => {
    const first = await command('import', mbox, '--inbox', INBOX)
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toMatch(
      /^60 mails in .* s \(.*\/s\): 60 imported into hello@.*, 0 were there already\.\n$/,
    )
    const again = await command('import', mbox, '--inbox', INBOX)
    expect(again.out).toContain(
      ': 0 imported into hello@postroom.localhost, 60 were there already.',
    )
  })

  test('and goes out byte for byte, to standard output and into a file that was not there', async () => {
    const file = readFileSync(mbox)
    const out = join(folder.path, '..', 'out.mbox')
    const written = await command('export', '--inbox', INBOX, '--out', out)
    expect(written).toMatchObject({ code: 0, out: '' })
    expect(written.err).toMatch(
      /^60 mails in .* of hello@postroom\.localhost into .*out\.mbox\.\n$/,
    )
    expect(readFileSync(out).equals(file)).toBe(true)
    expect(await command('export', '--inbox', INBOX, '--out', out)).toMatchObject({ code: 1 })
    expect(Buffer.from(await bytesOf('export', '--inbox', INBOX)).equals(file)).toBe(true)
  })

  test('reprocess finds nothing to change', async () => {
    const dry = await command('reprocess', '--dry-run')
    expect(dry).toMatchObject({ code: 0, err: '' })
    expect(dry.out).toMatch(/^60 mails in .*: 0 would change\.\n$/)
  })

  test.each([
    ['no file', ['import', '--inbox', INBOX], /Name one mbox file/],
    ['no inbox', ['import', '/etc/hostname'], /--inbox is missing/],
    ['a file that is not there', ['import', '/no/such.mbox', '--inbox', INBOX], /\/no\/such\.mbox/],
    ['a file that is no mbox', ['import', '/etc/passwd', '--inbox', INBOX], /is no mbox/],
    ['an unknown inbox', ['export', '--inbox', 'no@x'], /no@x/],
    ['an unknown option', ['reprocess', '--dry'], /--dry/],
    ['too many words', ['reindex', 'all'], /Use: reindex/],
  ])('%s is refused in words', async (_, args, message) => {
    const { code, out, err } = await command(...args)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toMatch(/ at .*\.js/)
  })
})

describe('the folder of the database is deleted', () => {
  test('reindex brings the same threads back, and the next start shows a key to them', async () => {
    const before = await threads(server, await keyOf(server))
    expect(before).toHaveLength(MAILS / 3)
    await server.stop()
    await rm(join(folder.path, 'db'), { recursive: true })
    const again = await command('reindex')
    expect(again).toMatchObject({ code: 0, err: '' })
    expect(again.out).toContain('60 rebuilt, 0 were there already.')
    expect(again.out).toContain('Inboxes that came back: hello@postroom.localhost.')
    expect(again.out).toMatch(/API keys.* did not come back/)
    server = postroom(['serve'], { POSTROOM_DATA: folder.path })
    expect(await threads(server, await keyOf(server))).toEqual(before)
  })

  test('a server that was started before it hands its keys over', async () => {
    const before = await threads(server, await keyOf(server))
    await server.stop()
    await rm(join(folder.path, 'db'), { recursive: true })
    server = postroom(['serve'], { POSTROOM_DATA: folder.path })
    const key = await keyOf(server)
    expect(await threads(server, key)).toEqual([])
    await server.says(/raw mail that the database does not know: postroom reindex/, 'err')
    const again = await command('reindex')
    expect(again.out).toContain('The keys of the last start open what came back.')
    expect(await threads(server, key)).toEqual(before)
  })

  test('no folder is made where there is neither database nor mail', async () => {
    const wrong = `${folder.path}-typo`
    expect(await run(['reindex'], { POSTROOM_DATA: wrong })).toMatchObject({ code: 1 })
    expect(existsSync(wrong)).toBe(false)
  })
})

/** Standard output as bytes: the mailbox holds some that are no UTF-8. */
async function bytesOf(...args: string[]): Promise<Buffer> {
  const program = postroom(args, { POSTROOM_DATA: folder.path })
  const chunks: Buffer[] = []
  program.process.stdout.setEncoding('latin1')
  program.process.stdout.on('data', (chunk: string) => chunks.push(Buffer.from(chunk, 'latin1')))
  await program.ended
  return Buffer.concat(chunks)
}
