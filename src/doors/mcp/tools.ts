// Every tool, in the order in which they are listed.
import { hasScope, type Scope } from '../../engine/caller.ts'
import type { Tool } from './tool.ts'
import { addDomainTool } from './tools/add-domain.ts'
import { createDraftTool } from './tools/create-draft.ts'
import { createInboxTool } from './tools/create-inbox.ts'
import { deleteDraftTool } from './tools/delete-draft.ts'
import { getContextTool } from './tools/get-context.ts'
import { getThreadMessagesTool } from './tools/get-thread-messages.ts'
import { listDraftsTool } from './tools/list-drafts.ts'
import { listInboxesTool } from './tools/list-inboxes.ts'
import { listThreadsTool } from './tools/list-threads.ts'
import { searchDocumentsTool } from './tools/search-documents.ts'
import { sendDraftTool } from './tools/send-draft.ts'
import { sendEmailTool } from './tools/send-email.ts'
import { updateDraftTool } from './tools/update-draft.ts'
import { verifyDomainTool } from './tools/verify-domain.ts'

export const TOOLS: readonly Tool[] = [
  listInboxesTool,
  createInboxTool,
  listThreadsTool,
  getThreadMessagesTool,
  sendEmailTool,
  searchDocumentsTool,
  getContextTool,
  createDraftTool,
  updateDraftTool,
  listDraftsTool,
  sendDraftTool,
  deleteDraftTool,
  addDomainTool,
  verifyDomainTool,
]

/** Who calls over stdio is an agent: what the first organization's agent key may do. */
export const AGENT_SCOPES: readonly Scope[] = [
  'inbox:read',
  'inbox:write',
  'email:read',
  'email:write',
  'email:send',
]

export interface Offer {
  toolsets: readonly string[]
  readOnly: boolean
  scopes: readonly Scope[]
  /** Who calls sits at this machine: that the operator named the toolset `admin` is consent to its tools. */
  onThisMachine?: boolean
}

/** The tools that the operator has switched on and the caller's scopes allow. */
export function offered({ toolsets, readOnly, scopes, onThisMachine = false }: Offer): Tool[] {
  return TOOLS.filter(
    (tool) =>
      toolsets.includes(tool.toolset) &&
      !(readOnly && tool.hints.writes) &&
      hasScope({ scopes: withConsent(scopes, tool, onThisMachine) }, tool.scope),
  )
}

/** The scopes that count for one tool. */
export function withConsent(
  scopes: readonly Scope[],
  { toolset, scope }: Tool,
  onThisMachine: boolean,
): readonly Scope[] {
  return onThisMachine && toolset === 'admin' ? [...scopes, scope] : scopes
}
