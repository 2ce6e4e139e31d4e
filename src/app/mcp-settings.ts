// The settings that a printed MCP client configuration passes on: those of the environment, without its secrets.

export interface McpSettings {
  env: Record<string, string>
  /** Names whose values are left to be filled in: no value of the form that stands there is taken, so a forgotten one is told. */
  hidden: string[]
}

const SECRET_KEY = 'POSTROOM_SECRET_KEY'
const SECRET_NAME = /SECRET|PASS|TOKEN|API_KEY/

/** @param keptKey the secret key is the data folder's own, which is found without the setting */
export function mcpSettings(
  { POSTROOM_API_KEY: _, ...given }: Readonly<Record<string, string>>,
  { keptKey }: { keptKey: boolean },
): McpSettings {
  const passed = Object.entries(given).filter(([name]) => !(keptKey && name === SECRET_KEY))
  const hidden = passed.filter(isSecret).map(([name]) => name)
  const env = passed.map(([name, value]) => [
    name,
    hidden.includes(name) ? `<your ${name}>` : value,
  ])
  return { env: Object.fromEntries(env), hidden }
}

function isSecret([name, value]: [string, string]): boolean {
  if (SECRET_NAME.test(name)) return true
  if (!URL.canParse(value)) return false
  const { password, searchParams } = new URL(value)
  // PostgreSQL takes its password as a parameter too.
  return password !== '' || [...searchParams.keys()].some((key) => /pass/i.test(key))
}
