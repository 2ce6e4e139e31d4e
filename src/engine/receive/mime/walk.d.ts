import type { Parameters } from './parameters.js'
import type { HeaderLine } from './read.js'

/** A part as places in the bytes of the mail: its header before `start`, its body up to `end`. */
export interface Part {
  fields: HeaderLine[]
  type: Parameters
  disposition: Parameters
  /** The transfer encoding, in lower case; empty where none is named. */
  encoding: string
  start: number
  end: number
  depth: number
  parent: Part | undefined
  children: Part[]
  /** Set where it is a multipart that was taken apart. */
  boundary: string | undefined
}

export function walk(raw: Buffer): { root: Part; cut: boolean }
