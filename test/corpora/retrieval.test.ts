import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getContext, searchDocuments } from '../../src/engine/documents/operations.ts'
import { type Knowledge, openKnowledge } from '../world/knowledge.ts'

const folder = join(process.env.POSTROOM_CORPORA ?? '../shared/corpora', 'retrieval')
const present = existsSync(folder)
if (!present) process.stderr.write(`retrieval: skipped, there are no corpora at ${folder}\n`)

/** `bm25` is what BM25 with Porter stemming reaches on the whole collection; `floor` is a little below what was measured. */
const CORPORA = [
  { name: 'cranfield', bm25: 0.388, floor: 0.425, foreign: 'cisi' },
  { name: 'cisi', bm25: 0.314, floor: 0.325, foreign: 'cranfield' },
]
const RANKS = 10
const PASSAGES = 20

interface Question {
  _id: string
  text: string
}

let house: Knowledge
const inboxes = new Map<string, string>()

describe.skipIf(!present)('on outside collections', () => {
  beforeAll(async () => {
    house = await openKnowledge()
    for (const { name } of CORPORA) {
      const inbox = await house.newInbox()
      inboxes.set(name, inbox)
      for (const { _id, title, text } of jsonl<Question & { title: string }>(
        name,
        'corpus.jsonl',
      )) {
        await house.upload(inbox, `${_id}.txt`, `${title}\n\n${text}`)
      }
    }
    await house.settle()
  })
  afterAll(() => house.close())

  test.each(CORPORA)('$name: the right documents come first', async ({ name, bm25, floor }) => {
    const judged = judgements(name)
    const scores: number[] = []
    for (const { _id, text } of jsonl<Question>(name, 'queries.jsonl')) {
      const grades = judged.get(_id)
      if (!grades) continue
      const input = { inbox_id: inboxes.get(name), q: text, limit: PASSAGES }
      const { data } = await searchDocuments.run(house.engine, house.caller, input)
      const ranked = [...new Set(data.map(({ document_name }) => document_name.slice(0, -4)))]
      scores.push(ndcg(ranked, grades))
    }
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
    report(
      `${name}: nDCG@${RANKS} ${mean.toFixed(3)} over ${scores.length} questions, BM25 ${bm25}`,
    )
    expect(mean).toBeGreaterThan(floor)
  })

  test.each(CORPORA)('$name: questions about something else are not answerable', async (corpus) => {
    const own = await answerable(corpus.name, corpus.name)
    const foreign = await answerable(corpus.name, corpus.foreign)
    report(
      `${corpus.name}: answerable ${percent(own)} of its own questions, ${percent(foreign)} of foreign ones`,
    )
    expect(foreign).toBeLessThan(0.08)
    expect(own).toBeGreaterThan(5 * foreign)
  })
})

async function answerable(documents: string, questions: string): Promise<number> {
  const all = jsonl<Question>(questions, 'queries.jsonl')
  let count = 0
  for (const { text } of all) {
    const input = { inbox_id: inboxes.get(documents), q: text, max_tokens: 2000, limit: PASSAGES }
    if ((await getContext.run(house.engine, house.caller, input)).answerable) count += 1
  }
  return count / all.length
}

/** Discounted cumulated gain of the first ten, graded gain, over that of the best order (Järvelin and Kekäläinen 2002). */
function ndcg(ranked: readonly string[], grades: ReadonlyMap<string, number>): number {
  const gain = (list: number[]) =>
    list.slice(0, RANKS).reduce((sum, grade, at) => sum + grade / Math.log2(at + 2), 0)
  const best = [...grades.values()].sort((a, b) => b - a)
  return gain(ranked.map((id) => grades.get(id) ?? 0)) / gain(best)
}

function judgements(name: string): Map<string, Map<string, number>> {
  const judged = new Map<string, Map<string, number>>()
  for (const line of lines(name, 'qrels.tsv').slice(1)) {
    const [question = '', document = '', grade] = line.split('\t')
    judged.set(question, (judged.get(question) ?? new Map()).set(document, Number(grade)))
  }
  return judged
}

const lines = (name: string, file: string) =>
  readFileSync(join(folder, name, file), 'utf8')
    .trim()
    .split('\n')
const jsonl = <Row>(name: string, file: string): Row[] =>
  lines(name, file).map((line) => JSON.parse(line))
const percent = (share: number) => `${Math.round(share * 100)} %`
const report = (line: string) => process.stderr.write(`retrieval: ${line}\n`)
