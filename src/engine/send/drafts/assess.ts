// What a draft would be if it were sent now. What is there must be right; what is missing may come later.
import { readAddresses } from '../../addresses.ts'
import type { Caller } from '../../caller.ts'
import { Refusal, ValidationFailed } from '../../errors.ts'
import type { InboxId } from '../../ids.ts'
import type { Engine } from '../../ports.ts'
import { denied, judgedBy, verdictOn } from '../judge.ts'
import { prepare } from '../prepare.ts'
import { readSendAt } from '../schedule/send-at.ts'
import type { Judged } from '../sent.ts'
import type { DraftMail, Shown } from './draft.ts'

export interface Assessment {
  would: Judged
  shown: Shown
}

/**
 * Composes the mail and stores nothing. Throws for what is wrong with the fields named in `strict` (ValidationFailed,
 * NotFound, TooLarge); everything else that stands against it is a reason.
 */
export async function assess(
  engine: Engine,
  caller: Caller,
  inboxId: InboxId,
  { send_at, ...mail }: DraftMail,
  strict: readonly string[],
): Promise<Assessment> {
  try {
    if (send_at !== undefined) readSendAt(send_at, engine.clock.now())
    const { row, verdict } = await prepare(engine, caller, { ...mail, inbox_id: inboxId })
    const { to, cc, bcc, subject } = row
    return { would: judgedBy(verdict), shown: { to, cc, bcc, subject } }
  } catch (error) {
    return { would: unfinished(error, strict), shown: asWritten(mail) }
  }
}

function unfinished(error: unknown, strict: readonly string[]): Judged {
  const judged = verdictOn(error)
  if (judged !== undefined) return judged
  if (!(error instanceof Refusal)) throw error
  if (!(error instanceof ValidationFailed) && strict.length > 0) throw error
  // `to.1` is about `to`.
  const wrong = error.details.filter(({ field }) => strict.includes(field.split('.')[0] ?? ''))
  if (wrong.length > 0) throw new ValidationFailed(wrong)
  return denied(error)
}

function asWritten({ to, cc, bcc, subject = '' }: DraftMail): Shown {
  return {
    to: readAddresses(to, 'to').addresses,
    cc: readAddresses(cc, 'cc').addresses,
    bcc: readAddresses(bcc, 'bcc').addresses,
    subject,
  }
}
