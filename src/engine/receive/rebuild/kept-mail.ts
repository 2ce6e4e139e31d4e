// A kept mail, read again: the bytes and the sidecar become the arrival that they were.

import type { MessageId, OrgId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import type { AddressFound } from '../../recent-addresses.ts'
import type { MailParser } from '../parse.ts'
import { type Arrival, arrivalOf } from '../rows.ts'
import { Sidecar } from './sidecar.ts'

export interface KeptMail {
  sidecar: Sidecar
  arrival: Arrival
}

/** Undefined where there is no sidecar that can be read. */
export async function sidecarOf(
  { blobs }: Pick<Engine, 'blobs'>,
  orgId: OrgId,
  id: MessageId,
): Promise<Sidecar | undefined> {
  return Sidecar.safeParse(await blobs.sidecar(orgId, id)).data
}

/** Parsed with the present code, with the ids and times it had; undefined where its bytes are gone. */
export async function readKept(
  { blobs, settings }: Pick<Engine, 'blobs' | 'settings'>,
  parser: MailParser,
  orgId: OrgId,
  sidecar: Sidecar,
): Promise<KeptMail | undefined> {
  const raw = await bytesOf({ blobs }, orgId, sidecar)
  if (raw === undefined) return undefined
  const { mail_from, rcpt_to, mbox } = sidecar.envelope
  const at = sidecar.created_at ?? sidecar.received_at
  const inbox = inboxOf(orgId, sidecar)
  const circumstances = { mailFrom: mail_from, hostname: settings.smtpHostname }
  const { parsed, fingerprint } = await parser.take(raw, circumstances)
  const arrival = arrivalOf(inbox, sidecar.id, {
    incoming: {
      raw,
      envelope: { mail_from, rcpt_to },
      peer: sidecar.peer,
      inboxes: [inbox],
      ...(mbox === undefined ? {} : { imported: { at, form: mbox, isNews: false } }),
    },
    at: sidecar.received_at,
    parsed,
    authentication: sidecar.authentication,
    rawSha256: sidecar.raw_sha256,
    fingerprint,
  })
  const attachments = arrival.attachments.map((attachment, n) => ({
    ...attachment,
    id: sidecar.attachment_ids[n] ?? attachment.id,
  }))
  return { sidecar, arrival: { ...arrival, attachments } }
}

/** Undefined where they are gone. */
export const bytesOf = (
  { blobs }: Pick<Engine, 'blobs'>,
  orgId: OrgId,
  { raw_sha256 }: Sidecar,
): Promise<Buffer | undefined> => blobs.get(orgId, raw_sha256).catch(absent)

/** It was taken when it came, so nothing is asked of the inbox's state. */
const inboxOf = (orgId: OrgId, { inbox }: Sidecar): AddressFound => ({
  address: inbox.address,
  org_id: orgId,
  inbox_id: inbox.id,
  is_active: true,
  dmarc_policy: 'store',
})

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
