// A file that goes out with a mail: what it may be called, what it may be, how large it may get. Pure.
import libmime from 'libmime'
import { shownFilename } from '../../messages/filename.ts'
import { headerText } from '../header-text.ts'

export interface AttachedFile {
  filename: string
  /** `type/subtype` in lower case, without parameters. */
  contentType: string
  bytes: Buffer
  /** What the HTML calls it by (`cid:logo`), without angle brackets; null: it stands beside the text. RFC 2392. */
  contentId: string | null
}

const MIB = 1024 * 1024
export const MAX_FILE = 10 * MIB
/** Bodies and files together, before their encoding makes a third more of them. */
export const MAX_MAIL = 25 * MIB
/** The bytes on the wire: base64 of 25 MB and its line breaks have 34.2 MB. RFC 2045 §6.8. */
export const MAX_WIRE = 35 * MIB
export const MAX_FILES = 10

const MAX_CONTENT_ID = 200
const TOKEN = "[a-z0-9!#$&^_.+'-]{1,100}"
const TYPE = new RegExp(`^(${TOKEN}/${TOKEN})\\s*(;.*)?$`, 'i')
export const UNKNOWN_TYPE = 'application/octet-stream'
/** RFC 5322 §3.2.3 dot-atoms, with or without a domain: what every program finds again in `cid:`. */
const CONTENT_ID = /^[\w!#$&'*+/=?^`{|}~-]+(\.[\w!#$&'*+/=?^`{|}~-]+)*(@[\w.-]+)?$/

/** As it is shown, and nothing in it that a reader would decode. Undefined where nothing is left. */
export const cleanFilename = (given: string): string | undefined => shownFilename(headerText(given))

/** The type as it is kept; by the name's ending where none was given, or one that says nothing. Undefined where it is none. RFC 2045 §5.1. */
export function contentTypeOf(given: string | undefined, filename: string): string | undefined {
  const type = given?.trim() ? TYPE.exec(given.trim())?.[1]?.toLowerCase() : UNKNOWN_TYPE
  return type === UNKNOWN_TYPE ? libmime.detectMimeType(filename) || UNKNOWN_TYPE : type
}

/** A name for a file that came without one. */
export function nameFor(contentType: string, position: number): string {
  return `attachment-${position + 1}.${libmime.detectExtension(contentType) || 'bin'}`
}

export function isContentId(id: string): boolean {
  return id.length <= MAX_CONTENT_ID && CONTENT_ID.test(id)
}

/** Rounded up: what is over a limit does not read as the limit itself. */
export const megabytes = (bytes: number) => `${(Math.ceil((bytes / MIB) * 10) / 10).toFixed(1)} MB`
