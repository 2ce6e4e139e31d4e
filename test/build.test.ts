import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const SCHEMA = `
generator client {
  provider = "prisma-client"
  output = "../src/generated/prisma"
  moduleFormat = "esm"
  importFileExtension = "ts"
  runtime = "nodejs"
}
datasource db {
  provider = "postgresql"
}
model thing {
  id String @id
}`

const COPIED = [
  'build.js',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
]
const WORKERS = ['worker.js', 'make-cluster.js'].map((name) => join('src/platform/embedded', name))

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'postroom-build-'))
  symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'))
  for (const file of [...COPIED, ...WORKERS]) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    copyFileSync(file, join(root, file))
  }
  mkdirSync(join(root, 'prisma'))
  writeFileSync(join(root, 'prisma', 'schema.prisma'), SCHEMA)
  writeFileSync(
    join(root, 'src', 'main.ts'),
    "import { PrismaClient } from './generated/prisma/client.ts'\nexport const made = PrismaClient.name\n",
  )
})
afterAll(() => rmSync(root, { recursive: true }))

function build(...args: string[]) {
  // From another folder: the build finds its own.
  const run = spawnSync(process.execPath, [join(root, 'build.js'), ...args], {
    cwd: tmpdir(),
    encoding: 'utf8',
  })
  return { status: run.status, stderr: run.stderr, stdout: run.stdout }
}

test('the first build makes the client, the code, and what the workers need', () => {
  const first = build()
  expect(first.stderr).toMatch(/^Building Postroom … done in [\d.]+ s\n$/)
  expect(first.status).toBe(0)
  const made = ['main.js', 'generated/prisma/client.js', 'platform/embedded/worker.js']
  for (const file of [...made, 'platform/embedded/cluster.tar.gz']) {
    expect(existsSync(join(root, 'dist', file)), file).toBe(true)
  }
})

test('what is current is not built again, also when only its times are new', () => {
  expect(build()).toMatchObject({ status: 0, stderr: '', stdout: '' })
  utimesSync(join(root, 'src', 'main.ts'), new Date(), new Date())
  expect(build()).toMatchObject({ status: 0, stderr: '' })
})

test('a changed source is built again, and --force builds in any case', () => {
  appendFileSync(join(root, 'src', 'main.ts'), 'export const more = 1\n')
  expect(build().stderr).toMatch(/^Building/)
  expect(build('--force').stderr).toMatch(/^Building/)
})

test('a build that fails says what the compiler said, exits 1, and is tried again', () => {
  const broken = join(root, 'src', 'broken.ts')
  writeFileSync(broken, "export const port: number = 'a'\n")
  for (let i = 0; i < 2; i++) {
    const failed = build()
    expect(failed.status).toBe(1)
    expect(failed.stderr).toContain("src/broken.ts(1,14): error TS2322: Type 'string'")
  }
  rmSync(broken)
  expect(build().status).toBe(0)
})
