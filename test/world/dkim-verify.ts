/** python3-dkim from Debian: a verifier of signatures that shares no code with ours. DNS_TOOLS names its folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('dkim-verify.py', import.meta.url))

/** What it says of a mail, as `pass d=… s=… h=…` or `fail: …`. @param nameServer host:port */
export async function verifiedByPython(
  tools: string,
  nameServer: string,
  mail: Uint8Array,
): Promise<string> {
  const child = spawn(join(tools, 'dkim-verify'), [SCRIPT, nameServer], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stdin.end(mail)
  await once(child, 'close')
  return said.trim()
}
