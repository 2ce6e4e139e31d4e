import { afterEach, beforeEach, expect, test } from 'vitest'
import { smtpRelay } from '../../src/drains/smtp.ts'
import type { HandOver, MailTransport } from '../../src/engine/ports.ts'
import { type Relay, startRelay } from '../world/relay.ts'

let relay: Relay
let drain: MailTransport

beforeEach(async () => {
  relay = await startRelay()
  drain = smtpRelay({ url: `smtp://${relay.host}`, hostname: 'mail.ours.test' })
})
afterEach(async () => {
  await drain.close()
  await relay.close()
})

const RAW = Buffer.from('Subject: hi\r\n\r\n.leading dot\r\n..two\r\n.\r\nend\r\n')
const send = (to: string[], raw: Uint8Array = RAW) =>
  drain.send({ envelope: { from: 'us@ours.test', to }, raw })
const kinds = (answers: HandOver[]) => answers.map(({ kind }) => kind)

test('the relay gets the bytes as they are, with exactly our envelope', async () => {
  const to = ['a+tag@x.test', "o'{b}#|~@y.test", 'UPPER.lower@sub.z.test', 'a=b&c@x.test']
  expect(kinds(await send(to))).toEqual(['accepted', 'accepted', 'accepted', 'accepted'])
  expect(relay.taken).toMatchObject([{ from: 'us@ours.test', to }])
  expect(relay.taken[0]?.raw.toString()).toBe(RAW.toString())
})

test('a view into a larger buffer is sent alone', async () => {
  const wide = Buffer.concat([Buffer.from('secret'), RAW, Buffer.from('secret')])
  await send(['a@x.test'], new Uint8Array(wide.buffer, wide.byteOffset + 6, RAW.length))
  expect(relay.taken[0]?.raw.toString()).toBe(RAW.toString())
})

test('what was accepted carries the code and the words of the relay', async () => {
  relay.onMail = () => '2.0.0 Ok: queued as 4XyZ'
  expect(await send(['a@x.test'])).toEqual([
    { kind: 'accepted', code: 250, detail: '2.0.0 Ok: queued as 4XyZ' },
  ])
})

test('an id that the relay reports in its 250 is passed on', async () => {
  relay.onMail = () => '2.0.0 OK <new-id@host.prod.outlook.com> [Hostname=x]'
  const [microsoft] = await send(['a@x.test'])
  expect(microsoft).toMatchObject({ remoteId: '<new-id@host.prod.outlook.com>' })
  relay.onMail = () => 'Message accepted <0101-ab@relay.test>'
  expect((await send(['a@x.test']))[0]).toMatchObject({ remoteId: '<0101-ab@relay.test>' })
  relay.onMail = () => 'delivered to <a@x.test>'
  expect((await send(['a@x.test']))[0]).not.toHaveProperty('remoteId')
})

test('an id that is none, or longer than any, is not', async () => {
  const half = 'a'.repeat(2_000)
  for (const words of [`Ok <${half}@${half}>`, 'Ok <ä@x.test>', 'Ok <id>', 'Ok <a b@x.test>']) {
    relay.onMail = () => words
    const [answer] = await send(['a@x.test'])
    expect(answer?.kind).toBe('accepted')
    expect(answer).not.toHaveProperty('remoteId')
  }
})

test('each recipient has an answer of its own', async () => {
  relay.onRecipient = (address) => {
    if (address.startsWith('gone')) return { code: 550, text: '5.1.1 no such user' }
    if (address.startsWith('full')) return { code: 452, text: '4.2.2 mailbox full' }
    return undefined
  }
  expect(await send(['gone@x.test', 'a@x.test', 'full@x.test'])).toEqual([
    { kind: 'refused', code: 550, detail: '5.1.1 no such user' },
    { kind: 'accepted', code: 250, detail: 'queued' },
    { kind: 'deferred', code: 452, detail: '4.2.2 mailbox full' },
  ])
  expect(relay.taken[0]?.to).toEqual(['a@x.test'])
})

