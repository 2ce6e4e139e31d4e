// How mail programs mark a quote, its introduction and a signature in HTML.
import type { Mark } from './lines.ts'

interface Sign {
  /** Compared without the `x_` that Outlook puts before the ids and classes of what it quotes. */
  id?: string
  class?: string
  name?: string
  style?: RegExp
  tag?: string
}

/** Everything inside is an earlier mail. */
const QUOTES: readonly Sign[] = [
  { class: 'yahoo_quoted' },
  { class: 'protonmail_quote' },
  { class: 'tutanota_quote' },
  { class: 'zmail_extra' },
  { class: 'zoho_quote' },
  { class: 'hs_reply' },
  { class: 'replyquote' },
  { class: 'ntes_mailquote' },
  { id: 'isReplyContent' },
  { id: 'OLK_SRC_BODY_SECTION' },
  { id: 'mail-app-auto-quote' },
  { tag: 'includetail' },
  { name: 'quote' },
]

/** A line that says who wrote what follows. */
const ATTRIBUTIONS: readonly Sign[] = [
  { class: 'gmail_attr' },
  { class: 'moz-cite-prefix' },
  { class: 'moz-email-headers-table' },
]

/** The block of From, Sent, To and Subject above an earlier mail, in whatever language. */
const HEADERS: readonly Sign[] = [
  { id: 'divRplyFwdMsg' },
  { id: 'divRpyFwdMsg' },
  { tag: 'div', style: /border:\s*none;\s*border-top:\s*solid\s+#(?:e1e1e1|b5c4df)/i },
  { tag: 'div', style: /border-top:\s*solid\s+#(?:e1e1e1|b5c4df)\s/i },
]

const SIGNATURES: readonly Sign[] = [
  { class: 'gmail_signature' },
  { class: 'moz-signature' },
  { class: 'protonmail_signature_block' },
  { class: 'yahoo_signature' },
  { class: 'yahoo-signature' },
  { class: 'ms-outlook-mobile-signature' },
  { id: 'ms-outlook-mobile-signature' },
  { id: 'AppleMailSignature' },
  { id: 'lineBreakAtBeginningOfSignature' },
  { id: 'Signature' },
]

/** An indented paragraph of Gmail's editor: a blockquote in the HTML, no quote to a reader. */
const INDENTATION = /border(?:-left)?:\s*(?:none|0(?:px)?)\b/i

/** Whether what the element holds is quoted. */
export function isQuote(tag: string, attributes: ReadonlyMap<string, string>): boolean {
  if (tag !== 'blockquote') return hasOne(QUOTES, tag, attributes)
  const isNamed = attributes.has('type') || attributes.has('cite') || attributes.has('class')
  return isNamed || !INDENTATION.test(attributes.get('style') ?? '')
}

export function markOf(tag: string, attributes: ReadonlyMap<string, string>): Mark | null {
  if (attributes.size === 0) return null
  if (hasOne(HEADERS, tag, attributes)) return 'header'
  if (hasOne(ATTRIBUTIONS, tag, attributes)) return 'attribution'
  return hasOne(SIGNATURES, tag, attributes) ? 'signature' : null
}

function hasOne(
  signs: readonly Sign[],
  tag: string,
  attributes: ReadonlyMap<string, string>,
): boolean {
  if (attributes.size === 0) return signs.some((sign) => sign.tag === tag && !sign.style)
  const classes = (attributes.get('class') ?? '').split(/\s+/).map(unquoted)
  const id = unquoted(attributes.get('id') ?? '')
  const style = attributes.get('style') ?? ''
  return signs.some(
    (sign) =>
      (sign.tag === undefined || sign.tag === tag) &&
      (sign.id === undefined || sign.id === id) &&
      (sign.class === undefined || classes.includes(sign.class)) &&
      (sign.name === undefined || sign.name === attributes.get('name')) &&
      (sign.style === undefined || sign.style.test(style)),
  )
}

const unquoted = (name: string) => name.replace(/^(?:x_)+/, '')
