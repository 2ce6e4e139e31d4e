// Words to lexemes: stemmed by PostgreSQL, in the language of the text they stand in.
import type { Engine } from '../ports.ts'
import { wordsOf } from './words.ts'

type Db = Pick<Engine, 'db'>

/** What a stemmer makes of a word; null: a stop word, which says nothing about what a text is about. */
export type Stems = ReadonlyMap<string, string | null>

/** Stems words in one statement; 5,000 words take about 10 ms on the embedded database. */
export async function stemWords(
  { db }: Db,
  words: Iterable<string>,
  language: string,
): Promise<Stems> {
  const distinct = [...new Set(words)]
  const [row] = await db.query<{ stems: (string | null)[] }>(
    `SELECT array_agg((ts_lexize($2::regdictionary, word))[1] ORDER BY place) AS stems
     FROM unnest($1::text[]) WITH ORDINALITY AS w (word, place)`,
    [distinct, language === 'simple' ? language : `${language}_stem`],
    'stem_words',
  )
  return new Map(distinct.map((word, at) => [word, row?.stems?.[at] ?? null]))
}

export interface IndexedWords {
  /** As PostgreSQL writes a tsvector, with the positions of each lexeme. */
  tsvector: string
  /** Content words, repetitions counted. */
  length: number
}

export interface Indexed {
  content: string
  /** Document name and headings. */
  surroundings: string
  /** The ids of organization and inbox: in the index beside the words, a search reads nobody else's. */
  scope: readonly string[]
}

/**
 * The words a passage is found by. Those of its surroundings (document name, headings) count once
 * and only where the passage itself lacks them: they say what it is about, not how much.
 */
export function indexWords({ content, surroundings, scope }: Indexed, stems: Stems): IndexedWords {
  const lexemes = lexemesOf(content, stems)
  const places = new Map<string, number[]>()
  const put = (lexeme: string, place: number) => {
    const known = places.get(lexeme)
    if (known) known.push(place)
    else places.set(lexeme, [place])
  }
  lexemes.forEach((lexeme, at) => {
    put(lexeme, at + 1)
  })
  for (const lexeme of new Set(lexemesOf(surroundings, stems))) {
    if (!places.has(lexeme)) put(lexeme, lexemes.length + 1)
  }
  const entries = [...places].map(([lexeme, at]) => `${quoteLexeme(lexeme)}:${at.join(',')}`)
  return { tsvector: [...scope.map(quoteLexeme), ...entries].join(' '), length: lexemes.length }
}

/** A lexeme as PostgreSQL reads it in a tsvector or tsquery. */
export const quoteLexeme = (lexeme: string) => `'${lexeme.replace(/['\\]/g, '$&$&')}'`

const lexemesOf = (text: string, stems: Stems) =>
  wordsOf(text).flatMap((word) => stems.get(word) ?? [])
