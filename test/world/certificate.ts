/** A certificate of the test's own, made when it is asked for: nothing that could be mistaken for a secret is in the tree. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  /** Paths of PEM files. */
  paths: { cert: string; key: string }
  cert: string
  key: string
  remove(): Promise<void>
}

export function certificate(name: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'postroom-tls-'))
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const output = ['-keyout', paths.key, '-out', paths.cert]
  const args = ['req', '-x509', ...curve, '-subj', `/CN=${name}`, '-days', '2', ...output]
  execFileSync('openssl', args, { stdio: 'ignore' })
  return {
    paths,
    cert: readFileSync(paths.cert, 'utf8'),
    key: readFileSync(paths.key, 'utf8'),
    remove: () => rm(folder, { recursive: true }),
  }
}
