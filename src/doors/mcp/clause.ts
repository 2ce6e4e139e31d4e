// Sentences for models that speak only of what is there: a clause falls away with the tool, argument or field it needs.

/** Always said, or only where `needs` exists: "tool", "tool.argument", "message.field" or "status.name". */
export type Clause = string | { needs: string; says: string }

/** The clauses joined as they stand; they bring their own spaces and stops. */
export function spoken(clauses: readonly Clause[], exists: (name: string) => boolean): string {
  return clauses
    .filter((clause) => typeof clause === 'string' || exists(clause.needs))
    .map((clause) => (typeof clause === 'string' ? clause : clause.says))
    .join('')
}
