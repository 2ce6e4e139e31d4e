// What a request carries: a JSON object, or a form with a file; refused before more than the limit is read.
import { TooLarge, UnsupportedType, ValidationFailed } from '../../engine/errors.ts'
import { readJson } from './json.ts'
import type { Upload } from './route.ts'

export type Fields = Record<string, unknown>

/** A JSON object; none at all is an empty one. Throws UnsupportedType or ValidationFailed. */
export async function jsonFields(request: Request, maxBytes: number): Promise<Fields> {
  const bytes = await bytesOf(request, maxBytes)
  if (bytes.length === 0) return {}
  checkType(request, /^application\/([\w.-]+\+)?json$/, {
    wanted: 'application/json',
    fix: 'Send JSON with the header "Content-Type: application/json".',
  })
  const text = utf8(bytes)
  const value = text.trim() === '' ? {} : readJson(text)
  if (isObject(value)) return value
  throw new ValidationFailed([
    { field: 'body', message: 'must be a JSON object, like {"name": …}' },
  ])
}

export interface Form {
  fields: Fields
  file: Upload | undefined
}

/** A multipart form (RFC 7578): texts, and one file in the field `file`. */
export async function formFields(request: Request, maxBytes: number): Promise<Form> {
  const bytes = await bytesOf(request, maxBytes)
  checkType(request, /^multipart\/form-data$/, {
    wanted: 'multipart/form-data',
    fix: 'Send a form with the file in the field "file", as curl -F "file=@manual.md" does.',
  })
  const form = await parsedForm(bytes, request.headers.get('content-type') ?? '')
  const fields: Fields = {}
  let file: Upload | undefined
  for (const [name, value] of form) {
    if (name in fields || (name === 'file' && file)) throw wrong(name, 'is given twice')
    if (typeof value === 'string') fields[name] = value
    else if (name === 'file') file = await uploadOf(value)
    else throw wrong(name, 'is a file; the file goes into the field "file"')
  }
  if (typeof fields.file === 'string') {
    throw wrong('file', 'is a text; send it as a file, as curl -F "file=@manual.md" does')
  }
  return { fields, file }
}

/** The bytes of a body. Throws TooLarge as soon as it is known to be larger than `maxBytes`. */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunksOf(request)) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** The chunks as they arrive; a connection that breaks off is the caller's fault. */
async function* chunksOf({ body }: Request): AsyncGenerator<Uint8Array> {
  if (body === null) return
  try {
    yield* body
  } catch (cause) {
    throw new ValidationFailed([{ field: 'body', message: 'broke off before its end' }], { cause })
  }
}

const MIB = 1024 * 1024
const tooLarge = (maxBytes: number) =>
  new TooLarge(`The body is larger than ${maxBytes / MIB} MB.`, {
    fix: `Send at most ${maxBytes / MIB} MB in one request.`,
  })

function bytesOf(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const coding = request.headers.get('content-encoding')
  if (coding !== null && coding !== 'identity') {
    throw new UnsupportedType('A body with a Content-Encoding is not read.', {
      fix: 'Send the body as it is, without compression.',
    })
  }
  return readBody(request, maxBytes)
}

function checkType(
  request: Request,
  right: RegExp,
  { wanted, fix }: { wanted: string; fix: string },
) {
  const [type = '', ...parameters] = (request.headers.get('content-type') ?? '')
    .toLowerCase()
    .split(';')
  const charset = /charset="?([\w-]+)/.exec(parameters.join(';'))?.[1] ?? 'utf-8'
  if (right.test(type.trim()) && /^(utf-?8|us-ascii)$/.test(charset)) return
  const found = type.trim() === '' ? 'none' : JSON.stringify(type.trim().slice(0, 80))
  throw new UnsupportedType(`The Content-Type must be ${wanted} in UTF-8; it is ${found}.`, { fix })
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw wrong('body', 'is not valid UTF-8')
  }
}

async function parsedForm(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { 'content-type': type } }).formData()
  } catch (cause) {
    throw new ValidationFailed(
      [{ field: 'body', message: 'is not a multipart form: its parts do not fit the boundary' }],
      {
        fix: 'Let the HTTP client make the form and its Content-Type; do not set them by hand.',
        cause,
      },
    )
  }
}

const uploadOf = async (file: File): Promise<Upload> => ({
  filename: file.name,
  contentType: file.type,
  bytes: new Uint8Array(await file.arrayBuffer()),
})

const wrong = (field: string, message: string) => new ValidationFailed([{ field, message }])

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