test('where every recipient is turned away each still has its own answer', async () => {
  relay.onRecipient = (address) =>
    address.startsWith('gone') ? { code: 550, text: 'no such user' } : { code: 451, text: 'later' }
  expect(await send(['gone@x.test', 'grey@x.test'])).toEqual([
    { kind: 'refused', code: 550, detail: 'no such user' },
    { kind: 'deferred', code: 451, detail: 'later' },
  ])
})

test.each([
  [451, 'deferred'],
  [421, 'deferred'],
  [554, 'refused'],
])('%i after the final dot holds for everybody: %s', async (code, kind) => {
  relay.onMail = () => ({ code, text: 'words of the relay' })
  expect(await send(['a@x.test', 'b@x.test'])).toEqual([
    { kind, code, detail: 'words of the relay' },
    { kind, code, detail: 'words of the relay' },
  ])
})

test.each([
  [450, 'deferred'],
  [550, 'refused'],
])('%i to MAIL FROM: %s', async (code, kind) => {
  relay.onSender = () => ({ code, text: 'not you' })
  expect(await send(['a@x.test'])).toEqual([{ kind, code, detail: 'not you' }])
})

test('a relay that wants a login is our fault, not the mail’s: it waits', async () => {
  relay.onSender = () => ({ code: 530, text: '5.7.0 Authentication required' })
  const [answer] = await send(['a@x.test'])
  expect(answer).toMatchObject({ kind: 'deferred', code: 530 })
  expect(answer?.detail).toContain('SMTP_RELAY_URL')
})

test('a line lost after the final dot leaves open what became of the mail', async () => {
  relay.onMail = () => 'cut'
  const answers = await send(['a@x.test', 'b@x.test'])
  expect(kinds(answers)).toEqual(['uncertain', 'uncertain'])
  expect(answers[0]?.detail).toContain('after the final dot')
  expect(relay.seen).toHaveLength(1)
})

test('so does a relay that never answers the final dot', async () => {
  const silent = await startRelay({ onData: (stream) => void stream.resume() })
  const impatient = smtpRelay({
    url: `smtp://${silent.host}`,
    hostname: 'mail.ours.test',
    // smtp-server waits 0.1 s with its greeting.
    answerTimeoutMs: 500,
  })
  const mail = { envelope: { from: 'us@ours.test', to: ['a@x.test'] }, raw: RAW }
  expect(kinds(await impatient.send(mail))).toEqual(['uncertain'])
  await impatient.close()
  await silent.close()
})

test('a line lost before the final dot does not: nothing was taken', async () => {
  relay.cutInData = true
  const large = Buffer.concat([RAW, Buffer.alloc(8 * 1024 * 1024, 'line\r\n')])
  const [answer] = await send(['a@x.test'], large)
  expect(answer).toMatchObject({ kind: 'deferred', code: null })
})

test('a line lost before DATA does not either', async () => {
  relay.onRecipient = () => 'cut'
  expect(await send(['a@x.test'])).toMatchObject([{ kind: 'deferred', code: null }])
})

test('nobody listening is deferred, in words that name it', async () => {
  await relay.close()
  const [answer] = await send(['a@x.test'])
  expect(answer).toMatchObject({ kind: 'deferred', code: null })
  expect(answer?.detail).toMatch(/could not be reached.*ECONNREFUSED/)
  relay = await startRelay()
})

test('after a fault the next mail goes through', async () => {
  relay.onMail = () => 'cut'
  await send(['a@x.test'])
  relay.onMail = () => undefined
  expect(kinds(await send(['a@x.test']))).toEqual(['accepted'])
})

test('a connection that the relay closed while it was idle costs no attempt', async () => {
  await send(['a@x.test'])
  relay.onSender = () => {
    relay.onSender = () => undefined
    return 'cut'
  }
  expect(kinds(await send(['b@x.test']))).toEqual(['accepted'])
  expect(relay.taken.map(({ to }) => to)).toEqual([['a@x.test'], ['b@x.test']])
  expect(relay.taken[1]?.raw.toString()).toBe(RAW.toString())
})

