/** Mailing-list traffic as archives hold it: conversations of all sizes, and what mail programs and losses do to their headers. */

export interface Traffic {
  key: string
  raw: Buffer
  /** What was done to its headers; empty where nothing was. */
  faults: string[]
}

interface Written {
  id: string
  /** From the first of the conversation to the one that is answered. */
  ancestors: string[]
  subject: string
}

/** Park and Miller's generator: the same traffic for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}

type Random = () => number
const pick = <T>(items: readonly T[], random: Random): T =>
  items[Math.floor(random() * items.length)] as T

/** Each makes the fields that tie a mail to what it answers. */
const REFERENCING: Record<string, (ancestors: string[], random: Random) => string[]> = {
  whole: (all) => [`In-Reply-To: ${all.at(-1)}`, `References: ${all.join(' ')}`],
  'folded References': (all) => [`In-Reply-To: ${all.at(-1)}`, `References: ${all.join('\r\n\t')}`],
  'References cut to the first and the last three': (all) => {
    const kept = all.length > 4 ? [...all.slice(0, 1), ...all.slice(-3)] : all
    return [`References: ${kept.join(' ')}`]
  },
  'References cut to the last two': (all) => [`References: ${all.slice(-2).join(' ')}`],
  'In-Reply-To alone': (all) => [`In-Reply-To: ${all.at(-1)}`],
  'References alone': (all) => [`References: ${all.join(' ')}`],
  'In-Reply-To with words': (all) => [
    `In-Reply-To: Your message of "Mon, 2 Mar 2026 10:00:00 +0100." ${all.at(-1)}`,
  ],
  'In-Reply-To with words behind': (all) => [`In-Reply-To: ${all.at(-1)} (a reader's message)`],
  'In-Reply-To with several ids': (all) => [`In-Reply-To: ${all.slice(-3).join(' ')}`],
  'References between commas': (all) => [`References: ${all.join(', ')}`],
  'ids run together': (all) => [`References: ${all.join('')}`],
  'References out of order': (all, random) => [
    `References: ${all.toSorted(() => random() - 0.5).join(' ')}`,
  ],
  'Thread-Index alone': (all) => [
    `Thread-Index: ${Buffer.from(all[0] ?? '')
      .toString('base64')
      .slice(0, 40)}`,
    `Thread-Topic: conversation`,
  ],
}
/** How often, of a hundred answers, something other than whole References is written. */
const FAULTY = 45
const LOST = 0.06
const TWICE = 0.02
const SAME_ID = 0.001
const HIJACKED = 0.003
const WITHOUT_ID = 0.01

/**
 * @param size at least so many mails are written; some of them are lost, as parents are
 */
export function listTraffic(size: number, seed: number): Traffic[] {
  const random = numbers(seed)
  const mails: Traffic[] = []
  const all: Written[] = []
  for (let conversation = 0; mails.length < size; conversation += 1) {
    const thread: Written[] = []
    const length = Math.ceil(1 / (0.02 + random() * 0.98) ** 1.6)
    for (let n = 0; n < length; n += 1) {
      const written = write(thread, { conversation, n, all }, random)
      thread.push(written.mail)
      all.push(written.mail)
      if (random() >= LOST) mails.push(...written.copies)
    }
  }
  return mails
}

interface Place {
  conversation: number
  n: number
  all: readonly Written[]
}

function write(thread: readonly Written[], place: Place, random: Random) {
  const { conversation, n, all } = place
  const faults: string[] = []
  const happens = (share: number, fault: string) => {
    if (random() >= share) return false
    faults.push(fault)
    return true
  }
  const parent = n === 0 ? undefined : answered(thread, all, happens, random)
  const subject = parent?.subject ?? `Topic ${conversation % 400}`
  const ancestors = parent ? [...parent.ancestors, parent.id] : []
  const reused = all.length > 0 && happens(SAME_ID, 'an id that another mail has')
  const id = reused ? pick(all, random).id : idOf(conversation, n, random)
  const ties = parent ? tiesOf(ancestors, faults, random) : []
  const own = happens(WITHOUT_ID, 'no Message-ID') ? [] : [`Message-ID: ${id}`]
  const head = [...own, ...ties, `Subject: ${parent ? 'Re: ' : ''}${subject}`]
  const key = `${conversation}-${n}`
  const copies = [{ key, faults, raw: rawOf(key, head) }]
  // As where it went to the list and to the reader: with another footer it is another mail.
  if (happens(TWICE, 'came twice')) {
    copies.push({ key: `${key}-list`, faults, raw: rawOf(`${key} list`, head) })
  }
  return { mail: { id, ancestors, subject }, copies }
}

function answered(
  thread: readonly Written[],
  all: readonly Written[],
  happens: (share: number, fault: string) => boolean,
  random: Random,
): Written {
  if (happens(HIJACKED, 'answers another conversation')) return pick(all, random)
  return pick(thread.slice(-6), random)
}

function tiesOf(ancestors: string[], faults: string[], random: Random): string[] {
  const fault = random() * 100 < FAULTY ? pick(Object.keys(REFERENCING), random) : 'whole'
  if (fault !== 'whole') faults.push(fault)
  return REFERENCING[fault]?.(ancestors, random) ?? []
}

/** As programs write them. */
function idOf(conversation: number, n: number, random: Random): string {
  const place = `${conversation}.${n}`
  return pick(
    [
      `<${place}.AAAA@mail.example.org>`,
      `<CA+${place}=bc_D@mail.gmail.example>`,
      `<Pine.LNX.4.64.${place}@host>`,
      `<${place}$1@[192.0.2.1]>`,
      `<"${place} x"@example.net>`,
      `<${place}.JavaMail.root@a-${'b'.repeat(60)}.example>`,
    ],
    random,
  )
}

function rawOf(key: string, head: string[]): Buffer {
  const who = Number.parseInt(key, 10) % 50
  const lines = [
    `From: Reader ${who} <reader${who}@example.org>`,
    'To: list@lists.example.org',
    'Date: Mon, 02 Mar 2026 10:00:00 +0100',
    ...head,
    'List-Id: <list.lists.example.org>',
    '',
    `What reader ${who} writes in ${key}.`,
    '',
  ]
  return Buffer.from(lines.join('\r\n'))
}
