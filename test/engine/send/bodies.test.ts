import { describe, expect, test } from 'vitest'
import type { MessageRow } from '../../../src/engine/messages/message.ts'
import { readText } from '../../../src/engine/receive/text/read.ts'
import { type Bodies, bodiesOf } from '../../../src/engine/send/bodies.ts'
import { textOfHtml } from '../../../src/engine/send/html-text.ts'
import { htmlOfMarkdown } from '../../../src/engine/send/markdown.ts'
import { messageInput, readWritten } from '../../../src/engine/send/written.ts'

const original = {
  from: { email: 'ann@x.test', name: 'Ann "A" <b>' },
  to: [{ email: 'us@ours.test', name: 'Us' }],
  cc: [{ email: 'bob@x.test' }],
  subject: 'Where is\u2028it?',
  text_body: 'Hello,\n\n> earlier\n<script>alert(1)</script> & more',
  html_body: '<p>Hello</p><p style="display:none">hidden orders</p>',
  created_at: new Date('2026-11-22T08:10:11Z'),
} as MessageRow

type Target = 'answered' | 'forwarded' | 'none'

function bodies(over: object, target: Target = 'none', earlier = original): Bodies {
  const targets = { answered: { reply_to_message_id: 'm' }, forwarded: { forward_message_id: 'm' } }
  const written = readWritten(
    messageInput.parse({ to: 'a@x.test', ...(target === 'none' ? {} : targets[target]), ...over }),
  )
  const inbox = {} as Parameters<typeof bodiesOf>[1]['inbox']
  return bodiesOf(written, { inbox, ...(target === 'none' ? {} : { [target]: earlier }) })
}

describe('Markdown becomes HTML and text', () => {
  test('of headings, lists, tables, code, breaks and links', () => {
    const { text, html } = bodies({
      markdown_body:
        '# Offer\n\nDear **Ann**,\nhere: [site](https://x.test/a) or https://y.test/\n\n- one\n- two\n\n| Name | Qty |\n|---|---|\n| Apple | 2 |\n\n```\nx  y\n```\n\nBest,\nUs',
    })
    expect(html).toContain('<h1>Offer</h1>')
    expect(html).toContain('<p>Dear <strong>Ann</strong>,<br>\nhere: <a href="https://x.test/a">')
    expect(html).toContain('<a href="https://y.test/">https://y.test/</a>')
    expect(html).toContain('<td>Apple</td>')
    expect(html).toContain('<p>Best,<br>\nUs</p>')
    expect(text).toBe(
      'Offer\n\nDear Ann,\nhere: site [https://x.test/a] or https://y.test/\n\n * one\n * two\n\nName    Qty\nApple   2\n\nx  y\n\n\nBest,\nUs',
    )
  })

  test.each([
    ['<img src=x onerror=alert(1)>', '<p>&lt;img src=x onerror=alert(1)&gt;</p>\n'],
    ['[x](javascript:alert(1))', '<p>[x](javascript:alert(1))</p>\n'],
    ['<div>\n*x*\n</div>', '<p>&lt;div&gt;<br>\n<em>x</em><br>\n&lt;/div&gt;</p>\n'],
    ['![x](cid:logo)', '<p><img src="cid:logo" alt="x"></p>\n'],
    ['see main.rs', '<p>see main.rs</p>\n'],
  ])('%j as %j', (markdown, html) => expect(htmlOfMarkdown(markdown)).toBe(html))
})

describe('an entity is what it stands for', () => {
  test.each([
    [{ markdown_body: 'a&#13;.&#13;&#10;b' }, 'a . b'],
    [{ markdown_body: '`a&#13;b`' }, 'a&#13;b'],
    [{ html_body: '<pre>a&#13;.&#x0d;&#10;b</pre>' }, 'a\n.\nb'],
    [{ html_body: '<pre>&amp;#13;</pre>' }, '&#13;'],
  ])('%j has lines that end like all others', (over, words) => {
    const { text, html, newText } = bodies(over)
    expect(text).toBe(words)
    expect(newText).toBe(text)
    expect(html).not.toContain('\r')
  })

  test.each(['&#0;', '&#xD83D;'])('%s never is what no text may hold', (entity) => {
    for (const over of [{ markdown_body: `a${entity}b` }, { html_body: `<p>a${entity}b</p>` }]) {
      expect(bodies(over).text).toBe('a\uFFFDb')
    }
  })
})

