// Makes the checkout ready to run: installs what is missing, compiles schemas and TypeScript when they changed.
// npm's own pre- and post-scripts are off (.npmrc), so `start` and `test` call this first.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const quiet = process.argv.includes('--quiet')

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19))
  stop(`Node ${process.versions.node} is too old: Assay needs 20.19 or newer.`)

if (isMissing()) {
  say('Installing packages (npm install) …')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  run(npm, ['install', '--no-fund', '--no-audit', '--loglevel=error'], 'npm install failed; its message is above.')
  if (isMissing()) stop('npm install ended well, but packages of package.json are still missing.')
}
// What compiles by itself (the contracts) needs the packages only.
if (process.argv.includes('--install')) process.exit(0)
const { compileSchemas } = await import(pathToFileURL(join(root, 'scripts/compile-schemas.mjs')).href)
// The first time takes as long as it takes to lose patience; later ones a second or two.
if (!existsSync(join(root, 'dist/src/cli/main.js'))) console.error('Compiling, half a minute the first time …')
else say('Compiling …')
await compileSchemas(root)
const { writeBindings } = await import(pathToFileURL(join(root, 'scripts/contract-bindings.mjs')).href)
await writeBindings(root)
run(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')],
  'The types do not hold.',
)
await compileSchemas(root, 'dist/src/schema/generated')
if (process.argv.includes('--package')) {
  const { bundle } = await import(pathToFileURL(join(root, 'scripts/bundle.mjs')).href)
  await bundle(root)
}

/** Whether a package that package.json names is absent, or present in another version. */
function isMissing() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.entries({ ...dependencies, ...devDependencies }).some(([name, version]) => {
    const file = join(root, 'node_modules', name, 'package.json')
    return !existsSync(file) || JSON.parse(readFileSync(file, 'utf8')).version !== version
  })
}

function run(command, args, failure) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (error) stop(`${command} cannot be run: ${error.message}`)
  if (status !== 0) stop(failure)
}

function say(text) {
  if (!quiet) console.error(text)
}

function stop(text) {
  console.error(text)
  process.exit(1)
}
