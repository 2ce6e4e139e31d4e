// One line a request: what was asked, what came of it, how long it took and whose key it was. No bodies, no paths with addresses in them.
import type { MiddlewareHandler } from 'hono'
import type { Engine } from '../../engine/ports.ts'
import type { HttpEnv } from './server.ts'

/** Asked every few seconds by whoever watches the server. */
const PROBES = ['/healthz', '/readyz']

export function logRequests({ log }: Pick<Engine, 'log'>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const start = performance.now()
    await next()
    const pattern: string | undefined = c.get('pattern')
    const caller = c.get('caller')
    const line = {
      method: c.req.method,
      route: pattern ?? null,
      status: c.res.status,
      ms: Math.round(performance.now() - start),
      key: caller?.keyId ?? null,
      org: caller?.orgId ?? null,
    }
    if (PROBES.includes(line.route ?? '')) log.debug(line, 'request')
    else log.info(line, 'request')
  }
}