test('many mails share a few connections', async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => send([`a${i}@x.test`])))
  expect(answers.flatMap(kinds)).toEqual(Array(40).fill('accepted'))
  expect(relay.taken).toHaveLength(40)
  expect(relay.connections).toBeLessThanOrEqual(5)
})

test('a mail larger than the relay announced is refused before it is sent', async () => {
  const small = await startRelay({ size: 100 })
  const toSmall = smtpRelay({ url: `smtp://${small.host}`, hostname: 'mail.ours.test' })
  const mail = { envelope: { from: 'us@ours.test', to: ['a@x.test'] }, raw: Buffer.alloc(200, 'x') }
  expect(await toSmall.send(mail)).toMatchObject([{ kind: 'refused', code: 552 }])
  expect(small.seen).toEqual([])
  await toSmall.close()
  await small.close()
})

test('user and password of the URL are used, percent-decoded', async () => {
  const strict = await startRelay({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'us@ours' && password === 'p/w:1'
        ? done(null, { user: username })
        : done(new Error('bad login')),
  })
  const mail = { envelope: { from: 'us@ours.test', to: ['a@x.test'] }, raw: RAW }
  const known = smtpRelay({ url: `smtp://us%40ours:p%2Fw%3A1@${strict.host}`, hostname: 'x.test' })
  expect(kinds(await known.send(mail))).toEqual(['accepted'])
  expect(strict.taken[0]?.user).toBe('us@ours')
  const unknown = smtpRelay({ url: `smtp://us%40ours:secret@${strict.host}`, hostname: 'x.test' })
  const [refused] = await unknown.send(mail)
  expect(refused).toMatchObject({ kind: 'deferred' })
  expect(refused?.detail).toContain('SMTP_RELAY_URL')
  expect(refused?.detail).not.toContain('secret')
  await known.close()
  await unknown.close()
  await strict.close()
})

test('STARTTLS is used where it is offered; without credentials any certificate will do', async () => {
  // smtp-server comes with a certificate of its own that nobody trusts.
  const encrypting = await startRelay({ hideSTARTTLS: false, allowInsecureAuth: true })
  const mail = { envelope: { from: 'us@ours.test', to: ['a@x.test'] }, raw: RAW }
  const open = smtpRelay({ url: `smtp://${encrypting.host}`, hostname: 'x.test' })
  expect(kinds(await open.send(mail))).toEqual(['accepted'])
  expect(encrypting.taken[0]?.encrypted).toBe(true)
  const withLogin = smtpRelay({ url: `smtp://u:p@${encrypting.host}`, hostname: 'x.test' })
  expect(await withLogin.send(mail)).toMatchObject([{ kind: 'deferred', code: null }])
  await open.close()
  await withLogin.close()
  await encrypting.close()
})

test('closing cuts what hangs, and says no word about the mail', async () => {
  const silent = await startRelay({ onData: (stream) => void stream.resume() })
  const hanging = smtpRelay({ url: `smtp://${silent.host}`, hostname: 'mail.ours.test' })
  const mail = { envelope: { from: 'us@ours.test', to: ['a@x.test'] }, raw: RAW }
  const cut = Promise.all(
    Array.from({ length: 8 }, () => expect(hanging.send(mail)).rejects.toThrow(/cut short/)),
  )
  const started = Date.now()
  await hanging.close()
  await cut
  expect(Date.now() - started).toBeLessThan(2_000)
  await silent.close()
})

test('closing lets end what is about to', async () => {
  const sending = send(['a@x.test'])
  await new Promise<void>((resolve) => {
    relay.onMail = () => {
      setImmediate(resolve)
      return undefined
    }
  })
  await drain.close()
  expect(kinds(await sending)).toEqual(['accepted'])
})
