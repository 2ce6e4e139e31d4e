import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engineWorld } from '../../world/engine.ts'
import {
  headers,
  type Mailroom,
  openMailroom,
  saysTheSame,
  type Threads,
} from '../../world/mailroom.ts'
import { mailbox, objectOf, overStreams, textOf } from '../../world/mcp.ts'

let room: Mailroom

beforeAll(async () => {
  room = await openMailroom()
})
afterAll(() => room.close())

describe('text and object', () => {
  test('say the same, whatever the tool', async () => {
    const inbox = await room.newInbox()
    await room.mail(inbox, headers(inbox, 'same', 'Lamp "blue"'), 'First line\n\nSecond: line')
    const list = await room.client.call('list_threads', { inbox_id: inbox })
    const [thread] = objectOf<Threads>(list).data
    const results = [
      await room.client.call('list_inboxes'),
      await room.client.call('create_inbox', { username: 'same', display_name: 'The same' }),
      list,
      await room.client.call('get_thread_messages', { thread_id: thread?.thread_id }),
      await room.client.call('send_email', {
        thread_id: thread?.thread_id,
        text_body: 'It comes.',
      }),
      await room.client.call('list_threads', { inbox_id: inbox, waiting_on: 'us' }),
      await room.client.call('search_documents', { q: 'lamp', inbox_id: inbox }),
      await room.client.call('get_context', { q: 'lamp', inbox_id: inbox }),
    ]
    for (const told of results) saysTheSame(told)
  })
})

describe('list_inboxes', () => {
  test('says the rules, and for whom', async () => {
    const told = objectOf<Record<string, unknown>>(
      await room.client.call('list_inboxes', { limit: 1 }),
    )
    expect(told).toMatchObject({ outbound: 'dry-run', agent_send_policy: 'review-new' })
    expect(told.receipt).toMatchObject({ returned: 1, complete: false })
  })

  test('says how many mails wait for a person', async () => {
    const settings = { outbound: 'relay' as const, mailDomain: 'postroom.test' }
    const strict = await engineWorld({ settings })
    const client = await overStreams('modern', strict.engine, strict.agent)
    expect(objectOf(await client.call('list_inboxes'))).toMatchObject({ reviews_waiting: 0 })
    const mailTo = { to: 'stranger@example.com', subject: 'Hi', text_body: 'Hello' }
    await client.call('send_email', mailTo)
    const told = await client.call('list_inboxes')
    await client.close()
    await strict.close()
    expect(objectOf(told)).toMatchObject({ reviews_waiting: 1 })
    saysTheSame(told)
  })

  test('says of whom a person is asked about what is so', async () => {
    const settings = { outbound: 'relay' as const, mailDomain: 'postroom.test' }
    const strict = await engineWorld({ settings })
    const client = await overStreams('modern', strict.engine, strict.agent)
    await mailbox(strict.engine)(strict.hello, headers(strict.hello, 'unproven'))
    const [thread] = objectOf<Threads>(await client.call('list_threads')).data
    const answer = { thread_id: thread?.thread_id, text_body: 'It left.' }
    const held = await client.call('send_email', answer)
    strict.engine.settings.outbound = 'dry-run'
    const kept = await client.call('send_email', answer)
    await client.close()
    await strict.close()
    expect(textOf(held)).toContain('ann@example.com: not proven in this thread')
    expect(textOf(held)).toContain('fix: Tell your user: a person approves it. To let such mail go')
    expect(textOf(kept)).toContain('would_have_been: review')
    expect(textOf(kept)).not.toContain('Tell your user')
  })

  test('gives a cursor that no other list takes', async () => {
    await room.newInbox()
    const page = await room.client.call('list_inboxes', { limit: 1 })
    const { receipt } = objectOf<Threads>(page)
    const told = await room.client.call('list_threads', { cursor: receipt.next_cursor })
    expect(textOf(told)).toContain('cursor: is not a cursor of this list')
    expect(textOf(told)).toContain('\nargument: cursor\n')
  })

  test('never shows the secret of a webhook or the orders of a person', async () => {
    const told = await room.client.call('create_inbox', { username: 'secretive', client_id: 'c1' })
    const again = await room.client.call('create_inbox', { username: 'secretive', client_id: 'c1' })
    expect(textOf(told)).not.toMatch(/whsec|agent_prompt/)
    expect(objectOf(told)).toMatchObject({ created: true })
    expect(objectOf(again)).toMatchObject({ created: false })
  })

  test('names the argument that the operation refused, as the model calls it', async () => {
    const wish = { username: 'long', display_name: 'x'.repeat(300) }
    const told = await room.client.call('create_inbox', wish)
    expect(textOf(told)).toMatch(/^error: validation_failed\n/)
    expect(textOf(told)).toMatch(/^argument: display_name$/m)
  })
})

describe('send_email', () => {
  test('tells at once that nothing left this machine', async () => {
    const inbox = await room.newInbox()
    const thread_id = await room.conversation(inbox, 1, 3)
    const told = await room.client.call('send_email', { threadId: thread_id, body: 'On its way.' })
    expect(objectOf(told)).toMatchObject({
      thread_id,
      status: 'dry_run',
      delivery: 'dry-run',
      from: inbox,
      to: ['Ann <ann@example.com>'],
      subject: 'Re: Long story',
    })
    const { messages } = await room.read({ thread_id })
    expect(messages.map(({ direction }) => direction)).toEqual(['inbound', 'outbound'])
  })

  test('is an agent whichever key it carries', async () => {
    const settings = { outbound: 'relay' as const, mailDomain: 'postroom.test' }
    const strict = await engineWorld({ settings })
    const owner = await overStreams('modern', strict.engine, strict.owner)
    const mailTo = { to: 'stranger@example.com', subject: 'Hi', text_body: 'Hello' }
    const told = await owner.call('send_email', mailTo)
    await owner.close()
    await strict.close()
    expect(objectOf(told)).toMatchObject({
      status: 'pending_review',
      to: ['stranger@example.com'],
      review: { reasons: [{ code: 'new_recipient' }] },
    })
    saysTheSame(told)
    expect(textOf(told)).toContain('AGENT_SEND_POLICY')
  })

  test.each([
    [{ to: 'a@b.example', subject: 's' }, 'text_body'],
    [{ to: 'nobody', subject: 's', text: 'x' }, 'to'],
    [{ to: ['a@b.example, e@z.example'], subject: 's', text: 'x' }, 'to'],
    [{ to: 'a@b.example', subject: 's', html_body: '<p>x</p>' }, 'html_body'],
  ])('%j is refused by name', async (args, argument) => {
    const told = await room.client.call('send_email', { inbox_id: room.hello, ...args })
    expect(textOf(told)).toMatch(/^error: validation_failed\n/)
    expect(textOf(told)).toContain(`\nargument: ${argument}\n`)
  })

  test('lists the inboxes where one has to be chosen', async () => {
    await room.newInbox()
    const mailTo = { to: 'a@b.example', subject: 's', text_body: 'x' }
    const told = await room.client.call('send_email', mailTo)
    expect(textOf(told)).toContain('\nargument: inbox_id\n')
    expect(textOf(told)).toContain(room.hello)
  })
})
