// What to do about a call that may have reached its server, where the answer was lost.

type Frame = Record<string, unknown>

export const SAFE = 'It is safe to repeat this call.'

/** Twice has the effect of once. */
const REPEATABLE: readonly string[] = [
  'list_inboxes',
  'list_threads',
  'get_thread_messages',
  'search_documents',
  'get_context',
  'list_drafts',
  'update_draft',
  'delete_draft',
  'send_draft',
  'add_domain',
  'verify_domain',
]
const WHERE_MISSING = 'where it is missing it is safe to repeat this call.'

/** Only what a tool does can be there twice; every other request reads. */
export function adviceOn({ method, params }: Frame): string {
  if (method !== 'tools/call') return SAFE
  const { name, arguments: given = {} } = (params ?? {}) as { name?: string; arguments?: Frame }
  if (name === undefined || REPEATABLE.includes(name)) return SAFE
  if (name === 'send_email') return onSend(given)
  if (name === 'create_draft') {
    return `The draft may have been made already: look with list_drafts; ${WHERE_MISSING}`
  }
  if (name === 'create_inbox') return onInbox(given)
  return 'It may have had its effect already: look before you repeat this call.'
}

function onSend({ idempotency_key, dry_run }: Frame): string {
  if (idempotency_key !== undefined || dry_run === true) return SAFE
  return `The mail may have been taken already: look with list_threads or get_thread_messages; ${WHERE_MISSING}`
}

/** No address is given out twice. */
function onInbox({ client_id }: Frame): string {
  if (client_id !== undefined) return SAFE
  return `${SAFE} Where the address is taken by then, this call may have made it: look with list_inboxes.`
}
