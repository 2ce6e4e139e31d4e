// Letters that look like others: words of several scripts, and words of one that pass for another. UTS #39.

/** Scripts whose letters are mistaken for each other's; Chinese, Japanese and Korean mix theirs with Latin. */
const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Armenian',
  'Cherokee',
  'Georgian',
  'Hebrew',
] as const
const LETTERS = SCRIPTS.map((script) => new RegExp(`\\p{Script=${script}}`, 'u'))
const WORD = /[\p{L}\p{M}]+/gu

/** Cyrillic and Greek letters that look like a Latin one in common typefaces. UTS #39 confusables, single letters. */
const LOOKALIKE = /^[аеорсухіјѕһԁԛԝӏьгпАВЕКМНОРСТУХІЈЅԌԚԜӀαοινυρκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]+$/u
const LATIN = LETTERS[0] as RegExp
/** Shorter words that consist of such letters are everyday words. */
const MIN_LOOKALIKE = 3

/** Whether a word of the text mixes scripts that no language mixes, or passes for Latin among Latin words. */
export function mixesScripts(text: string): boolean {
  const words = text.normalize('NFC').match(WORD) ?? []
  if (words.some((word) => LETTERS.filter((script) => script.test(word)).length > 1)) return true
  return words.some((word) => LATIN.test(word)) && words.some(passesForLatin)
}

/**
 * Whether a domain, in Unicode, has a label of mixed scripts, or one that passes for Latin under a Latin ending.
 * @param domain with U-labels
 */
export function isConfusableDomain(domain: string): boolean {
  const labels = domain.split('.')
  const latinEnding = LATIN.test(labels.at(-1) ?? '')
  return labels.some((label) => mixesScripts(label) || (latinEnding && passesForLatin(label)))
}

const passesForLatin = (word: string) => word.length >= MIN_LOOKALIKE && LOOKALIKE.test(word)
