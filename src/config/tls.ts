// The certificate and key that the SMTP door offers STARTTLS with: checked at the start, not at the first sender.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

interface Paths {
  cert: string | undefined
  key: string | undefined
}

interface Wrong {
  variable: string
  /** What would be right, as the end of "it must be …". */
  right: string
}

const CERT = 'SMTP_TLS_CERT'
const KEY = 'SMTP_TLS_KEY'

/** PEM texts of files that were found right; undefined where none are named. */
export function tlsFiles({ cert, key }: Paths): { cert: string; key: string } | undefined {
  if (cert === undefined || key === undefined) return undefined
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** Each variable that keeps STARTTLS from being offered, with what would be right. */
export function wrongTls({ cert, key }: Paths): Wrong[] {
  if (cert === undefined && key === undefined) return []
  if (key === undefined) return [wrong(KEY, `the PEM file of the key that belongs to ${CERT}`)]
  if (cert === undefined) {
    return [wrong(CERT, `the PEM file of the certificate that belongs to ${KEY}`)]
  }
  const certificate = attempt(() => readFileSync(cert, 'utf8'))
  const secret = attempt(() => readFileSync(key, 'utf8'))
  const unread = [
    ...(certificate === undefined ? [wrong(CERT, 'a PEM file that this process can read')] : []),
    ...(secret === undefined ? [wrong(KEY, 'a PEM file that this process can read')] : []),
  ]
  if (certificate === undefined || secret === undefined) return unread
  return wrongPair(certificate, secret)
}

function wrongPair(cert: string, key: string): Wrong[] {
  const certificate = attempt(() => new X509Certificate(cert))
  const secret = attempt(() => createPrivateKey(key))
  if (certificate === undefined) return [wrong(CERT, 'a PEM file that holds a certificate')]
  if (secret === undefined) {
    return [wrong(KEY, 'a PEM file that holds a private key without a passphrase')]
  }
  const fits = certificate.checkPrivateKey(secret)
  const usable = attempt(() => createSecureContext({ cert, key })) !== undefined
  return fits && usable
    ? []
    : [wrong(KEY, `the PEM key that belongs to the certificate in ${CERT}`)]
}

const wrong = (variable: string, right: string): Wrong => ({ variable, right })

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
