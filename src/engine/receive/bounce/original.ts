// Which of our mails a report is about: its Message-ID, from the surest place that has one.
import { messageIdsIn } from '../message-ids.ts'
import { type Header, readHeader } from './header.ts'

/** Where to look, the surest first. */
export interface Sources {
  /** The mail's own header. */
  header: Header
  /** Header or mail that came back as a part of its own. */
  returned: readonly string[]
  /** Ids that the fields of a status part name. */
  statusIds: string
  /** The notices as text, with the returned mail where it is quoted in them. */
  notices: readonly string[]
}

/** In a quoted header: `Message-ID: <…>`, folded, quoted with `>`, or with a colon and no angles. */
const QUOTED_ID = /^[\s>|]{0,10}(?:original[ -])?message[ -]?id\s?:[\s>]{0,80}(<[^<>\s]{1,996}>)/gim

/**
 * The Message-ID, with its angle brackets, or null. What was returned counts more than what the
 * report refers to: a gateway that reports may answer to another mail of the thread.
 */
export function originalMessageId({ header, returned, statusIds, notices }: Sources) {
  const own = new Set(messageIdsIn(header('message-id') ?? ''))
  const places = [
    ...returned.map((mail) => idOfReturned(mail)),
    messageIdsIn(statusIds)[0],
    ...notices.map((text) => quotedId(text, own)),
    messageIdsIn(header('in-reply-to') ?? '')[0],
    messageIdsIn(header('references') ?? '').at(-1),
  ]
  return places.find((id) => id !== undefined && !own.has(id)) ?? null
}

function idOfReturned(mail: string): string | undefined {
  const gap = /\r?\n\r?\n/.exec(mail)
  const header = readHeader(gap === null ? mail : mail.slice(0, gap.index))
  return messageIdsIn(header('message-id') ?? '')[0]
}

/** The last one: above it may stand ids of the queue, below it only the returned text. */
function quotedId(text: string, own: ReadonlySet<string>): string | undefined {
  const [first] = [...text.matchAll(QUOTED_ID)]
    .map(([, id]) => id)
    .filter((id) => id !== undefined && !own.has(id))
  return first
}
