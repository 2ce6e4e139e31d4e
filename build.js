// Builds dist/ from src/ when it is not current. `--force` builds in any case.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const stampFile = join(root, 'dist', '.built')
const INPUTS = [
  'build.js',
  'package-lock.json',
  'prisma',
  'prisma.config.ts',
  'src',
  'tsconfig.build.json',
  'tsconfig.json',
]
const CACHE = join(root, 'node_modules', '.cache')
const GENERATED = join(root, 'src', 'generated')

/** What the generated client depends on. */
const CLIENT_INPUTS = ['package-lock.json', 'prisma.config.ts', join('prisma', 'schema.prisma')]

const clientInputs = filesOf(CLIENT_INPUTS.map((path) => join(root, path)))
const stamped = readStamp()
const force = process.argv.includes('--force')
const inputs = filesOf(INPUTS.map((input) => join(root, input)))
if (force || !current()) build()

/** Whether dist/ was made from inputs with these contents; unchanged times spare the reading. */
function current() {
  if (!stamped || !existsSync(GENERATED)) return false
  if (stamped.seen === seen()) return true
  // A fresh clone or a touched file has new times over the same contents.
  if (stamped.contents !== contents()) return false
  writeStamp(currentStamp())
  return true
}

function build() {
  const started = Date.now()
  process.stderr.write('Building Postroom … ')
  // Taken before: what changes during the build makes the next one build again.
  const stamp = currentStamp()
  generateClient()
  // What was built before stays in use until the new one is whole.
  const fresh = join(CACHE, `postroom-dist-${process.pid}`)
  process.once('exit', () => rmSync(fresh, { recursive: true, force: true }))
  run('typescript', 'tsc', ['-p', 'tsconfig.build.json', '--noEmitOnError', '--outDir', fresh])
  for (const file of inputs.filter((input) => input.endsWith('.js') && isSource(input))) {
    copy(file, join(fresh, relative(join(root, 'src'), file)))
  }
  placeCluster(join(fresh, 'platform', 'embedded', 'cluster.tar.gz'))
  const dist = join(root, 'dist')
  rmSync(dist, { recursive: true, force: true })
  cpSync(fresh, dist, { recursive: true })
  writeStamp(stamp)
  process.stderr.write(`done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}

function generateClient() {
  const made = join(GENERATED, '.inputs')
  const now = digest((file) => readFileSync(file), clientInputs)
  if (!force && existsSync(made) && readFileSync(made, 'utf8') === now) return
  // Prisma wants to download a schema engine that `generate` never runs; any executable will do.
  run('prisma', 'prisma', ['generate', '--no-hints'], {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  })
  writeFileSync(made, now)
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to)
}

/** The packed empty database is the same for one version of PGlite; making it takes 5 s. */
function placeCluster(target) {
  const { version } = manifestOf('@electric-sql/pglite')
  const cached = join(CACHE, `postroom-cluster-${version}.tar.gz`)
  if (!existsSync(cached)) {
    mkdirSync(CACHE, { recursive: true })
    const unfinished = `${cached}.${process.pid}`
    node([join('src', 'platform', 'embedded', 'make-cluster.js'), unfinished])
    renameSync(unfinished, cached)
  }
  cpSync(cached, target)
}

/** Runs a package's own command; its words are shown only when it fails. */
function run(name, command, args, env) {
  const { bin, folder } = manifestOf(name)
  node([join(folder, typeof bin === 'string' ? bin : bin[command]), ...args], env)
}

function node(args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  if (status === 0) return
  process.stderr.write(`failed: ${args.join(' ')}\n${stdout}${stderr}${error ?? ''}\n`)
  process.exit(1)
}

/** A package's manifest and folder; its `exports` may not name the manifest, so it is looked up. */
function manifestOf(name) {
  const folder = join(root, 'node_modules', name)
  return { ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), folder }
}

function filesOf(paths) {
  return paths
    .filter((path) => existsSync(path) && path !== GENERATED)
    .flatMap((path) => {
      if (!statSync(path).isDirectory()) return [path]
      return filesOf(readdirSync(path).map((name) => join(path, name)))
    })
    .sort()
}

function isSource(file) {
  return !relative(join(root, 'src'), file).startsWith('..')
}

function seen() {
  return digest((file) => {
    const { mtimeMs, size } = statSync(file)
    return `${mtimeMs} ${size}`
  })
}

function contents() {
  return digest((file) => readFileSync(file))
}

function digest(read, files = inputs) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`\0${relative(root, file)}\0`).update(read(file))
  return hash.digest('hex')
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    return undefined
  }
}

function currentStamp() {
  return { seen: seen(), contents: contents() }
}

function writeStamp(stamp) {
  writeFileSync(stampFile, JSON.stringify(stamp))
}
