// A value as a message may show it: without password or key.

/** Longer values are cut: a message is read by people. */
const SHOWN_LENGTH = 120
const KEY_START = 'ait_'.length

export function masked(variable: string, value: string): string {
  if (value === '') return ''
  if (variable.includes('SECRET')) return '•••'
  if (variable.includes('API_KEY')) return `${value.slice(0, KEY_START)}…`
  const shown = value.replace(/(\/\/[^/@:]*:)[^@]*@/, '$1•••@')
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown
}
