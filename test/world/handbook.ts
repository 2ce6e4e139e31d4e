/** A small handbook as a shop would upload it: three passages, two codes that differ in one digit. */
export const HANDBOOK = `# Shop handbook

## Returns

Customers may request a refund within 30 days of delivery. Goods must be unused.

## Shipping

We ship to Germany and Austria in two working days, to Canada in ten.

## Error codes

ERR-4711 means that the session token has expired. Sign in again.

ERR-4712 means that the mailbox is full.
`
