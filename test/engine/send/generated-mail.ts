/** Mails as callers might ask for them: addresses in every spelling that is right, and in many that would smuggle somebody in. */
import fc from 'fast-check'

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/)
const local = fc.oneof(
  { weight: 9, arbitrary: word },
  { weight: 9, arbitrary: fc.stringMatching(/^[A-Za-z0-9]{1,4}([.+_-][a-z0-9]{1,4}){0,2}$/) },
  { weight: 1, arbitrary: fc.constantFrom('jörg', 'Jörg.M+x', '用户', 'दीपक', 'jo\u0308rg') },
)
/** One job a domain: mostly the same one, so that ten thousand mails are not five times as many deliveries. */
const domain = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('x.test', 'X.Test') },
  { weight: 1, arbitrary: fc.constantFrom('y.test', 'sub.x.test', 'münchen.test') },
)
const email = fc.tuple(local, domain).map(([a, b]) => `${a}@${b}`)
const name = fc.oneof(
  word,
  fc.constantFrom('Ann Ågren', '"Doe, John"', '王小明', 'a.b', "O'Neil", '“x”', '"a \\"b\\" c"'),
)
const good = fc.oneof(
  email,
  fc.tuple(name, email).map(([n, e]) => `${n} <${e}>`),
  fc.tuple(email).map(([e]) => `  ${e} `),
  fc.tuple(email).map(([e]) => ({ email: e })),
  fc
    .tuple(fc.oneof(word, fc.string({ maxLength: 20 })), email)
    .map(([n, e]) => ({ email: e, name: n })),
)
/** Two of them in the clothes of one, and what other programs would read as another. */
const hostile = fc.oneof(
  fc
    .tuple(email, fc.constantFrom(',', ';', ' ', '\n', '\r\n', '\0', '\t', '>', '> <'), email)
    .map(([a, between, b]) => a + between + b),
  fc.tuple(email, email).map(([a, b]) => `${a} <${b}>`),
  fc.tuple(email, email).map(([a, b]) => `"${a}" <${b}>, ${a}`),
  fc.tuple(email, email).map(([a, b]) => `"${a} x"@${b}`),
  fc.tuple(word, email, email).map(([w, a, b]) => `${w}: ${a}, ${b};`),
  fc.tuple(email, email).map(([a, b]) => `@${a.split('@')[1]}:${b}`),
  fc.tuple(word, email).map(([w, e]) => `${w}%z.test@${e}`),
  fc.tuple(word, email).map(([w, e]) => `z.test!${w}@${e}`),
  fc.tuple(email, email).map(([a, b]) => ({ email: a, name: `x\r\nBcc: ${b}` })),
  fc.tuple(email, email).map(([a, b]) => ({ email: `${a},${b}` })),
  fc.tuple(word, email).map(([w, e]) => `(${w}) ${e} (${w})`),
  fc
    .tuple(word, fc.constantFrom('\u200b', '\u202e', '＠', '，', '\u3164', '\u{e0061}'), email)
    .map(([w, unseen, e]) => `${w}${unseen}${e}`),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.tuple(fc.string({ maxLength: 10 }), email).map(([s, e]) => `${s}${e}`),
)
const field = (least: number) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.array(good, { minLength: least, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(fc.oneof(good, hostile), { minLength: least, maxLength: 3 }) },
  )
const written = fc.record(
  {
    to: field(1),
    cc: field(0),
    bcc: field(0),
    reply_to: fc.array(fc.oneof(good, hostile), { maxLength: 1 }),
    subject: fc.oneof(word, fc.string({ maxLength: 60 })),
    headers: fc.dictionary(
      fc.constantFrom('X-Case-ID', 'Bcc', 'To', 'X-SMTPAPI', 'Keywords'),
      fc.oneof(word, email, fc.constant('a\r\nBcc: eve@z.test')),
      { maxKeys: 1 },
    ),
  },
  { requiredKeys: ['to', 'subject'] },
)
export const input = fc.record({
  written,
  /** Which conversation it answers, if any; whether everybody there; whether a person has to approve it. */
  answers: fc.option(fc.nat({ max: 3 }), { freq: 4 }),
  all: fc.boolean(),
  reviewed: fc.boolean(),
})
export type Input = typeof input extends fc.Arbitrary<infer T> ? T : never
