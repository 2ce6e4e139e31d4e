// The copy of an earlier mail below the words of a new one: quoted in a reply, introduced by its header in a forward. Pure.
import type { Mailbox } from '../messages/address.ts'
import type { MessageRow } from '../messages/message.ts'

/** The same words twice. The HTML is made of the text that was shown, so nothing hidden in the original goes along. */
export interface Copy {
  text: string
  html: string
}

type Original = Pick<MessageRow, 'from' | 'to' | 'cc' | 'subject' | 'text_body' | 'created_at'>

/** "On … wrote:" and the text behind `>`. RFC 3676 §4.5: marks stand side by side, then a blank. */
export function quotedCopy(original: Original): Copy {
  const introduction = `On ${dateOf(original)}, ${shown(original.from)} wrote:`
  const lines = original.text_body.split('\n').map((line) => (line === '' ? '>' : quoted(line)))
  return {
    text: `${introduction}\n${lines.join('\n')}`,
    html: `<div class="moz-cite-prefix">${escaped(introduction)}</div><blockquote type="cite">${asHtml(original.text_body)}</blockquote>`,
  }
}

const quoted = (line: string) => (line.startsWith('>') ? `>${line}` : `> ${line}`)

/** The header that people know from their mail programs, and the text as it was. */
export function forwardedCopy(original: Original): Copy {
  const { from, to, cc, subject } = original
  const header = [
    '---------- Forwarded message ----------',
    `From: ${shown(from)}`,
    `Date: ${dateOf(original)}`,
    `Subject: ${oneLine(subject)}`,
    `To: ${to.map(shown).join(', ')}`,
    ...(cc.length > 0 ? [`Cc: ${cc.map(shown).join(', ')}`] : []),
  ]
  return {
    text: `${header.join('\n')}\n\n${original.text_body}`,
    html: `<div>${header.map(escaped).join('<br>')}</div><br>${asHtml(original.text_body)}`,
  }
}

/** RFC 5322 §3.3, in UTC. */
const dateOf = ({ created_at }: Original) => created_at.toUTCString().replace('GMT', '+0000')

function shown(person: Mailbox | null): string {
  if (person === null) return 'somebody'
  return person.name ? `${oneLine(person.name)} <${person.email}>` : person.email
}

const oneLine = (text: string) => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()

const asHtml = (text: string) => `<div style="white-space:pre-wrap">${escaped(text)}</div>`

const ENTITIES: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' }
const escaped = (text: string) => text.replace(/[<>&"]/g, (letter) => ENTITIES[letter] ?? '')
