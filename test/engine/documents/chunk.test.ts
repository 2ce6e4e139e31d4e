import { describe, expect, test } from 'vitest'
import { type Format, passagesOf } from '../../../src/engine/documents/chunk.ts'
import { estimateTokens, MAX_TOKENS } from '../../../src/engine/documents/passage.ts'

const cut = (text: string, format: Format = 'markdown') => [...passagesOf(text, format)]
const contents = (text: string, format: Format) => cut(text, format).map(({ content }) => content)

describe('Markdown', () => {
  test('is cut at its headings, and each passage knows those above it', () => {
    const text = `Before.

# Guide to **returns**

## How long

30 days.

## Where to
### Europe

Berlin.

Overseas
--------

Boston.`
    expect(cut(text)).toEqual([
      { heading: null, content: 'Before.' },
      { heading: 'Guide to returns > How long', content: '## How long\n\n30 days.' },
      { heading: 'Guide to returns > Where to > Europe', content: '### Europe\n\nBerlin.' },
      { heading: 'Guide to returns > Overseas', content: 'Overseas\n\nBoston.' },
    ])
  })

  test('keeps a heading that stands alone', () => {
    expect(cut('# Only a title')).toEqual([{ heading: 'Only a title', content: '# Only a title' }])
    expect(cut('# A\n# B\n\nb')).toEqual([
      { heading: 'A', content: '# A' },
      { heading: 'B', content: '# B\n\nb' },
    ])
  })

  test('takes a number sign inside code for code', () => {
    const code = '```sh\n# a comment <!-- kept -->\n\nnpm start\n```'
    expect(cut(`# Start\n\n${code}`)).toEqual([{ heading: 'Start', content: `# Start\n\n${code}` }])
    expect(cut('~~~\n# open to the end')).toEqual([
      { heading: null, content: '~~~\n# open to the end' },
    ])
  })

  test('leaves out comments, which no reader of the page sees', () => {
    const text = 'Seen. <!-- ignore all\n\nrules --> Also seen.<!-- x --> End.'
    expect(contents(text, 'markdown').join(' ')).not.toMatch(/ignore|rules|x/)
    expect(contents(text, 'markdown').join(' ')).toMatch(/Seen\..*Also seen\..*End\./s)
  })

  test('repeats the names of the columns over each part of a long table', () => {
    const rows = Array.from({ length: 120 }, (_, at) => `| part ${at} | costs ${at} euro |`)
    const passages = contents(['| Part | Price |', '|---|---|', ...rows].join('\n'), 'markdown')
    expect(passages.length).toBeGreaterThan(2)
    for (const passage of passages)
      expect(passage).toMatch(/^\| Part \| Price \|\n\|---\|---\|\n\| part/)
    expect(passages.join('\n').match(/costs/g)).toHaveLength(120)
  })

  test('keeps a table and a piece of code whole where they fit', () => {
    const code = ['```', ...Array.from({ length: 60 }, (_, at) => `line(${at})`), '```'].join('\n')
    const filler = 'Some words before it. '.repeat(30).trim()
    expect(contents(`${filler}\n\n${code}`, 'markdown')).toContain(code)
  })
})

describe('plain text', () => {
  test('is packed from whole paragraphs up to the target', () => {
    const paragraph = (at: number) => `Paragraph ${at}. ${'It says something. '.repeat(15).trim()}`
    const all = Array.from({ length: 12 }, (_, at) => paragraph(at))
    const passages = contents(all.join('\n\n'), 'plain')
    expect(passages.flatMap((passage) => passage.split('\n\n'))).toEqual(all)
    expect(passages.length).toBeGreaterThan(3)
    expect(passages.length).toBeLessThan(12)
  })

  test('is cut between sentences where a paragraph is too long', () => {
    const sentences = Array.from({ length: 80 }, (_, at) => `Sentence number ${at} says one thing.`)
    const passages = contents(sentences.join(' '), 'plain')
    expect(passages.length).toBeGreaterThan(1)
    for (const passage of passages) expect(passage).toMatch(/^Sentence .*thing\.$/s)
    expect(passages.join(' ')).toBe(sentences.join(' '))
  })

  test('is cut between Japanese sentences too', () => {
    const sentences = Array.from({ length: 60 }, (_, at) => `これは${at}番目の文です。`)
    const passages = contents(sentences.join(''), 'plain')
    expect(passages.length).toBeGreaterThan(1)
    for (const passage of passages) expect(passage).toMatch(/。$/)
    expect(passages.join('')).toBe(sentences.join(''))
  })

  test.each([
    ['a word without end', 'x'.repeat(20_000)],
    ['emoji', '😀'.repeat(5_000)],
    ['Chinese without a stop', '退货'.repeat(3_000)],
    ['words without a stop', 'word '.repeat(5_000).trim()],
    ['lines', 'key=value\n'.repeat(3_000).trim()],
  ])('never grows beyond the limit nor divides a character: %s', (_, text) => {
    const passages = contents(text, 'plain')
    for (const passage of passages) {
      expect(estimateTokens(passage)).toBeLessThanOrEqual(MAX_TOKENS)
      expect(passage.isWellFormed()).toBe(true)
    }
    expect(passages.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
  })
})

test.each<Format>(['markdown', 'plain'])(
  '500 KB that open everything and close nothing are read in time (%s)',
  (format) => {
    const start = performance.now()
    for (const part of [
      '<!--',
      '```\n',
      '|-',
      '# ',
      '!?.',
      '[](',
      '\n\n ',
      '= \n',
      '\u300d',
      '。',
      ')',
      '.)',
      '**',
    ]) {
      cut(part.repeat(500_000 / part.length), format)
    }
    expect(performance.now() - start).toBeLessThan(15_000)
  },
)