describe('the text of HTML', () => {
  test.each([
    ['<p>Dear <b>Ann</b></p><p>x</p>', 'Dear Ann\n\nx'],
    ['<style>p{}</style><script>x()</script><p>a<br>b</p>', 'a\nb'],
    ['<a href="mailto:a@x.test">a@x.test</a> <a href="#top">up</a>', 'a@x.test up'],
    ['<img src="https://x.test/t.gif" alt=""><img src="a" alt="Logo">', 'Logo'],
    [
      '<table><tr><td>a</td><td>b</td></tr><tr><td><p>c</p><p>d</p></td></tr></table>',
      'a b\n\nc\n\nd',
    ],
    ['', ''],
  ])('%j is %j', (html, text) => expect(textOfHtml(html, 'layout')).toBe(text))

  test('of HTML that nests or repeats without end is cut, and takes no time without end', () => {
    const deep = '<div>'.repeat(20_000)
    expect(textOfHtml(`<p>a</p>${deep}x`, 'layout')).toMatch(/^a\s+…$/)
    expect(textOfHtml(`<p>a</p>${'<table><tr><td>'.repeat(5_000)}x`, 'data')).toContain('a')
    expect(textOfHtml(`<p>a</p>${'<br>x'.repeat(30_000)}`, 'layout')).toMatch(/^a\s[\sx]*…$/)
  })

  test('goes along where the caller gave none', () => {
    expect(bodies({ html_body: '<p>Hi</p>' })).toMatchObject({ text: 'Hi', newText: 'Hi' })
    expect(bodies({ html_body: '<p>Hi</p>', text_body: 'Hello' }).text).toBe('Hello')
  })
})

describe('a quoted copy', () => {
  const asked = { text_body: 'Here it is.\n', include_quoted: true }

  test('stands below the answer with > before each line, and is told apart', () => {
    const { text, html, newText, quoted } = bodies(asked, 'answered')
    const copy =
      'On Sun, 22 Nov 2026 08:10:11 +0000, Ann "A" <b> <ann@x.test> wrote:\n> Hello,\n>\n>> earlier\n> <script>alert(1)</script> & more'
    expect(text).toBe(`Here it is.\n\n${copy}`)
    expect([html, newText, quoted]).toEqual([null, 'Here it is.\n', [{ text: copy }]])
  })

  test('is no copy unless it is asked for', () => {
    const { text, quoted } = bodies({ text_body: 'Here' }, 'answered')
    expect([text, quoted]).toEqual(['Here', []])
  })

  test('has lines that end like all others, however the original had them', () => {
    const odd = { ...original, text_body: 'a\rb\r\nc' } as MessageRow
    const { text, quoted } = bodies(asked, 'answered', odd)
    expect(text).toMatch(/\n> a\n> b\n> c$/)
    expect(quoted[0]?.text).toMatch(/\n> a\n> b\n> c$/)
  })

  test('in HTML is a cited block inside the body, of the visible words only', () => {
    const { html } = bodies(
      { html_body: '<html><body><p>Here</p></body></html>', include_quoted: true },
      'answered',
    )
    expect(html).toMatch(/^<html><body><p>Here<\/p><br><div class="moz-cite-prefix">On Sun/)
    expect(html).toMatch(/<\/blockquote><\/body><\/html>$/)
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; more')
    expect(html).toContain('Ann &quot;A&quot; &lt;b&gt;')
    expect(html).not.toMatch(/hidden orders|<script/)
  })

  test('is folded away again by whoever reads it', () => {
    for (const over of [asked, { markdown_body: 'Here it is.', include_quoted: true }]) {
      const { text, html } = bodies(over, 'answered')
      const read = readText({ text, html })
      expect(read.new_text.trim()).toBe('Here it is.')
      expect(read.quoted).toHaveLength(1)
    }
  })
})

describe('a forward', () => {
  const block =
    '---------- Forwarded message ----------\nFrom: Ann "A" <b> <ann@x.test>\nDate: Sun, 22 Nov 2026 08:10:11 +0000\nSubject: Where is it?\nTo: Us <us@ours.test>\nCc: bob@x.test\n\nHello,\n\n> earlier\n<script>alert(1)</script> & more'

  test('carries the header and the visible words below a note', () => {
    const { text, html, newText, quoted } = bodies({ text_body: 'See below.' }, 'forwarded')
    expect(text).toBe(`See below.\n\n${block}`)
    expect([html, newText, quoted]).toEqual([null, text, []])
  })

  test('needs no note', () => expect(bodies({}, 'forwarded').text).toBe(block))

  test('with a note in Markdown has both forms', () => {
    const { text, html } = bodies({ markdown_body: '*See* below.' }, 'forwarded')
    expect(text).toBe(`See below.\n\n${block}`)
    expect(html).toMatch(/^<p><em>See<\/em> below\.<\/p>\n<br><div>---------- Forwarded message/)
    expect(html).not.toMatch(/hidden orders|<script/)
  })
})
