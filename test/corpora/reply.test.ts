import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { splitReply } from '../../src/engine/receive/text/reply.ts'

interface Case {
  kind: 'plain' | 'html' | 'signature'
  test: string
  input: string
  expected: string | [string, string | null]
}

const file = join(process.env.POSTROOM_CORPORA ?? '../shared/corpora', 'reply/talon-half.json')
const isThere = existsSync(file)
if (!isThere) process.stdout.write(`reply text: skipped, no ${file}\n`)
const cases: Case[] = isThere ? JSON.parse(readFileSync(file, 'utf8')) : []
const PLAIN_BAR = 24

const joined = (text: string) => text.replace(/\s+/g, ' ').trim()

function misses(kind: Case['kind']): { all: number; missed: string[] } {
  const some = cases.filter((one) => one.kind === kind)
  const missed = some.filter(({ input, expected }) => {
    const wanted = typeof expected === 'string' ? expected : expected[0]
    return joined(splitReply(input).newText) !== joined(wanted)
  })
  return { all: some.length, missed: missed.map((one) => one.test) }
}

function report(kind: Case['kind']): number {
  const { all, missed } = misses(kind)
  const names = missed.length > 0 ? `, not: ${missed.join(', ')}` : ''
  process.stdout.write(`reply text, ${kind}: ${all - missed.length} of ${all} exact${names}\n`)
  return all - missed.length
}

describe.skipIf(!isThere)('reply text of the talon set', () => {
  test('new text of the plain cases is exact but for white space', () => {
    expect(report('plain')).toBeGreaterThanOrEqual(PLAIN_BAR)
  })

  test('signatures are told, though only parting words that a program wrote are cut', () => {
    expect(report('signature')).toBeGreaterThan(0)
  })
})
