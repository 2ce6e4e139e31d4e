// Reads large mails on a thread of its own. Started by URL, which the compiler does not rewrite.
import { parentPort } from 'node:worker_threads'
import { readAttachment, readMail } from './read.js'

parentPort.on('message', ({ bytes, position }) => {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const value = position === undefined ? readMail(raw) : readAttachment(raw, position)
    parentPort.postMessage({ value })
  } catch (error) {
    parentPort.postMessage({ error: String(error) })
  }
})
