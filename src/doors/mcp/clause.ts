// Sentences for models that speak only of what is there: a clause falls away with the tool, argument or field it needs.

/**
 * Always said; or only where something exists, or only where it does not: "tool", "tool.argument", "message.field" or
 * "status.name".
 */
export type Clause = string | { needs: string; says: string } | { lacks: string; says: string }

/** The clauses joined as they stand; they bring their own spaces and stops. */
export function spoken(clauses: readonly Clause[], exists: (name: string) => boolean): string {
  return clauses
    .map((clause) => {
      if (typeof clause === 'string') return clause
      const said = 'needs' in clause ? exists(clause.needs) : !exists(clause.lacks)
      return said ? clause.says : ''
    })
    .join('')
}
