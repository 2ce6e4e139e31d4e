// What an agent reads of a mail: visible text, what is new in it, what was hidden, codes and links.
import { isForwardSubject } from './attribution.ts'
import { cleanText } from './characters.ts'
import { type Code, findCodes } from './codes.ts'
import type { Mark } from './lines.ts'
import { distinctLinks, type Link, linksInText } from './links.ts'
import { type Quoted, splitReply } from './reply.ts'
import { isStub } from './stub.ts'
import { type VisibleText, visibleText } from './visible.ts'

export interface Bodies {
  /** The text/plain part, decoded; null where the mail has none (not a rendering of the HTML). */
  text: string | null
  html: string | null
  /** Decides whether a copied header is a forward, and may carry a code. */
  subject?: string
}

/** Field names are those of the message in the API. */
export interface ReadText {
  text_body: string
  new_text: string
  quoted: Quoted[]
  /** Characters left out because no person sees them. */
  hidden_text_removed: number
  codes: Code[]
  links: Link[]
  /** The HTML passes the limits of `visibleText`; its end is missing here. */
  truncated: boolean
}

/**
 * Reads the bodies of a mail. The text part is taken where it says what the HTML says; a stub, an
 * empty part, or one with other words than a person sees gives way to the HTML.
 * Linear in the length of both; never throws.
 */
export function readText({ text, html, subject = '' }: Bodies): ReadText {
  const plain = cleanText(text ?? '')
  const page = html === null ? null : visibleText(html)
  const shown = page && isStub(plain.text, page.text) ? fromPage(page) : fromPlain(plain.text)
  const { newText, quoted } = splitReply(shown.text, {
    marks: shown.marks,
    forwarded: isForwardSubject(subject),
  })
  return {
    text_body: shown.text,
    new_text: newText,
    quoted,
    hidden_text_removed: plain.hiddenRemoved + (page?.hiddenRemoved ?? 0),
    codes: findCodes(newText, cleanText(subject).text),
    links: distinctLinks([...(page?.links ?? []), ...linksInText(plain.text)]),
    truncated: page?.truncated ?? false,
  }
}

interface Shown {
  text: string
  marks: ReadonlyMap<number, Mark>
}

const fromPage = ({ text, marks }: VisibleText): Shown => ({ text, marks })
const fromPlain = (text: string): Shown => ({ text: text.trimEnd(), marks: new Map() })
