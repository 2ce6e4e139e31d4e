// API keys: `ait_` and a UUID, shown once, kept as a hash.
import { createHash, randomUUID } from 'node:crypto'

const KEY_FORM = /^ait_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const SHOWN_PREFIX_LENGTH = 12

/** A new key: 122 random bits. */
export const newKey = () => `ait_${randomUUID()}`

export const isKeyForm = (value: string) => KEY_FORM.test(value)

/** SHA-256 in hex: a key has more entropy than a slow hash could add. */
export const hashKey = (key: string) => createHash('sha256').update(key).digest('hex')

/** What lists show of a key. */
export const shownPrefix = (key: string) => key.slice(0, SHOWN_PREFIX_LENGTH)
