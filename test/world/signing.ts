/** A domain that signs its mail: a key made for the test, its record, DKIM signatures and ARC seals. */
import { generateKeyPairSync } from 'node:crypto'
import { sealMessage } from 'mailauth/lib/arc/index.js'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import type { NameServer } from './dns.ts'

export interface Signer {
  domain: string
  selector: string
  /** The mail with one more signature before it. */
  sign(mail: string, options?: SigningOptions): Promise<string>
  /** The mail with the fields of the next instance of ARC before it. */
  seal(
    mail: string,
    results: string,
    chain?: { instance: number; cv: 'none' | 'pass' },
  ): Promise<string>
}

interface SigningOptions {
  algorithm?: 'rsa-sha256' | 'rsa-sha1'
  canonicalization?: string
  fields?: string[]
  maxBodyLength?: number
  expires?: Date
}

const FIELDS = ['From', 'To', 'Subject', 'Date', 'Message-ID']
/** RFC 1035 §3.3: what one string of a record holds. */
const MAX_STRING = 255

/** Publishes a new key of this domain on the name server. */
export function signerOf(
  { zones }: NameServer,
  domain: string,
  { selector = 'test', bits = 2048 } = {},
): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: bits,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  })
  const record = `v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`
  const strings = record.match(new RegExp(`.{1,${MAX_STRING}}`, 'g')) ?? []
  zones.set(`${selector}._domainkey.${domain}`, { TXT: [[...strings]] })
  const key = { signingDomain: domain, selector, privateKey }
  return {
    domain,
    selector,
    async sign(mail, { fields = FIELDS, algorithm = 'rsa-sha256', ...options } = {}) {
      const { maxBodyLength, expires, canonicalization = 'relaxed/relaxed' } = options
      const { signatures, errors } = await dkimSign(mail, {
        canonicalization,
        algorithm,
        signTime: new Date(),
        ...(expires === undefined ? {} : { expires }),
        headerList: fields.join(':'),
        signatureData: [{ ...key, ...(maxBodyLength === undefined ? {} : { maxBodyLength }) }],
      } as unknown as Parameters<typeof dkimSign>[1])
      if (errors.length > 0) throw errors[0]
      return `${signatures}${mail}`
    },
    async seal(mail, results, { instance, cv } = { instance: 1, cv: 'none' }) {
      const seal = { ...key, i: instance, cv, authResults: results, signTime: new Date() }
      const fields = await sealMessage(mail, seal)
      return `${fields.toString()}${mail}`
    },
  }
}
