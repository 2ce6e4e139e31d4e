// The leak guard: a mail that holds a secret waits for a person, whoever writes it and to whomever.
import type { Finding } from '../verdict.ts'
import { type Leaving, textsOf } from './file-text.ts'
import { CANARY, secretsIn } from './find.ts'
import { wordsOfHtml } from './html.ts'

export interface Said {
  subject: string
  text: string | null
  html: string | null
  headers: readonly string[]
  files: readonly (Leaving & { contentId?: string | null })[]
}

/** A finding for each kind of secret, which names the places and never the secret. */
export async function leaksIn(said: Said, canaryWords: readonly string[]): Promise<Finding[]> {
  const places = new Map<string, string[]>()
  for (const { where, texts } of placesOf(said)) {
    const found = new Set<string>()
    for (const text of texts()) {
      for (const name of await secretsIn(text, canaryWords)) found.add(name)
    }
    for (const name of found) places.set(name, [...(places.get(name) ?? []), where])
  }
  return [...places].map(([name, where]) => inWords(name, where))
}

/** Every place of a mail in which something can stand, read only when its turn comes. */
function placesOf({ subject, text, html, headers, files }: Said) {
  return [
    { where: 'the subject', texts: () => [subject] },
    { where: 'the text', texts: () => [text ?? ''] },
    { where: 'the HTML', texts: () => (html === null ? [] : [html, ...wordsOfHtml(html)]) },
    {
      where: 'a header or name',
      texts: () => [
        ...headers,
        ...files.flatMap((file) => [file.contentType, file.contentId ?? []].flat()),
      ],
    },
    ...files.flatMap((file) => [
      { where: `the file name ${JSON.stringify(file.filename)}`, texts: () => [file.filename] },
      { where: `the file ${JSON.stringify(file.filename)}`, texts: () => textsOf(file) },
    ]),
  ]
}

const inWords = (name: string, where: readonly string[]): Finding => ({
  effect: 'review',
  reason: {
    code: 'leak',
    message: `${name === CANARY ? name : `What looks like ${name}`} stands in ${where.join(', ')}: a person must approve the mail.`,
    fix:
      name === CANARY
        ? 'Leave it out, or tell your user: the organization has named words that must not leave.'
        : 'Leave it out, or tell your user: a person can approve the mail if that is meant.',
  },
})
