/** A start that cannot go on. Its message names the setting and the way to mend it; safe to show. */
export class StartError extends Error {
  override readonly name = 'StartError'
}
