// A child process that looks through places of mails: started by its path, one mail at a time.
import { type Content, type Looked, look } from './look.ts'

process.on('message', async (job: { contents: Content[]; words: string[] }) => {
  for (const content of job.contents) process.send?.(await looked(content, job.words))
})
process.on('disconnect', () => process.exit())

async function looked(content: Content, words: readonly string[]): Promise<Looked> {
  try {
    return await look(content, words)
  } catch {
    return {
      names: [],
      unread: ['its reading broke off: it is damaged, or was made to stop readers'],
    }
  }
}
