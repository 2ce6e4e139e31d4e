// Rows in columns, for people.

const GAP = '  '

/** Columns as wide as their widest cell; a line a row, the heads above. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd()
  return [heads.map((head) => head.toUpperCase()), ...rows].map((row) => `${line(row)}\n`).join('')
}
