// The text of a mail that was written as HTML only.
import { simpleParser } from 'mailparser'

const PARSING = { skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true }

/** Its words as the same parser reads them that reads mail coming in. */
export async function textOfHtml(raw: Buffer): Promise<string> {
  const { text } = await simpleParser(raw, PARSING)
  return (text ?? '').trimEnd()
}
