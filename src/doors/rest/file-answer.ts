// A file as an answer: always to be saved, never shown, since it is a stranger's and this is our origin.
import type { Answer } from './route.ts'

interface File {
  filename: string
  content_type: string
  bytes: Uint8Array
}

export function fileAnswer({ filename, content_type, bytes }: File): Answer {
  return {
    status: 200,
    body: bytes,
    headers: {
      'Content-Type': content_type,
      'Content-Disposition': dispositionOf(filename),
      'Content-Security-Policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    },
  }
}

/** RFC 6266 §4.3 and appendix D: a name in ASCII for old clients, and the name itself in UTF-8 (RFC 8187). */
function dispositionOf(filename: string): string {
  const name = filename.replace(/[/\\]/g, '_')
  const ascii = name.replace(/[^ -~]|["%]/g, '_')
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
