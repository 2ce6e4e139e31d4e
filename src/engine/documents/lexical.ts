// Finds the passages that say what a question asks, by its words: Okapi BM25, computed by the database.
import type { ChunkId, DocumentId, InboxId, OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'
import { languageOf } from './language.ts'
import { quoteLexeme, stemWords } from './lexemes.ts'
import { type QuestionWord, questionWords } from './words.ts'

type Db = Pick<Engine, 'db'>

/** Whose documents: an organization's, of these inboxes or (null) of all. */
export interface Where {
  orgId: OrgId
  inboxIds: readonly InboxId[] | null
}

export interface Passage {
  chunk_id: ChunkId
  document_id: DocumentId
  document_name: string
  version: number
  heading: string | null
  content: string
  /** BM25; comparable inside one answer only. */
  score: number
  /** The share of the question, 0 to 1, that the passage has the words for; each counts what it is worth. */
  coverage: number
}

export interface Found {
  /** Best first. Passages that share no word with the question are not among them. */
  passages: Passage[]
  /** How many there are, whatever the limit. */
  total: number
  /** How many words of the question were looked for. */
  words: number
}

interface Shelf {
  language: string
  chunks: number
  length: number
}

/** A word of the question in one language. */
interface Asked {
  word: number
  weight: number
  language: string
  /** Its lexemes as a tsquery. */
  lexemes: string
}

/** Okapi BM25 (Robertson and Zaragoza 2009): how soon repetitions stop to count, how much long passages are held back. */
const K1 = 1.6
const B = 0.75
/**
 * A word is worth ln((passages + PRIOR + 1) / (passages that have it + 1)). As if a hundred passages
 * about other things were there: in a handbook of three passages each content word of a question
 * then counts about the same, in one of thousands the rare ones decide (nDCG is the same for 0 and 1,000).
 */
const PRIOR = 100
/**
 * Each word costs about 2.5 ms over 10,000 passages of the embedded database, so the more passages the
 * fewer words, down to twelve. The longest are kept: they are the rarer ones. nDCG@10 on CISI, whose
 * questions are whole abstracts, is 0.336 with all words, 0.328 with 32, about 0.32 with 12 to 24.
 */
const WORDS_TIMES_PASSAGES = 160_000
const MAX_WORDS = 32
const MIN_WORDS = 12

/**
 * ts_rank of one lexeme with all weights 1 is (1/1² + 1/2² + … + 1/tf²) / (π²/6) in every PostgreSQL
 * (calc_rank_or in tsrank.c). The tail of that sum is 1 / (tf + ½) to within 5 %, which gives tf back
 * (1.05 for 1, 2.03 for 2, 10.01 for 10) without unpacking the tsvector row by row.
 */
const TERM_FREQUENCY =
  "1 / (1.6449340668 * (1.00000003 - ts_rank('{1,1,1,1}', c.words, a.lexemes::tsquery))) - 0.5"

/**
 * The inner SELECT is fenced (OFFSET 0) so that it reads the index of the words, whose condition holds
 * the inbox too: without statistics, which the embedded database never gathers, the planner reads
 * all passages of the inbox once a word (measured on 10,266 passages: 1,300 ms in place of 25).
 */
const BEST_PASSAGES = `
  WITH asked AS (
    SELECT * FROM unnest($2::int[], $3::float8[], $4::text[], $5::text[]) AS a (word, weight, language, lexemes)
  ), hit AS MATERIALIZED (
    SELECT a.word, c.id, c.length, c.tf
    FROM asked a CROSS JOIN LATERAL (
      SELECT c.org_id, c.id, c.document_id, c.language, c.length::float8, ${TERM_FREQUENCY} AS tf
      FROM chunks c WHERE c.words @@ ($6::tsquery && a.lexemes::tsquery) OFFSET 0) AS c
    WHERE c.org_id = $1 AND c.language = a.language AND c.document_id <> ALL($7)
  ), worth AS (
    SELECT word, weight * ln(($8::float8 + ${PRIOR} + 1) / (count(hit.id) + 1)) AS worth
    FROM (SELECT DISTINCT word, weight FROM asked) AS words LEFT JOIN hit USING (word)
    GROUP BY word, weight
  ), best AS (
    SELECT id, sum(worth) AS covered,
      sum(worth * tf * ${K1 + 1} / (tf + ${K1 * (1 - B)} + ${K1 * B} * length / $9::float8)) AS score,
      count(*) OVER () AS total
    FROM hit JOIN worth USING (word)
    GROUP BY id ORDER BY score DESC, id LIMIT $10
  )
  SELECT c.id AS chunk_id, c.document_id, d.name AS document_name, d.version, c.heading, c.content,
    best.score, best.covered / (SELECT sum(worth) FROM worth) AS coverage, best.total
  FROM best
  JOIN chunks c ON c.org_id = $1 AND c.id = best.id
  JOIN documents d ON d.org_id = $1 AND d.id = c.document_id
  ORDER BY best.score DESC, c.id`

/** The passages that fit a question best, at most `limit`; 30 to 60 ms over 10,000 passages on the embedded database. */
export async function bestPassages(
  { db }: Db,
  where: Where,
  question: string,
  limit: number,
): Promise<Found> {
  const shelves = await shelvesOf({ db }, where)
  const chunks = shelves.reduce((sum, shelf) => sum + shelf.chunks, 0)
  const languages = shelves.map(({ language }) => language)
  const kept = longest(await contentWords({ db }, question), chunks)
  const asked = await askedWords({ db }, kept, languages)
  if (asked.length === 0) return { passages: [], total: 0, words: 0 }
  const unfinished = await unfinishedDocuments({ db }, where)
  const length = shelves.reduce((sum, shelf) => sum + shelf.length, 0)
  const rows = await db.query<Passage & { total: number }>(
    BEST_PASSAGES,
    [
      where.orgId,
      asked.map(({ word }) => word),
      asked.map(({ weight }) => weight),
      asked.map(({ language }) => language),
      asked.map(({ lexemes }) => lexemes),
      (where.inboxIds ?? [where.orgId]).map(quoteLexeme).join(' | '),
      unfinished,
      chunks,
      Math.max(1, length / Math.max(1, chunks)),
      limit,
    ],
    'best_passages',
  )
  const passages = rows.map(({ total: _, ...passage }) => passage)
  const words = new Set(asked.map(({ word }) => word)).size
  return { passages, total: rows[0]?.total ?? 0, words }
}

function shelvesOf({ db }: Db, { orgId, inboxIds }: Where): Promise<Shelf[]> {
  return db.query<Shelf>(
    `SELECT language, sum(chunk_count) AS chunks, sum(length) AS length FROM documents
     WHERE org_id = $1 AND ($2::text[] IS NULL OR inbox_id = ANY($2)) AND status = 'ready'
     GROUP BY language ORDER BY language`,
    [orgId, inboxIds],
    'document_shelves',
  )
}

/** Documents that some passages of are in the index and others are not yet. */
async function unfinishedDocuments({ db }: Db, { orgId, inboxIds }: Where): Promise<DocumentId[]> {
  const rows = await db.query<{ id: DocumentId }>(
    `SELECT id FROM documents d
     WHERE org_id = $1 AND ($2::text[] IS NULL OR inbox_id = ANY($2)) AND status <> 'ready'
       AND EXISTS (SELECT 1 FROM chunks c WHERE c.org_id = $1 AND c.document_id = d.id)`,
    [orgId, inboxIds],
    'unfinished_documents',
  )
  return rows.map(({ id }) => id)
}

/** The words in each language of the documents. */
async function askedWords(
  db: Db,
  words: readonly QuestionWord[],
  languages: readonly string[],
): Promise<Asked[]> {
  const written = words.flatMap(({ forms }) => forms)
  const asked: Asked[] = []
  for (const language of languages) {
    const stems = await stemWords(db, written, language)
    words.forEach(({ forms, weight }, word) => {
      const lexemes = [...new Set(forms.flatMap((form) => stems.get(form) ?? []))]
      if (lexemes.length === 0) return
      asked.push({ word, weight, language, lexemes: lexemes.map(quoteLexeme).join(' | ') })
    })
  }
  return asked
}

/** The question's words without the stop words of its own language. */
async function contentWords(db: Db, question: string): Promise<QuestionWord[]> {
  const words = questionWords(question)
  const language = languageOf(question, '')
  if (language === '' || words.length === 0) return words
  const first = ({ forms }: QuestionWord) => forms[0] ?? ''
  const stems = await stemWords(db, words.map(first), language)
  return words.filter((word) => stems.get(first(word)) !== null)
}

function longest(words: readonly QuestionWord[], chunks: number): QuestionWord[] {
  const room = Math.floor(WORDS_TIMES_PASSAGES / Math.max(1, chunks))
  const length = ({ forms }: QuestionWord) => forms[0]?.length ?? 0
  const kept = Math.min(MAX_WORDS, Math.max(MIN_WORDS, room))
  return words.toSorted((a, b) => length(b) - length(a)).slice(0, kept)
}
