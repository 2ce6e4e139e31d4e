// What a text costs a model, estimated: near enough to keep a budget, cheap enough for every result.

/**
 * Chinese, Japanese and Korean signs, runs of other letters and digits, blanks, ASCII signs, other symbols.
 * Each alternative takes a whole run, so that no text makes this slow: 20 MB a second.
 */
const PIECES =
  /([\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])|((?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])[\p{L}\p{M}\p{N}_])+)|(\n|\s{2,})|([!-/:-@[-^`{-~]+)|(\S)/gu

/** Of ids, hashes and encoded bytes: letters and digits in no order that anybody learns. */
const RANDOM_PER_TOKEN = 1.5
const RANDOM_LENGTH = 8
const PER_DENSE = 0.78
const SIGNS_PER_TOKEN = 3
const DIGITS_PER_TOKEN = 3
/** Of an emoji, a dash, a quotation mark, for each UTF-16 unit. */
const PER_SYMBOL = 0.9

/**
 * About how many tokens a text is; rather too many than too few. Measured against o200k_base on mail in 13 languages,
 * JSON, ids, code, links and random letters: between 0.9 and 1.4 of the true count each, blanks alone 1.6
 * (test/doors/mcp/tokens.test.ts). The table of the real tokenizer takes a second to load.
 */
export function estimateTokens(text: string): number {
  let tokens = 0
  for (const [piece, dense, run, blank, signs] of text.matchAll(PIECES)) {
    if (run !== undefined) tokens += ofRun(run)
    else if (signs !== undefined) tokens += Math.ceil(piece.length / SIGNS_PER_TOKEN)
    else if (dense !== undefined) tokens += PER_DENSE
    else tokens += blank === undefined ? PER_SYMBOL * piece.length : 1
  }
  return Math.ceil(tokens)
}

function ofRun(run: string): number {
  if (/^\d+$/.test(run)) return Math.ceil(run.length / DIGITS_PER_TOKEN)
  if (!/\d/.test(run)) return ofWord(run)
  return run.length / (run.length < RANDOM_LENGTH ? 2 : RANDOM_PER_TOKEN)
}

/** Common words are one token; longer ones, those of other alphabets and shouted ones are cut. */
function ofWord(word: string): number {
  if (/^[A-Z]{4,}$/.test(word)) return word.length / 3.2
  if (/^\w+$/.test(word)) return word.length <= 7 ? 1.04 : 1 + (word.length - 7) / 5
  if (/^[\p{Script=Latin}\p{M}]+$/u.test(word)) return Math.max(1, word.length / 2.3)
  return Math.max(
    1,
    word.length / (/^[\p{Script=Cyrillic}\p{Script=Arabic}]/u.test(word) ? 3.2 : 2.4),
  )
}
