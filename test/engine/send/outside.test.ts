/** A mail for people with and without ASCII addresses, straight to hosts of which only some take international mail. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { OrgId } from '../../../src/engine/ids.ts'
import type { MailTransport } from '../../../src/engine/ports.ts'
import { compose } from '../../../src/engine/send/compose.ts'
import { handOutside } from '../../../src/engine/send/outside.ts'
import { type MxWorld, mxWorld } from '../../drains/mx-world.ts'

let world: MxWorld

beforeAll(async () => {
  world = await mxWorld()
})
afterEach(() => world.calm())
afterAll(() => world.close())

const mailTo = (to: string[]) =>
  compose({
    from: { email: 'us@ours.test' },
    to: to.map((email) => ({ email })),
    cc: [],
    replyTo: [],
    subject: 'Hello',
    text: 'Hi\n',
    html: null,
    files: [],
    headers: {},
    messageId: '<1@ours.test>',
    date: new Date('2026-11-22T08:10:11Z'),
    threading: { inReplyTo: null, references: [] },
    autoReplied: false,
  })

/** A signature that says which bytes it was made of. */
const sign = async ({ raw }: { raw: Uint8Array }): Promise<Uint8Array> =>
  Buffer.concat([Buffer.from(`X-Signed: ${raw.length}\r\n`), raw])

async function hand(drain: MailTransport, to: string[], raw: Uint8Array, signer = sign) {
  const orgId = 'org_1' as OrgId
  const envelope = { from: 'us@ours.test', to }
  return handOutside({ world: drain, sign: signer, way: 'mx', orgId }, { envelope, raw })
}

async function hosts() {
  world.zone('new.test', { A: ['127.0.0.2'] })
  world.zone('old.test', { A: ['127.0.0.3'] })
  const [modern, old] = [
    await world.remoteAt('127.0.0.2', { smtpUtf8: true }),
    await world.remoteAt('127.0.0.3'),
  ]
  return { modern, old }
}

describe('a mail to both kinds of address', () => {
  test('is the same for everybody where the host takes international mail', async () => {
    const { modern } = await hosts()
    const to = ['jörg@new.test', 'ann@new.test']
    const raw = await mailTo([...to, 'bob@old.test'])
    const answers = await hand(world.drainTo(), to, raw)
    expect(answers.map(({ kind }) => kind)).toEqual(['accepted', 'accepted'])
    expect(modern.taken).toHaveLength(1)
    expect(modern.taken[0]?.raw).toContain('To: jörg@new.test, ann@new.test, bob@old.test')
  })

  test('reaches those with an ASCII address at a host that does not, once, signed as it is', async () => {
    const { old } = await hosts()
    const to = ['bob@old.test', 'ülf@old.test', 'ann@old.test']
    const answers = await hand(world.drainTo(), to, await mailTo(['jörg@new.test', ...to]))
    expect(answers).toMatchObject([
      { kind: 'accepted' },
      { kind: 'refused', code: 550, detail: expect.stringMatching(/^5\.6\.7 old\.test/) },
      { kind: 'accepted' },
    ])
    expect(old.seen).toHaveLength(1)
    const [mail] = old.taken
    expect(mail).toMatchObject({ to: ['bob@old.test', 'ann@old.test'] })
    expect(mail?.asked).not.toContain('SMTPUTF8')
    const [signature = '', ...rest] = mail?.raw.split('\r\n') ?? []
    expect(signature).toBe(`X-Signed: ${rest.join('\r\n').length}`)
    expect(mail?.raw).toMatch(/^To: =\?UTF-8\?B\?[\w+/=]+\?= :;,\r\n bob@old\.test,\r\n/m)
    expect(mail?.raw).toMatch(/^[\t\r\n -~]*$/)
  })

  test('an international address in blind copy harms nobody either, and is seen by nobody', async () => {
    const { old } = await hosts()
    const answers = await hand(
      world.drainTo(),
      ['ann@old.test', 'ülf@old.test'],
      await mailTo(['ann@old.test']),
    )
    expect(answers.map(({ kind }) => kind)).toEqual(['accepted', 'refused'])
    expect(old.taken).toMatchObject([{ to: ['ann@old.test'] }])
    expect(old.taken[0]?.raw).not.toMatch(/lf@old/)
  })

  test('what breaks behind the first part is not forgotten, and its answers neither', async () => {
    const { modern, old } = await hosts()
    const to = ['ülf@old.test', 'ann@new.test', 'bob@old.test']
    const raw = await mailTo(to)
    let signed = 0
    const once = (mail: { raw: Uint8Array }) =>
      signed++ === 0 ? sign(mail) : Promise.reject(new Error('the key could not be read'))
    const answers = await hand(world.drainTo(), to, raw, once)
    expect(answers).toMatchObject([
      { kind: 'refused', asciiOnly: true },
      { kind: 'accepted' },
      {
        kind: 'deferred',
        code: null,
        detail: expect.stringContaining('the key could not be read'),
      },
    ])
    expect([modern.taken.length, old.taken.length]).toEqual([1, 0])
  })

  test('what breaks before anybody has answered is a fault of ours', async () => {
    await hosts()
    const to = ['ülf@old.test', 'bob@old.test']
    const never = () => Promise.reject(new Error('the key could not be read'))
    await expect(hand(world.drainTo(), to, await mailTo(to), never)).rejects.toThrow('the key')
  })

  test('a host that is away is away for both, and is asked once', async () => {
    world.zone('old.test', { A: ['127.0.0.3'] })
    const to = ['ann@old.test', 'ülf@old.test']
    const answers = await hand(world.drainTo(), to, await mailTo(to))
    expect(answers.map(({ kind }) => kind)).toEqual(['deferred', 'deferred'])
  })
})

test('a mail without international addresses asks no host for SMTPUTF8', async () => {
  const { modern, old } = await hosts()
  const to = ['ann@new.test', 'bob@old.test']
  const raw = await mailTo(to)
  await hand(world.drainTo(), to, raw)
  for (const { taken } of [modern, old]) {
    expect(taken).toHaveLength(1)
    expect(taken[0]?.asked).not.toContain('SMTPUTF8')
    expect(taken[0]?.raw).toContain(raw.toString())
  }
})
