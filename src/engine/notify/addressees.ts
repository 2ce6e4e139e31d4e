// Which endpoints are told of an event: its inbox's, or all of the organization's where it belongs to no inbox.
import type { EventRow } from '../events.ts'
import type { InboxId, OrgId } from '../ids.ts'
import type { Engine } from '../ports.ts'

/** Null where the inbox does not want to be told. */
type Addressed = EventRow & { webhook_url: string | null }

/**
 * The events of a batch that somebody is told of, once for each endpoint. An endpoint that serves several inboxes
 * hears of the organization's events once.
 */
export async function addressed<Event extends Addressed>(
  parts: Pick<Engine, 'db'>,
  batch: readonly Event[],
): Promise<Event[]> {
  const told: Event[] = []
  for (const event of batch) {
    if (event.inbox_id !== null) told.push(...(event.webhook_url === null ? [] : [event]))
    else told.push(...(await endpointsOf(parts, event.org_id)).map((to) => ({ ...event, ...to })))
  }
  return told
}

function endpointsOf({ db }: Pick<Engine, 'db'>, orgId: OrgId) {
  return db.query<{ inbox_id: InboxId; webhook_url: string }>(
    `SELECT DISTINCT ON (webhook_url) id AS inbox_id, webhook_url FROM inboxes
     WHERE org_id = $1 AND webhook_url IS NOT NULL AND webhook_disabled_at IS NULL AND deleted_at IS NULL
     ORDER BY webhook_url, created_at, id`,
    [orgId],
    'notify_endpoints',
  )
}
