import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holdFolder } from '../../src/platform/lock.ts'
import { built, startChild } from '../world/child.ts'

const HOLD = `
  const { holdFolder } = await import('${built('platform/lock.js')}')
  const lock = await holdFolder(process.argv[1], { address: 'http://127.0.0.1:1' })
  lock.update({ socket: '/tmp/x.sock' })
  console.log(JSON.stringify(lock))
  setInterval(() => {}, 1000)`

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'postroom-'))
  folder = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true }))

const take = async (patienceMs?: number) =>
  holdFolder(folder, { address: 'http://127.0.0.1:8525', ...(patienceMs && { patienceMs }) })

test('a folder is held once; the second is told who holds it', async () => {
  const child = startChild(HOLD, [folder])
  expect(JSON.parse(await child.line())).toMatchObject({ held: true })
  const started = performance.now()
  expect(await take()).toEqual({
    held: false,
    holder: {
      pid: child.process.pid,
      folder,
      address: 'http://127.0.0.1:1',
      socket: '/tmp/x.sock',
    },
  })
  const waited = performance.now() - started
  expect(waited).toBeGreaterThan(1_400)
  expect(waited).toBeLessThan(2_000)
  child.process.kill('SIGKILL')
  await child.exited
})

test('a killed holder leaves the folder free', async () => {
  const child = startChild(HOLD, [folder])
  await child.line()
  child.process.kill('SIGKILL')
  const lock = await take()
  expect(lock.held).toBe(true)
  if (lock.held) lock.release()
})

test('a second try in the same process fails too, until the first lets go', async () => {
  const first = await take()
  expect((await take(100)).held).toBe(false)
  if (first.held) first.release()
  if (first.held) first.release()
  const again = await take(100)
  expect(again.held).toBe(true)
  if (again.held) again.release()
})

test('one who waits gets the folder as soon as it is free', async () => {
  const first = await take()
  const second = take()
  if (first.held) first.release()
  const lock = await second
  expect(lock.held).toBe(true)
  if (lock.held) lock.release()
})

test('the folder is made for its owner alone', async () => {
  const lock = await take()
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  if (lock.held) lock.release()
})
