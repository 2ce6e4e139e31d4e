// MCP_READ_ONLY binds the way out too, whichever door asks.
import { Forbidden } from '../errors.ts'
import type { Engine } from '../ports.ts'

/** Throws Forbidden (`read_only`). */
export function refuseReadOnly({ settings }: Pick<Engine, 'settings'>): void {
  if (!settings.readOnly) return
  throw new Forbidden('Nothing can be sent: MCP_READ_ONLY is set.', {
    code: 'read_only',
    fix: 'Read instead, or start Postroom with MCP_READ_ONLY=false.',
  })
}
