import type { HeaderLine } from './read.js'

export function fieldValue(fields: readonly HeaderLine[], key: string): string | undefined
export function fieldValues(fields: readonly HeaderLine[], key: string): string[]
export function unfolded(line: string): string
