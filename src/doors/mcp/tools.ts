// Every tool, in the order in which they are listed.
import { hasScope, type Scope } from '../../engine/caller.ts'
import type { Tool } from './tool.ts'
import { createInboxTool } from './tools/create-inbox.ts'
import { getContextTool } from './tools/get-context.ts'
import { getThreadMessagesTool } from './tools/get-thread-messages.ts'
import { listInboxesTool } from './tools/list-inboxes.ts'
import { listThreadsTool } from './tools/list-threads.ts'
import { searchDocumentsTool } from './tools/search-documents.ts'
import { sendEmailTool } from './tools/send-email.ts'

export const TOOLS: readonly Tool[] = [
  listInboxesTool,
  createInboxTool,
  listThreadsTool,
  getThreadMessagesTool,
  sendEmailTool,
  searchDocumentsTool,
  getContextTool,
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
}

/** The tools that the operator has switched on and the caller's scopes allow. */
export function offered({ toolsets, readOnly, scopes }: Offer): Tool[] {
  return TOOLS.filter(
    (tool) =>
      toolsets.includes(tool.toolset) &&
      !(readOnly && tool.hints.writes) &&
      hasScope({ scopes }, tool.scope),
  )
}
