// The notation of caps: `10/m,200/d,20new/d`. Pure.

/** Sends a minute and key, sends a day and inbox, first-time recipients a day and key; undefined: no such cap. */
export interface Caps {
  perMinute?: number
  perDay?: number
  newPerDay?: number
}

const NO_CAPS = 'none'
const CAP = /^(\d{1,7})(\/m|\/d|new\/d)$/
const FIELDS = { '/m': 'perMinute', '/d': 'perDay', 'new/d': 'newPerDay' } as const

/** The caps that a text means; undefined where it means none we know. `none`: no caps. */
export function readCaps(text: string): Caps | undefined {
  if (text.trim() === NO_CAPS) return {}
  const caps: Caps = {}
  for (const part of text.split(',')) {
    const [, number, unit] = CAP.exec(part.trim()) ?? []
    const field = FIELDS[unit as keyof typeof FIELDS]
    if (field === undefined || caps[field] !== undefined) return undefined
    caps[field] = Number(number)
  }
  return caps
}
