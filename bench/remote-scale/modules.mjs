import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const repository = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))

const MODULES = {
  'core/content-id': 'contentIdFromDigest',
  'core/format/segment': 'ROW_BYTES, writeRow',
  'core/path-filter': 'PathFilter',
  'core/store/index-set': 'IndexSet',
  'core/store/row-buffer': 'RowBuffer',
  'core/store/store': 'Store',
  'core/store/store-layout': 'sampleKey, segmentKey, segmentPath',
  'core/store/write-sample': 'writeSample',
  'core/transfer/fetch/fetch-versions': 'fetchVersions',
  'core/transfer/push/push-versions': 'pushVersions',
  'core/transfer/view/remote-view': 'RemoteView',
  'core/workers/workers': 'createWorkers',
  'remotes/file': 'createFileRemote',
  'test/support/build-store': 'addVersion',
}

/** The modules that are measured, bundled beside the packages that they need. */
export async function loadModules() {
  const outfile = path.join(repository, `node_modules/.cache/bench-remote-scale-${process.pid}.mjs`)
  try {
    await build({
      stdin: {
        contents: Object.entries(MODULES)
          .map(([file, exported]) => `export { ${exported} } from './${file}.ts'`)
          .join('\n'),
        resolveDir: repository,
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    fs.rmSync(outfile, { force: true })
  }
}
