// What is answered where no route fits: the path is not known, or it is and the method is not.
import type { Context } from 'hono'
import { errorResponse } from './errors.ts'
import type { Route } from './route.ts'

const MAX_SHOWN = 200
const DOCS = 'docs/rest.md lists the routes.'

/** 404 that names what was asked for. */
export function unknownRoute(c: Context): Response {
  const path = c.req.path.slice(0, MAX_SHOWN)
  const fix = path.startsWith('/v1') ? DOCS : `REST paths begin with /v1. ${DOCS}`
  const message = `There is no ${c.req.method} ${path} here.`
  return errorResponse(404, { code: 'not_found', message, fix })
}

/** OPTIONS and 405 of a path that has `routes`. RFC 9110 §15.5.6: Allow names the methods. */
export function otherMethods(routes: readonly Route[]): (c: Context) => Response {
  const methods = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const allow = [...methods, 'OPTIONS'].join(', ')
  return (c) => {
    if (c.req.method === 'OPTIONS') {
      return new Response(null, { status: 204, headers: { Allow: allow } })
    }
    const error = {
      code: 'method_not_allowed',
      message: `${c.req.method} is not possible on ${routes[0]?.path}.`,
      fix: `Use one of: ${allow}.`,
    }
    return errorResponse(405, error, { Allow: allow })
  }
}
