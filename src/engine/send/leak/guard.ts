// The leak guard: a mail that holds a secret waits for a person, whoever writes it and to whomever; so does one that could not be looked through.
import { setImmediate as others } from 'node:timers/promises'
import type { Finding } from '../verdict.ts'
import { lookers as common, type Lookers } from './children.ts'
import type { Leaving } from './file-text.ts'
import { CANARY } from './find.ts'
import { type Content, isSmall, type Looked, look, SMALL, sizeOf } from './look.ts'

export interface Said {
  subject: string
  text: string | null
  html: string | null
  headers: readonly string[]
  files: readonly (Leaving & { contentId?: string | null })[]
}

interface Place {
  where: string
  content: Content
  /** Of a file: its name, and what it is called by where that must not be told. */
  name?: { content: Content; instead: string }
}

/** A finding for each kind of secret and each place not looked through whole, which names the places and never the secret. */
export async function leaksIn(
  said: Said,
  canaryWords: readonly string[],
  lookers: Lookers = common,
): Promise<Finding[]> {
  const places = placesOf(said)
  const contents = places.map(({ content }) => content)
  const looked = await lookAt(contents, canaryWords, lookers)
  const found = new Map<string, string[]>()
  const unread: Finding[] = []
  for (const place of places) {
    const { names, unread: why } = looked(place.content)
    const where = calledBy(place, looked)
    for (const name of names) found.set(name, [...(found.get(name) ?? []), where])
    if (why.length > 0) unread.push(notWhole(where, why))
  }
  return [...[...found].map(([name, where]) => inWords(name, where)), ...unread]
}

/** A file's name may be the secret, and reasons are kept, told and mailed. */
function calledBy({ where, name }: Place, looked: (content: Content) => Looked): string {
  if (name === undefined) return where
  const { names, unread } = looked(name.content)
  return names.length + unread.length > 0 ? name.instead : where
}

/** What came out, by what was looked at. */
async function lookAt(
  contents: readonly Content[],
  words: readonly string[],
  lookers: Lookers,
): Promise<(content: Content) => Looked> {
  const large = contents.filter((content) => !isSmall(content))
  const elsewhere = lookers.look(large, words)
  const looked = new Map<Content, Looked>()
  let read = 0
  for (const content of contents.filter(isSmall)) {
    looked.set(content, await look(content, words))
    read += sizeOf(content)
    if (read < SMALL) continue
    read = 0
    await others()
  }
  for (const [at, answer] of (await elsewhere).entries()) {
    const content = large[at]
    if (content) looked.set(content, answer)
  }
  return (content) => looked.get(content) ?? UNREAD
}

const UNREAD: Looked = { names: [], unread: ['nobody did so'] }

/** Every place of a mail in which something can stand. */
function placesOf({ subject, text, html, headers, files }: Said): Place[] {
  const named = [...headers, ...files.flatMap((file) => [file.contentType, file.contentId ?? ''])]
  return [
    { where: 'the subject', content: texts(subject) },
    { where: 'the text', content: texts(text ?? '') },
    { where: 'the HTML', content: { kind: 'html', html: html ?? '' } },
    { where: 'a header or name', content: texts(...named) },
    ...files.flatMap(placesOfFile),
  ]
}

function placesOfFile({ filename, contentType, bytes }: Leaving, at: number): Place[] {
  const content = texts(filename)
  const shown = JSON.stringify(filename)
  const place = (where: string, instead: string) => ({ where, name: { content, instead } })
  return [
    { ...place(`the file name ${shown}`, `the name of file ${at + 1}`), content },
    {
      ...place(`the file ${shown}`, `file ${at + 1}`),
      content: { kind: 'file', file: { filename, contentType, bytes } },
    },
  ]
}

const texts = (...all: string[]): Content => ({ kind: 'texts', texts: all })

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

const notWhole = (where: string, why: readonly string[]): Finding => ({
  effect: 'review',
  reason: {
    code: 'leak',
    message: `Not all of ${where} could be looked through for secrets, because ${why.join(', and ')}: a person must approve the mail.`,
    fix: 'Leave it out, send it in a simpler form, or tell your user: a person can approve the mail if that is meant.',
  },
})
