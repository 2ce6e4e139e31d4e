// A thread that reads large mails: started by URL, one mail at a time.
import { parentPort } from 'node:worker_threads'
import { readAttachment } from './mime/read.js'
import type { ReadingJob } from './threads.ts'
import { take } from './understand.ts'

parentPort?.on('message', (job: ReadingJob) => {
  try {
    parentPort?.postMessage({ value: read(job) })
  } catch (error) {
    parentPort?.postMessage({ error: String(error) })
  }
})

function read(job: ReadingJob): unknown {
  const raw = Buffer.from(job.raw.buffer, job.raw.byteOffset, job.raw.byteLength)
  return 'position' in job ? readAttachment(raw, job.position) : take(raw, job.circumstances)
}
