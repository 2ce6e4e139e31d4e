/** A domain's hosts on loopback: a name server, scripted remotes at addresses of their own, and the drain that finds them. */
import { dnsOver } from '../../src/drains/dns.ts'
import { type MxOptions, mxDelivery } from '../../src/drains/mx.ts'
import type { HandOver, MailTransport } from '../../src/engine/ports.ts'
import { certificate } from '../world/certificate.ts'
import { startNameServer, type Zone } from '../world/dns.ts'
import { type Remote, type Script, startRemote } from '../world/remote.ts'

export const RAW = Buffer.from('Subject: hi\r\n\r\n.leading dot\r\nend\r\n')

export async function mxWorld() {
  const names = await startNameServer()
  const pem = certificate('mx.test')
  // All hosts listen on one port, as they do on 25, each at an address of its own.
  const reserved = await startRemote({}, { address: '127.0.0.9' })
  const { port } = reserved
  const remotes: Remote[] = []
  const drains: MailTransport[] = []
  return {
    asked: names.asked,
    zone: (name: string, records: Zone) => void names.zones.set(name, records),
    async remoteAt(address: string, script: Script = {}): Promise<Remote> {
      const remote = await startRemote(script, { address, port, tls: pem })
      remotes.push(remote)
      return remote
    },
    drainTo(over: Partial<MxOptions> = {}): MailTransport {
      const drain = mxDelivery({
        dns: dnsOver({ servers: [names.address], tryMs: 200 }),
        hostname: 'mail.ours.test',
        port,
        loopback: true,
        ...over,
      })
      drains.push(drain)
      return drain
    },
    /** Nothing of an earlier test is left. */
    async calm() {
      await Promise.all(drains.splice(0).map((drain) => drain.close()))
      await Promise.all(remotes.splice(0).map((remote) => remote.close()))
      names.zones.clear()
      names.asked.length = 0
    },
    async close() {
      await reserved.close()
      await names.close()
      await pem.remove()
    },
  }
}

export type MxWorld = Awaited<ReturnType<typeof mxWorld>>

export const mx = (...hosts: [exchange: string, preference: number][]): Zone => ({
  MX: hosts.map(([exchange, preference]) => ({ exchange, preference })),
})

export const send = (drain: MailTransport, to: string[] = ['ann@x.test'], raw: Buffer = RAW) =>
  drain.send({ envelope: { from: 'us@ours.test', to }, raw })

export const kinds = (answers: HandOver[]) => answers.map(({ kind }) => kind)

/** x.test with a better and a worse host. */
export function twoHosts({ zone }: Pick<MxWorld, 'zone'>): void {
  zone('x.test', mx(['mx1.x.test', 10], ['mx2.x.test', 20]))
  zone('mx1.x.test', { A: ['127.0.0.2'] })
  zone('mx2.x.test', { A: ['127.0.0.3'] })
}
