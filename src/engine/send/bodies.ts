// What a mail says: the caller's words as text and, where they were given so, as HTML, and below them the earlier mail.
import type { MessageRow, Quoted } from '../messages/message.ts'
import type { Place } from './answered.ts'
import { cleanText } from './compose.ts'
import { type Copy, forwardedCopy, quotedCopy } from './copy.ts'
import { textOfHtml } from './html-text.ts'
import { htmlOfMarkdown } from './markdown.ts'
import type { Written } from './written.ts'

export interface Bodies {
  text: string
  /** Null where the mail is plain text. */
  html: string | null
  /** The text without the quoted mail. A forwarded mail is no history, so it belongs to it. */
  newText: string
  quoted: Quoted[]
}

/** A reply quotes where `include_quoted` asks for it, a forward always. */
export function bodiesOf(written: Written, { answered, forwarded }: Place): Bodies {
  const own = ownBodies(written)
  if (forwarded !== undefined) {
    const both = joined(own, forwardedCopy(inLines(forwarded)))
    return { ...both, newText: both.text, quoted: [] }
  }
  if (answered === undefined || !written.includeQuoted) {
    return { ...own, newText: own.text, quoted: [] }
  }
  const copy = quotedCopy(inLines(answered))
  return { ...joined(own, copy), newText: own.text, quoted: [{ text: copy.text }] }
}

const inLines = (original: MessageRow) => ({
  ...original,
  text_body: cleanText(original.text_body),
})

type Own = Pick<Bodies, 'text' | 'html'>

/** What is made of HTML or Markdown is cleaned once more: a line end may have been written as an entity, `&#13;`. */
function ownBodies({ text, html, markdown }: Written): Own {
  if (markdown !== null) {
    const made = cleanText(htmlOfMarkdown(markdown))
    return { text: cleanText(textOfHtml(made, 'data')), html: made }
  }
  return { text: text ?? cleanText(textOfHtml(html ?? '', 'layout')), html }
}

function joined({ text, html }: Own, copy: Copy): Own {
  return {
    text: text.trim() === '' ? copy.text : `${text.trimEnd()}\n\n${copy.text}`,
    html: html === null ? null : inside(html, `<br>${copy.html}`),
  }
}

/** At the end of what is shown: a whole document goes on behind its body. */
function inside(html: string, addition: string): string {
  const end = /<\/body\s*>(?![\s\S]*<\/body\s*>)/i.exec(html)?.index ?? html.length
  return html.slice(0, end) + addition + html.slice(end)
}
