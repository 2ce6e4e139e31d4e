/** What an organization may own, made over REST: for tests of what another one sees of it. */
import { newId } from '../../../src/platform/ids.ts'
import type { HttpWorld } from '../../world/http.ts'
import { publishRecord } from '../../world/zone.ts'

/** What one organization owns, by the name that routes give it. */
export type Owned = Record<string, string>

export const NEXT_YEAR = new Date(Date.now() + 300 * 86_400_000).toISOString()

/** An inbox with a mail and its answer, drafts, a planned mail, two that are held, a document, a file to be sent and a key. */
export async function property(
  world: HttpWorld,
  key: string,
  orgId: string,
  name: string,
): Promise<Owned> {
  const inbox = (await world.call('POST', '/v1/agent/inboxes', { key, body: { username: name } }))
    .body
  const subject = `Mail of ${name}`
  await world.receive(inbox.address, { subject })
  const inReplyTo = `<${subject.replace(/\W/g, '')}@example.com>`
  const message_id = await world.receive(inbox.address, { subject: `Re ${name}`, inReplyTo })
  const path = `/v1/agent/inboxes/${inbox.id}`
  const message = (await world.call('GET', `${path}/messages/${message_id}`, { key })).body
  const form = new FormData()
  form.set('file', new Blob([`# ${name}\n`]), 'a.md')
  const document = (await world.call('POST', `${path}/documents`, { key, body: form })).body
  const upload = (await world.call('POST', `${path}/attachments`, { key, body: form })).body
  const made = await world.call('POST', `/v1/organizations/${orgId}/api-keys`, {
    key,
    body: { name, scopes: ['inbox:read'] },
  })
  const mail = { to: 'a@example.com', subject: name, text: 'x' }
  const write = async (rest: string, body: object = mail): Promise<string> =>
    (await world.call('POST', `${path}/${rest}`, { key, body })).body.id
  const [held, other] = await twoHeld(world, key, inbox)
  return {
    review_id: held.id,
    review_sha256: held.sha256,
    review_to_reject: other.id,
    draft_id: await write('drafts'),
    draft_to_send: await write('drafts'),
    planned_mail: await write('messages', { ...mail, send_at: NEXT_YEAR }),
    org_id: orgId,
    inbox_id: inbox.id,
    address: inbox.address,
    message_id,
    thread_id: message.thread_id,
    doc_id: document.id,
    attachment_id: upload.id,
    key_id: made.body.id,
    domain_id: await domainOf(world, key, orgId, name),
    email: await suppressed(world, orgId, message_id, `gone@${name}.test`),
  }
}

/** Two reviews of mails to the inbox itself: nothing waits in dry-run, and from this domain nothing leaves. */
async function twoHeld(
  world: HttpWorld,
  key: string,
  { id, address }: { id: string; address: string },
) {
  const path = `/v1/agent/inboxes/${id}`
  const policy = (send_policy: string) => world.call('PATCH', path, { key, body: { send_policy } })
  await policy('review')
  world.engine.settings.outbound = 'relay'
  const mail = { to: address, subject: 'Held', text: 'x' }
  for (let n = 0; n < 2; n += 1) await world.call('POST', `${path}/messages`, { key, body: mail })
  world.engine.settings.outbound = 'dry-run'
  await policy('open')
  return (await world.call('GET', `${path}/reviews`, { key })).body.data
}

/** A domain whose records are in the DNS. */
async function domainOf(
  world: HttpWorld,
  key: string,
  orgId: string,
  name: string,
): Promise<string> {
  const path = `/v1/organizations/${orgId}/domains`
  const { body } = await world.call('POST', path, { key, body: { domain: `${name}.test` } })
  for (const record of body.dns_records) publishRecord(world.names.zones, record)
  await world.call('POST', `${path}/${body.id}/verify`, { key })
  return body.id
}

/** An address that the organization does not write to. */
async function suppressed(
  world: HttpWorld,
  org_id: string,
  message_id: string,
  email: string,
): Promise<string> {
  const at = world.engine.clock.now()
  const said = { kind: 'bounce', reason: '5.1.1 no such user', message_id, created_at: at }
  await world.engine.db.prisma.suppressions.create({
    data: { org_id, id: newId('sup', at), email, ...said },
  })
  return email
}
