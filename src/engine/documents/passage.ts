// How long a passage may be, and how a text that is too long is cut: at paragraphs, sentences, words, and last between characters.

/** A passage answers one question: a longer one hides the answer in the rest, a shorter one loses its setting. */
export const TARGET_TOKENS = 250
/** A paragraph, table or piece of code up to this size is kept whole. */
export const MAX_TOKENS = 400

const CHARS_PER_TOKEN = 4
/** Scripts that write a syllable or a word with one sign. */
const DENSE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu
/**
 * Latin sentences end before a space; Chinese and Japanese ones (U+3002, U+FF01, U+FF1F) need none.
 * At most three closing marks are looked at, since looking back without a bound takes quadratic time.
 */
const SENTENCE_END =
  /(?<=[.!?]["'\u201d\u2019)\]]{0,3}\s)(?=\S)|(?<=[\u3002\uff01\uff1f][\u300d\u300f\u201d]{0,3})(?=[^\u3002\uff01\uff1f\u300d\u300f\u201d])/u

/** A text's size as models count it, estimated: four characters a token, in dense scripts one. */
export function estimateTokens(text: string): number {
  const dense = text.match(DENSE)?.length ?? 0
  return dense + Math.ceil((text.length - dense) / CHARS_PER_TOKEN)
}

/**
 * Joins neighbouring pieces into passages of about TARGET_TOKENS; a piece of its own may be as long as it is.
 * Passages do not overlap: pieces are whole paragraphs or sentences, and an overlap would give the reader the same sentence twice.
 */
export function* packPassages(pieces: Iterable<string>, joint: string): Generator<string> {
  let open: string[] = []
  let size = 0
  for (const piece of pieces) {
    const tokens = estimateTokens(piece)
    if (open.length > 0 && size + tokens > TARGET_TOKENS) {
      yield open.join(joint)
      open = []
      size = 0
    }
    open.push(piece)
    size += tokens
  }
  if (open.length > 0) yield open.join(joint)
}

/** The paragraph whole where it fits, else cut at the ends of sentences, a too long sentence at its words. */
export function fitProse(paragraph: string): string[] {
  if (fits(paragraph)) return [paragraph]
  const sentences = paragraph
    .split(SENTENCE_END)
    .flatMap((one) => (fits(one) ? [one] : cutWords(one)))
  return [...packPassages(sentences, '')].map((passage) => passage.trim()).filter(Boolean)
}

/** Code and lists of lines: whole where they fit, else cut at the ends of lines. */
export function fitLines(text: string): string[] {
  if (fits(text)) return [text]
  const lines = text.split('\n').flatMap((line) => (fits(line) ? [line] : cutWords(line)))
  return [...packPassages(lines, '\n')]
}

const fits = (text: string) => estimateTokens(text) <= MAX_TOKENS

function cutWords(text: string): string[] {
  const words = text.match(/\S+\s*|\s+/gu) ?? []
  return [
    ...packPassages(
      words.flatMap((word) => (fits(word) ? [word] : cutCharacters(word))),
      '',
    ),
  ]
}

/** By code points, since half of a surrogate pair is no character. */
function cutCharacters(word: string): string[] {
  const characters = Array.from(word)
  const step = Math.max(1, Math.floor((characters.length * TARGET_TOKENS) / estimateTokens(word)))
  const count = Math.ceil(characters.length / step)
  return Array.from({ length: count }, (_, at) =>
    characters.slice(at * step, (at + 1) * step).join(''),
  )
}
