// The words of a text as the index knows them, before stemming: lower case, codes joined, scripts without spaces in pairs of signs.

export interface QuestionWord {
  /** How it may stand in the index; any of them counts as the word. */
  forms: string[]
  /** How much a passage that has it says about the question, beside how rare it is. */
  weight: number
}

const COMPOUND = /[\p{L}\p{M}\p{N}]+(?:[-_./@:#+][\p{L}\p{M}\p{N}]+)*/gu
const SEPARATOR = /[-_./@:#+]/
const DIGIT = /\p{N}/u
/** 1,000 and 1'000 are 1000. */
const THOUSANDS = /(?<=\d)[,'\u2019](?=\d{3}(?!\d))/g
/** Runs of one script inside a word: the change of script is a border of words in Japanese. */
const RUNS =
  /\p{Script=Han}+|\p{Script=Hiragana}+|[\p{Script=Katakana}\u30fc]+|\p{Script=Hangul}+|[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u30fc\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu
const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u30fc\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const HIRAGANA = /^\p{Script=Hiragana}/u

/** Longer words are noise (base64, hashes) and would only fill the index. */
const MAX_WORD = 60
/** A passage about another code does not answer a question about this one, whatever else it says. */
const CODE_WEIGHT = 3
/** Hiragana writes mostly endings and particles. */
const HIRAGANA_WEIGHT = 0.2
/** Words of a question in any language that the stop words of the stemmers do not know. */
const ASKING = new Set(
  'please tell would could may might must shall much many give want need know let us explain describe bitte danke 什么 怎么 如何 多少 请问 可以 是否 哪里 何日 何時 何故 教え'.split(
    ' ',
  ),
)

/** Every word of the text in order, repetitions included; the parts of a compound, then the code it makes. */
export function wordsOf(text: string): string[] {
  return compounds(text).flatMap(({ parts, code }) => {
    const words = parts.flatMap(runs)
    return code ? [...words, code] : words
  })
}

/** The distinct words of a question that a passage should have. */
export function questionWords(question: string): QuestionWord[] {
  const words = compounds(question).flatMap(questionForms)
  const distinct = new Map(words.map((word) => [word.forms[0] ?? '', word]))
  const asked = [...distinct.values()].filter(({ forms }) => !ASKING.has(forms[0] ?? ''))
  return asked.length > 0 ? asked : [...distinct.values()]
}

interface Compound {
  parts: string[]
  /** The parts without what separates them: ERR-4711, ERR_4711 and ERR4711 are the same code. */
  code?: string
}

function compounds(text: string): Compound[] {
  const plain = text.normalize('NFKC').toLowerCase().replace(THOUSANDS, '')
  return (plain.match(COMPOUND) ?? []).map((compound) => {
    const parts = compound.split(SEPARATOR).map((part) => part.slice(0, MAX_WORD))
    const joined = parts.join('')
    if (parts.length === 1 || joined.length > MAX_WORD) return { parts }
    return parts.length === 2 || DIGIT.test(joined) ? { parts, code: joined } : { parts }
  })
}

function questionForms({ parts, code }: Compound): QuestionWord[] {
  if (code && DIGIT.test(code)) {
    // A text may name the number alone: "error 4711".
    const number = parts.filter((part) => /^\d{3,}$/.test(part))
    return [{ forms: [code, ...number], weight: CODE_WEIGHT }]
  }
  const words = parts.flatMap(runs).map(wordForm)
  const last = words.at(-1)
  // "e-mail" finds "email", "aero-elastic" finds "aeroelastic".
  if (code && last) last.forms.push(code)
  return words
}

function wordForm(word: string): QuestionWord {
  if (HIRAGANA.test(word)) return { forms: [word], weight: HIRAGANA_WEIGHT }
  const code = DIGIT.test(word) && !UNSPACED.test(word)
  return { forms: [word], weight: code && word.length > 2 ? CODE_WEIGHT : 1 }
}

function runs(part: string): string[] {
  return (part.match(RUNS) ?? []).flatMap((run) => (UNSPACED.test(run) ? pairs(run) : [run]))
}

/** 返品期限 is found by 返品, 品期 and 期限, since nothing says where its words end. */
function pairs(run: string): string[] {
  const signs = Array.from(run)
  if (signs.length === 1) return [run]
  return signs.slice(1).map((sign, at) => `${signs[at]}${sign}`)
}
