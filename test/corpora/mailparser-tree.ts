// mailparser alone, taken as far as it can tell: its tree of parts, attached mails read by it again.
import { MailParser } from 'mailparser'
import { branch, leaf, type Node } from './mime-truth.ts'

interface Inner {
  contentType: string
  isAttachment?: boolean
  textContent?: string
  children: Inner[]
}

export async function mailparserTree(raw: Buffer): Promise<Node> {
  const parser = new MailParser({
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
    keepDeliveryStatus: true,
  })
  const attached: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    parser.on('error', reject).on('end', resolve)
    parser.on('data', (data) => {
      if (data.type !== 'attachment') return
      const chunks: Buffer[] = []
      data.content.on('data', (chunk: Buffer) => chunks.push(chunk))
      data.content.on('end', () => {
        attached.push(Buffer.concat(chunks))
        data.release()
      })
    })
    parser.end(raw)
  })
  return nodeOf((parser as unknown as { tree: Inner }).tree, attached)
}

async function nodeOf(inner: Inner, attached: Buffer[]): Promise<Node> {
  const isMultipart = inner.contentType.startsWith('multipart/')
  if (isMultipart || inner.children.length > 0) {
    const children: Node[] = []
    for (const child of inner.children) children.push(await nodeOf(child, attached))
    return branch(isMultipart ? 'multipart' : 'message', children)
  }
  if (!inner.isAttachment) return leaf(Buffer.from(inner.textContent ?? ''))
  const bytes = attached.shift() ?? Buffer.alloc(0)
  if (inner.contentType !== 'message/rfc822') return leaf(bytes)
  return branch('message', [await mailparserTree(bytes)])
}
