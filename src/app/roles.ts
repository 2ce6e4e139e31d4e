/** What a server process may do; all of it by default. */
export const ROLES = ['smtp', 'http', 'worker'] as const
export type Role = (typeof ROLES)[number]
