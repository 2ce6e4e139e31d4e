// What the engine refuses, and how a caller mends it. Doors translate a Refusal into their own words, each in one file.

/** One thing that is wrong with one field. `field` is a dotted path in the names of the caller's own input. */
export interface Detail {
  field: string
  message: string
}

interface RefusalOptions {
  /** What to do next, one sentence. */
  fix?: string
  details?: Detail[]
  cause?: unknown
  /** A code of the contract that is narrower than the class. */
  code?: string
}

/** Base of everything the engine refuses on purpose. `message` and `fix` are safe to show to anybody. */
export abstract class Refusal extends Error {
  abstract readonly status: number
  readonly code: string
  readonly fix: string
  readonly details: Detail[]

  constructor(code: string, message: string, { fix = '', details = [], cause }: RefusalOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = fix
    this.details = details
  }
}

/** 400: the input does not have the right form; `details` name the fields. */
export class ValidationFailed extends Refusal {
  override readonly name = 'ValidationFailed'
  readonly status = 400

  constructor(details: Detail[], options: RefusalOptions = {}) {
    const message = details.map(({ field, message }) => `${field}: ${message}`).join('; ')
    super(options.code ?? 'validation_failed', message, {
      fix: 'Correct the named fields and send the request again.',
      ...options,
      details,
    })
  }
}

/** 401: nobody we know. */
export class Unauthorized extends Refusal {
  override readonly name = 'Unauthorized'
  readonly status = 401

  constructor(message: string, options: RefusalOptions = {}) {
    super(options.code ?? 'unauthorized', message, {
      fix: 'Send a key as "Authorization: Bearer ait_…" or "x-api-key: ait_…"; make one with: postroom keys create.',
      ...options,
    })
  }
}

/** 403: known, but not allowed to do this. */
export class Forbidden extends Refusal {
  override readonly name = 'Forbidden'
  readonly status = 403

  constructor(message: string, options: RefusalOptions = {}) {
    super(options.code ?? 'forbidden', message, options)
  }
}

/** 404: not there, or not the caller's; the two are never told apart. */
export class NotFound extends Refusal {
  override readonly name = 'NotFound'
  readonly status = 404

  constructor(what: string, id: string, options: RefusalOptions = {}) {
    super('not_found', `There is no ${what} ${shown(id)} that this key can see.`, {
      fix: `Check the id; list what there is and take the id from there.`,
      ...options,
    })
  }
}

/** 409: it cannot be done as things stand. */
export class Conflict extends Refusal {
  override readonly name = 'Conflict'
  readonly status = 409

  constructor(message: string, options: RefusalOptions = {}) {
    super(options.code ?? 'conflict', message, options)
  }
}

/** 413: more bytes than are taken. */
export class TooLarge extends Refusal {
  override readonly name = 'TooLarge'
  readonly status = 413

  constructor(message: string, options: RefusalOptions = {}) {
    super(options.code ?? 'payload_too_large', message, options)
  }
}

/** 415: a kind of content that is not taken. */
export class UnsupportedType extends Refusal {
  override readonly name = 'UnsupportedType'
  readonly status = 415

  constructor(message: string, options: RefusalOptions = {}) {
    super(options.code ?? 'unsupported_media_type', message, options)
  }
}

/** 422: well formed, but it cannot have the effect asked for. */
export class Unprocessable extends Refusal {
  override readonly name = 'Unprocessable'
  readonly status = 422

  constructor(code: string, message: string, options: RefusalOptions = {}) {
    super(code, message, options)
  }
}

/** 429: too often; `retryAfterSeconds` says when to come again. */
export class RateLimited extends Refusal {
  override readonly name = 'RateLimited'
  readonly status = 429
  readonly retryAfterSeconds: number

  constructor(message: string, retryAfterSeconds: number, options: RefusalOptions = {}) {
    super('rate_limited', message, { fix: `Try again in ${retryAfterSeconds} s.`, ...options })
    this.retryAfterSeconds = retryAfterSeconds
  }
}

const shown = (id: string) => JSON.stringify(id.length > 60 ? `${id.slice(0, 60)}…` : id)
