// Which stemmer reads a text: told by its script, among Latin languages by their small words.

/** The small words that tell a language from its neighbours; the stemmers of PostgreSQL 15 have these languages. */
const SMALL_WORDS: Record<string, string> = {
  english: 'the of and to in is that for with are this be on by from you your not have',
  german:
    'der die das und ist nicht mit von den ein eine für auf zu im sich werden bei wird sie oder',
  french: 'le la les des et est une pour dans que qui sur avec pas du vous votre par ou ce',
  spanish: 'el la los las de y es una para en que con por del su se no un como más',
  italian: 'il di che è per una con non del della sono gli nel le si dei alla più anche',
  portuguese: 'o os as de e é uma para em que com não do da dos das por ao seu você',
  dutch: 'de het een van en is niet met voor zijn op aan te dat die bij ook wordt u uw',
  swedish: 'och att det är som på för med av inte ett till den har kan eller från du din',
  danish: 'og at det er som på for med af ikke et til den har kan eller fra du din der hvis',
  norwegian: 'og at det er som på for med av ikke et til den har kan eller fra du din hvis både',
  finnish: 'ja on ei että se ovat voi kun tai mutta sekä jos kuin oli joka myös ole tämä',
  hungarian: 'a az és hogy nem is egy van meg ha csak vagy kell lehet el de mint után ezt',
  romanian: 'și de la în este cu nu pe care din un o pentru sunt mai sau ale prin dacă',
  turkish: 've bir bu için ile da de olarak daha çok en gibi olan ise veya değil kadar sonra',
  lithuanian: 'ir yra kad su tai ne į iš kaip bet arba jei nuo per apie buvo gali bus',
  indonesian:
    'yang dan di ini untuk dengan dari pada adalah tidak dalam akan atau ke anda dapat oleh',
}
const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['russian', /\p{Script=Cyrillic}/gu],
  ['greek', /\p{Script=Greek}/gu],
  ['arabic', /\p{Script=Arabic}/gu],
  ['hindi', /\p{Script=Devanagari}/gu],
  ['tamil', /\p{Script=Tamil}/gu],
  ['armenian', /\p{Script=Armenian}/gu],
]
const KNOWN = new Map(
  Object.entries(SMALL_WORDS).map(([language, words]) => [language, new Set(words.split(' '))]),
)
/** Without its stemmer a word is found as it is written. */
const NO_LANGUAGE = 'simple'
const SAMPLE_LENGTH = 20_000

/**
 * The language of a text as PostgreSQL names its stemmers: `english`, `german` …; `simple` where there is none for it.
 * @param fallback the language of Latin text that has none of the small words, such as a list of codes
 */
export function languageOf(text: string, fallback = 'english'): string {
  const sample = text.slice(0, SAMPLE_LENGTH)
  const letters = sample.match(/\p{L}/gu)?.length ?? 0
  const script = SCRIPTS.find(([, signs]) => (sample.match(signs)?.length ?? 0) > letters / 2)
  if (script) return script[0]
  const latin = sample.match(/\p{Script=Latin}/gu)?.length ?? 0
  if (latin < letters / 2) return NO_LANGUAGE
  const words = sample.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []
  const [best] = [...KNOWN]
    .map(([language, small]) => ({
      language,
      hits: words.filter((word) => small.has(word)).length,
    }))
    .sort((a, b) => b.hits - a.hits)
  return best && best.hits > 0 ? best.language : fallback
}
