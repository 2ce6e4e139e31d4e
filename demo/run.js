// npm run demo: one real mail goes through the whole house, and everything said on the way is shown.
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { openHouse } from './house.js'
import * as print from './print.js'
import { openReceiver, proofs } from './receiver.js'

const HANDBOOK = new URL('./handbook.md', import.meta.url)
const QUESTION = 'How many days do I have to send the lamp back, and do you send me a return label?'
const PATIENCE_MS = 10_000
const LOOK_EVERY_MS = 25
/** Longer texts are cut where they are shown, saying so. */
const SHOWN_CHARACTERS = 1_800
const SHORT_LINE = 80

const open = []
const started = performance.now()

let interrupted = false
// npm passes on the Ctrl-C that the terminal has sent already: it comes twice.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupt(130))
// Nobody reads on, as in `npm run demo | head`.
process.stdout.on('error', () => interrupt(0))

try {
  await demo()
  await closeAll()
  print.title(
    `Done in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    'The server is stopped and its folder removed. For one that stays: npm start',
  )
} catch (error) {
  if (!interrupted) await fail(error)
}

async function interrupt(exitCode) {
  if (interrupted) return
  interrupted = true
  await closeAll()
  process.exit(exitCode)
}

async function fail(error) {
  const complaints = open.map((part) => part.complaints?.()).filter(Boolean)
  print.failure([error instanceof Error ? error.message : String(error), ...complaints].join('\n'))
  await closeAll()
  process.exitCode = 1
}

async function closeAll() {
  for (const part of open.splice(0).reverse()) await part.close()
}

async function demo() {
  print.title(
    'Postroom, a tour',
    'Everything below happens now, over real SMTP, HTTP and MCP.  → said  ← answered  ✓ checked',
  )
  const house = await startServer()
  const { inbox, receiver } = await makeInbox(house)
  await uploadDocument(house, inbox)
  await customerWrites(house, inbox)
  await webhookComes(inbox, receiver)
  const agent = await startAgent(house)
  const thread = await agentReads(agent)
  const passage = await agentLooksUp(agent, inbox)
  const sent = await agentAnswers(agent, { thread, passage })
  await answerLeaves(house, inbox, sent)
}

async function startServer() {
  print.step('Start Postroom on an empty folder')
  const house = await openHouse()
  open.push(house)
  await house.ready()
  print.answered(`ready: HTTP ${house.url}, SMTP ${house.smtp.host}:${house.smtp.port}`)
  print.note(`database, mail and keys are in ${house.dataDir}`)
  return house
}

async function makeInbox(house) {
  print.step('Make an inbox with a webhook')
  const receiver = await openReceiver()
  open.push(receiver)
  const wish = { username: 'support', name: 'Lamp shop', webhook_url: receiver.url }
  print.asked(`POST /v1/agent/inboxes ${JSON.stringify(wish)}`)
  const inbox = await rest(house, 'POST', '/v1/agent/inboxes', wish)
  print.answered(`201 ${inbox.address} (${inbox.id})\nwebhook_secret ${shortened(inbox.webhook_secret, 12)}`)
  return { inbox, receiver }
}

async function uploadDocument(house, inbox) {
  print.step('Upload a document for the agent to answer from')
  const path = `/v1/agent/inboxes/${inbox.id}/documents`
  const form = new FormData()
  form.set('file', new File([await readFile(HANDBOOK)], 'handbook.md', { type: 'text/markdown' }))
  print.asked(`POST …/documents  file=demo/handbook.md`)
  const { id, status } = await rest(house, 'POST', path, form)
  print.answered(`202 ${id} ${status}`)
  const document = await readDocument(house, `${path}/${id}`)
  print.answered(`${document.status}: ${document.chunk_count} passages that can be searched`)
}

async function readDocument(house, path) {
  const read = await until(house, path, ({ status }) => status !== 'processing')
  if (read.status === 'failed') throw new Error(`the document was not read: ${read.error}`)
  return read
}

/** What the path answers, as soon as it is so. */
async function until(house, path, isSo) {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await rest(house, 'GET', path)
    if (isSo(found)) return found
    if (performance.now() > end) throw new Error(`${path} still says "${found.status}"`)
    await pause(LOOK_EVERY_MS)
  }
}

async function customerWrites(house, inbox) {
  print.step('A customer writes, over SMTP')
  const letter = {
    from: 'Ann Jones <ann@example.com>',
    to: inbox.address,
    subject: 'Sending back my lamp',
    text: `Hello,\n\nthe lamp is too bright for our hall. ${QUESTION}\n\nAnn Jones\n`,
  }
  print.asked(`From: ${letter.from}\nTo: ${letter.to}\nSubject: ${letter.subject}\n\n${letter.text.trim()}`)
  const { response } = await createTransport({ ...house.smtp, ignoreTLS: true }).sendMail(letter)
  print.answered(response)
  print.note('250 is said only once the mail is on disk and in the database')
}

async function webhookComes(inbox, receiver) {
  print.step('The webhook that it fired')
  const post = await receiver.told('email.received')
  const { headers, body } = post
  print.note('thread.created came first; this is email.received')
  const names = ['x-aithreads-signature', 'x-agentsend-signature', 'webhook-id', 'webhook-timestamp', 'webhook-signature']
  print.answered(
    [
      `POST ${receiver.url}`,
      ...names.map((name) => `${name}: ${shortened(headers[name], 45)}`),
      '',
      shown(JSON.stringify(JSON.parse(body), null, 2)),
    ].join('\n'),
  )
  const proven = proofs(post, inbox.webhook_secret)
  const wrong = Object.keys(proven).filter((name) => !proven[name])
  if (wrong.length > 0) throw new Error(`the signature does not fit the body: ${wrong.join(', ')}`)
  print.checked(`computed again from body and secret, all fit: ${Object.keys(proven).join(', ')}`)
  const forged = proofs({ headers, body: body.replace('Ann', 'Bob') }, inbox.webhook_secret)
  if (Object.values(forged).some(Boolean)) throw new Error('an altered body was taken for a true one')
  print.checked('with one word of the body altered, none fits')
}

async function startAgent(house) {
  print.step('An agent connects over MCP, as Claude Desktop does: node dist/main.js mcp')
  const agent = await house.agent()
  open.push(agent)
  const { tools } = await agent.listTools()
  print.answered(`tools: ${tools.map(({ name }) => name).join(', ')}`)
  return agent
}

async function agentReads(agent) {
  print.step('The agent looks what waits for an answer, and reads it')
  const { data } = await tool(agent, 'list_threads', { waiting_on: 'us' })
  const [thread] = data
  if (thread === undefined) throw new Error('no conversation waits for an answer')
  await tool(agent, 'get_thread_messages', { thread_id: thread.thread_id })
  return thread
}

async function agentLooksUp(agent, inbox) {
  print.step('It looks up what the shop has to say to that')
  const asked = { q: QUESTION, inbox_id: inbox.address, limit: 1 }
  const { data } = await tool(agent, 'search_documents', asked)
  const [passage] = data
  if (passage === undefined) throw new Error('the handbook has nothing to say to the question')
  return passage
}

async function agentAnswers(agent, { thread, passage }) {
  print.step('It answers, citing the document')
  print.note('No model runs here: the words around the quotation are made up, the quotation is the passage above.')
  const text = [
    'Dear Ann Jones,',
    `this is what our handbook says (${passage.document_name}, "${passage.heading}"):`,
    quotation(passage.content),
    'Kind regards\nLamp shop',
  ].join('\n\n')
  return tool(agent, 'send_email', { thread_id: thread.thread_id, text_body: text })
}

/** The words between the marks that set outsiders' text apart, as mail quotes it (RFC 3676 §4.5). */
function quotation(content) {
  const words = content.split('\n').slice(1, -1).filter((line) => !line.startsWith('#'))
  return words.join('\n').trim().split('\n').map((line) => `> ${line}`).join('\n')
}

async function answerLeaves(house, inbox, { message_id }) {
  print.step('The answer, as it is kept: in the thread, byte for byte')
  const message = `/v1/agent/inboxes/${inbox.id}/messages/${message_id}`
  const { thread_id, status } = await until(house, message, isSettled)
  const { messages } = await rest(house, 'GET', `/v1/agent/inboxes/${inbox.id}/threads/${thread_id}`)
  print.asked(`GET …/messages/${message_id}/raw`)
  print.answered(shown((await bytes(house, `${message}/raw`)).replaceAll('\r\n', '\n').trim()))
  const [question, answer] = messages
  if (answer?.in_reply_to !== question?.message_id_header) throw new Error('the answer lost its thread')
  print.checked(`In-Reply-To names the customer's mail, and both stand in one thread`)
  print.note(`status ${status}: without SMTP_RELAY_URL mail to the outside is kept, not sent`)
}

function isSettled({ status }) {
  return status !== 'queued' && status !== 'sending'
}

async function tool(agent, name, args) {
  print.asked(`tools/call ${name} ${readable(args)}`)
  const { structuredContent, content, isError } = await agent.callTool({ name, arguments: args })
  const text = content.map((block) => block.text ?? '').join('\n')
  if (isError) throw new Error(text)
  print.answered(shown(text))
  return structuredContent
}

async function rest(house, method, path, body) {
  return JSON.parse(await bytes(house, path, method, body))
}

async function bytes({ url, key }, path, method = 'GET', body) {
  const json = body !== undefined && !(body instanceof FormData)
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(json ? { 'content-type': 'application/json' } : {}) },
    ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : body }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  return text
}

/** In one line where that is short. */
function readable(args) {
  const line = JSON.stringify(args)
  return line.length <= SHORT_LINE ? line : JSON.stringify(args, null, 2)
}

function shortened(text = '', length) {
  return text.length <= length ? text : `${text.slice(0, length)}…`
}

function shown(text) {
  if (text.length <= SHOWN_CHARACTERS) return text
  return `${text.slice(0, text.lastIndexOf('\n', SHOWN_CHARACTERS))}\n… (${text.length} characters)`
}
