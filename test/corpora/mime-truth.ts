// The truth of mime4j's mails, and what a parser makes of one, both as a tree of parts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A part without parts has bytes. A message holds one part. */
export interface Node {
  kind: 'multipart' | 'message' | 'leaf'
  bytes: Buffer
  children: Node[]
}

export const leaf = (bytes: Buffer): Node => ({ kind: 'leaf', bytes, children: [] })
export const branch = (kind: 'multipart' | 'message', children: Node[]): Node => ({
  kind,
  bytes: Buffer.alloc(0),
  children,
})

export interface Case {
  name: string
  raw: Buffer
  /** Undefined where mime4j has none. */
  truth: Node | undefined
}

export function readCases(folder: string): Case[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.msg'))
    .sort()
    .map((name) => {
      const file = join(folder, name)
      const truth = file.replace(/\.msg$/, '_decoded.xml')
      return {
        name,
        raw: readFileSync(file),
        truth: existsSync(truth) ? readTruth(truth) : undefined,
      }
    })
}

const PROSE = /<(field|preamble|epilogue)>[\s\S]*?<\/\1>/g
const TAG = /<(\/?)(multipart|message|text-body|binary-body)(?: name="([^"]+)")?\/?>/g

function readTruth(file: string): Node {
  const open = [branch('message', [])]
  for (const [, closes, tag, name] of readFileSync(file, 'utf8').replace(PROSE, '').matchAll(TAG)) {
    if (closes) open.pop()
    else if (name) open.at(-1)?.children.push(leaf(readFileSync(join(dirname(file), name))))
    else {
      const node = branch(tag === 'multipart' ? 'multipart' : 'message', [])
      open.at(-1)?.children.push(node)
      open.push(node)
    }
  }
  const [message] = open[0]?.children ?? []
  const [root] = message?.children ?? []
  if (root === undefined) throw new Error(`${file} holds no message`)
  return root
}

/** Line ends and white space at both ends do not count; neither does the character set: letters compare too. */
export function sameTree(ours: Node, truth: Node): boolean {
  return (
    ours.kind === truth.kind &&
    sameBytes(ours.bytes, truth.bytes) &&
    ours.children.length === truth.children.length &&
    ours.children.every((child, at) => sameTree(child, truth.children[at] ?? leaf(child.bytes)))
  )
}

function sameBytes(ours: Buffer, truth: Buffer): boolean {
  const wanted = ['latin1', 'utf8'].map((set) => plain(truth.toString(set as BufferEncoding)))
  return [plain(ours.toString('latin1')), plain(ours.toString('utf8'))].some((text) =>
    wanted.includes(text),
  )
}

const plain = (text: string) => text.replace(/\r\n?/g, '\n').trim()
