// Compiles the chunking kernel, then bundles the command line and the worker into dist/. Run it with `npm run build`.
import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(fileURLToPath(import.meta.url))

const KERNEL_SOURCE = 'core/chunking/kernel/candidate-kernel.ts'
const KERNEL_MODULE = 'core/chunking/kernel.generated.ts'
const KERNEL_OPTIONS = [
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert', '--runtime', 'stub'],
  ...['--enable', 'simd', '--use', 'abort=', '--initialMemory', '1', '--maximumMemory', '1'],
]

/**
 * Compiles the AssemblyScript kernel into a module that bundles and tests alike can import. The compiler is
 * loaded only where the module at hand was made from something else.
 */
async function writeKernel() {
  const source = await readFile(join(root, KERNEL_SOURCE), 'utf8')
  const compiler = JSON.parse(await readFile(join(root, 'node_modules/assemblyscript/package.json'), 'utf8'))
  const madeFrom = createHash('sha256')
    .update(JSON.stringify([source, compiler.version, KERNEL_OPTIONS]))
    .digest('hex')
  const heading = `// Made by build.mjs from ${KERNEL_SOURCE} (${madeFrom}).\n`
  const path = join(root, KERNEL_MODULE)
  const present = await readFile(path, 'utf8').catch(() => '')
  if (present.startsWith(heading)) return
  // Where the source does not compile, nothing must run on what it was before.
  await rm(path, { force: true })
  const base64 = Buffer.from(await compileKernel(source)).toString('base64')
  const temporary = `${path}.${process.pid}.tmp`
  await writeFile(temporary, `${heading}export const KERNEL_BASE64 =\n  '${base64}'\n`)
  await rename(temporary, path)
}

async function compileKernel(source) {
  const { default: asc } = await import('assemblyscript/asc')
  let kernel
  const { error, stderr } = await asc.main([KERNEL_SOURCE, '--outFile', 'kernel.wasm', ...KERNEL_OPTIONS], {
    readFile: (name) => (name === KERNEL_SOURCE ? source : null),
    writeFile: (_name, contents) => {
      kernel = contents
    },
    listFiles: () => [],
  })
  if (error) throw new Error(`${KERNEL_SOURCE} does not compile:\n${stderr.toString()}`, { cause: error })
  return kernel
}

/**
 * Bundles in memory. Files of dist/ all lie side by side, so that `new URL('./worker.js', import.meta.url)` is
 * right in each of them.
 */
export async function bundle() {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return build({
    absWorkingDir: root,
    entryPoints: { varve: 'cli/main.ts', worker: 'core/workers/main.ts' },
    outdir: 'dist',
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    // A CommonJS package that is imported lazily would show no names.
    mainFields: ['module', 'main'],
    target: 'node20',
    chunkNames: '[name]-[hash]',
    minifyWhitespace: true,
    minifySyntax: true,
    // Native packages and their WebAssembly stand-ins find their own files: they stay packages.
    external: Object.keys(manifest.dependencies),
    // ssh2 looks for a program beside itself, for a kind of agent that is never asked for.
    define: { VARVE_VERSION: JSON.stringify(manifest.version), __dirname: '"/"' },
    // Bundled CommonJS packages require node's own modules.
    banner: {
      js: `import{createRequire as varveCreateRequire}from'node:module';const require=varveCreateRequire(import.meta.url);`,
    },
    plugins: [withoutLocales, withoutNatives],
    legalComments: 'none',
    logLevel: 'warning',
  })
}

/** yargs translates through y18n, which looks for its locales on disk: ours speaks English alone. */
const withoutLocales = {
  name: 'without-locales',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^y18n$/ }, () => ({ path: 'y18n', namespace: 'without-locales' }))
    pluginBuild.onLoad({ filter: /.*/, namespace: 'without-locales' }, () => ({
      contents: `import { format } from 'node:util'
        export default () => ({
          __: (text, ...values) => format(text, ...values),
          __n: (one, many, count, ...values) => format(count === 1 ? one : many, count, ...values),
          getLocale: () => 'en', setLocale() {}, updateLocale() {},
        })`,
    }))
  },
}

/**
 * ssh2 tries a native module of its own and one that looks at the processor, and does without either. They are left
 * out whether they happen to be built on this machine or not.
 */
const withoutNatives = {
  name: 'without-natives',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^cpu-features$|\/sshcrypto\.node$/ }, ({ path }) => ({
      path,
      namespace: 'without-natives',
    }))
    pluginBuild.onLoad({ filter: /.*/, namespace: 'without-natives' }, () => ({
      contents: "throw new Error('not bundled')",
    }))
  },
}

/** Writes what changed, each file by a rename, and removes what is left of earlier builds. */
async function writeOutputs(outputs) {
  const dist = join(root, 'dist')
  await mkdir(dist, { recursive: true })
  const kept = new Set()
  for (const { name, contents, mode } of outputs) {
    kept.add(name)
    const path = join(dist, name)
    const present = await readFile(path).catch(() => undefined)
    if (!present?.equals(contents)) {
      const temporary = `${path}.${process.pid}.tmp`
      await writeFile(temporary, contents)
      await rename(temporary, path)
    }
    await chmod(path, mode)
  }
  for (const name of await readdir(dist)) if (!kept.has(name)) await rm(join(dist, name), { recursive: true })
}

/** The licence texts of every package that the metafile says is inside the bundle. */
async function thirdPartyLicences(metafile) {
  const folders = new Set()
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
    if (match) folders.add(match[1])
  }
  const sections = []
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
    const files = (await readdir(join(root, folder))).filter((file) =>
      /^(licen[cs]e|copying|notice)/i.test(file),
    )
    const texts = await Promise.all(files.sort().map((file) => readFile(join(root, folder, file), 'utf8')))
    const body = texts.length > 0 ? texts.map((text) => text.trim()).join('\n\n') : `License: ${license}`
    sections.push(`${name} ${version}\n\n${body}\n`)
  }
  return `Varve's program files contain these packages.\n\n${sections.join(`\n${'-'.repeat(72)}\n\n`)}`
}

export async function buildAll() {
  await writeKernel()
  const { outputFiles, metafile } = await bundle()
  await writeOutputs([
    ...outputFiles.map(({ path, contents }) => ({
      name: basename(path),
      contents,
      mode: basename(path) === 'varve.js' ? 0o755 : 0o644,
    })),
    {
      name: 'THIRD_PARTY_LICENSES.txt',
      contents: Buffer.from(await thirdPartyLicences(metafile)),
      mode: 0o644,
    },
  ])
  return metafile
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll()
