// A text as whoever receives it could read it: without what splits words unseen, and with what is wrapped in base64. Pure.

/** Longer texts are read in pieces, so that others get their turn between two of them. */
const PIECE = 256 * 1024
/** Pieces overlap by more than the longest secret and its wrapping. */
const OVERLAP = 8 * 1024
/** Secrets wrapped twice are found, three times not. */
const DEPTH = 2
/** 16 bytes: what is shorter holds no key. Padding says nothing. RFC 4648 §4 and §5. */
const RUN = /[A-Za-z0-9+/_-]{22,}/g
/** 4 bytes: a short word. Ordinary words have that length too, so only mails of a usual size are read so closely (60 KB: 50 ms). */
const SHORT_RUN = /[A-Za-z0-9+/_-]{6,}/g
const USUAL_SIZE = 64 * 1024
/** What no reader sees, or what is no text at all. Unicode: Default_Ignorable_Code_Point, and the blanks that pass for letters. */
const UNSEEN =
  /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Mn}\u115f\u1160\u2800\u3164\uffa0]|(?![\t\n\r])\p{Cc}/gu

/** Each view of a text, piece by piece. */
export function* viewsOf(text: string): Generator<string> {
  for (let start = 0; start === 0 || start < text.length - OVERLAP; start += PIECE - OVERLAP) {
    yield* viewsOfPiece(text.slice(start, start + PIECE), DEPTH)
  }
}

function* viewsOfPiece(piece: string, depth: number): Generator<string> {
  const seen = asSeen(piece)
  yield seen
  if (depth === 0) return
  const plain = unescaped(seen)
  if (plain !== seen) yield* viewsOfPiece(plain, depth - 1)
  // Lines of base64 are 76 characters long; without what stands between them it is one run.
  for (const text of new Set([seen, seen.replace(/\s+/g, '')])) {
    for (const [run] of text.matchAll(text.length > USUAL_SIZE ? RUN : SHORT_RUN)) {
      for (const decoded of decodings(run)) yield* viewsOfPiece(decoded, depth - 1)
    }
  }
}

/** The text in its plainest form: compatibility characters folded (full-width letters), unseen ones gone. */
export const asSeen = (text: string) => text.normalize('NFKC').replace(UNSEEN, '')

/** RFC 2045 §6.7 (quoted-printable), RFC 3986 §2.1 (percent) and numeric references of HTML, read as what they stand for. */
const SOFT_BREAK = /=[ \t]*\r?\n/g
const OCTETS = /(?:=[0-9A-Fa-f]{2})+|(?:%[0-9A-Fa-f]{2})+/g
const REFERENCE = /&#(?:[xX]([0-9A-Fa-f]{1,6})|(\d{1,7}));?/g
const LAST_CODE_POINT = 0x10ffff

function unescaped(text: string): string {
  return text
    .replace(SOFT_BREAK, '')
    .replace(OCTETS, (octets) => Buffer.from(octets.replace(/[=%]/g, ''), 'hex').toString('utf8'))
    .replace(REFERENCE, (written, hex: string | undefined, decimal: string | undefined) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code > LAST_CODE_POINT ? written : String.fromCodePoint(code)
    })
}

/** A run may begin with letters that do not belong to it: four of them make three bytes, so one of four starts is right. */
function decodings(run: string): string[] {
  return [0, 1, 2, 3]
    .map((start) => Buffer.from(run.slice(start), 'base64').toString('utf8').replaceAll('\0', ''))
    .filter(holdsText)
}

/** Enough of it in a row to hold a key or a word. */
const holdsText = (decoded: string) =>
  /[\x20-\x7e\r\n\t]{4}/.test(decoded) || /[\p{L}\p{N} ]{4}/u.test(decoded)
