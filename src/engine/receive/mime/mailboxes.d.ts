export interface Mailbox {
  name: string
  /** Empty where there is none. */
  address: string
}

export function flatMailboxes(value: string): Mailbox[]
