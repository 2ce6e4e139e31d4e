import { expect, test } from 'vitest'
import { startNameServer } from '../../../world/dns.ts'
import { signerOf } from '../../../world/signing.ts'
import { judgeWith, mail } from './mail.ts'

const ROUNDS = 800
const PIECES = [';', '=', ':', '"', '\\', '\r\n', '\r\n ', '@', '<', '>', ',', '(', ')', '\0', '%']
const TAGS = ['t=99999999999999999999;', 'l=-1;', 'x=a;', 'i=', 'cv=fail;', '__proto__=1;']
const INSERTED = [...PIECES, ...TAGS, 'From: ', 'ARC-Seal: ', 'DKIM-Signature: ', '\xff', '[']
const CLIENTS = [
  {},
  { mailFrom: '' },
  { mailFrom: '@', helo: '' },
  { mailFrom: '"a@\r\nb', helo: '[192.0.2.1]' },
  { mailFrom: 'ü@ü', ip: '::ffff:192.0.2.1' },
  { ip: '' },
]

test('whatever is broken in a mail, it is judged', async () => {
  const server = await startNameServer({ 'example.test': { TXT: [['v=spf1 ip4:192.0.2.1 -all']] } })
  const signer = signerOf(server, 'example.test')
  const judge = judgeWith(server)
  const whole = await signer.seal(await signer.sign(mail()), 'list.test; spf=pass')
  const next = randomNumbers(42)
  for (let round = 0; round < ROUNDS; round++) {
    const at = next(whole.length)
    const piece = INSERTED[next(INSERTED.length)]
    const broken = `${whole.slice(0, at)}${piece}${whole.slice(at + next(3) * next(20))}`
    const client = { raw: Buffer.from(broken, 'latin1'), ...CLIENTS[next(CLIENTS.length)] }
    const { authentication, authResults } = await judge('', client)
    expect(authentication.summary, broken).toMatch(/^(pass|fail|none|temperror)$/)
    expect(authResults(), broken).not.toMatch(/\r\n[^\t]/)
  }
  await server.close()
})

/** The same numbers in every run (a linear congruential generator). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state % below
  }
}
