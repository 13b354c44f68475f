// Varve beside rclone, on S3 servers on this machine: measures, and writes docs/benchmarks-remotes.md.
//
//   npm run build && .ci/servers/run node bench/remotes/main.mjs [CASE...] [options]
//
//   --servers A,B  which of the servers (else versitygw and minio)
//   --pairs N      so many pairs (3)
//   --folder DIR   where the data is made and kept, and the work done (varve-remotes in the temporary folder)
//   --quick        tiny data and one pair, to try this program: nothing is written into docs/
//
// Cases: small (20,000 files), large (4 GiB in one file), part (100 files of 100,000).

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { describeMachine } from '../compare/machine.mjs'
import { endAll, measure } from '../compare/measure.mjs'
import { removeTree } from '../compare/remove-tree.mjs'
import { generator, logUniform, MiB, makeIncompressible, makeSmallFiles } from '../datasets.mjs'
import { renderPage } from './render.mjs'

const here = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    servers: { type: 'string', default: 'versitygw,minio' },
    pairs: { type: 'string' },
    folder: { type: 'string', default: path.join(os.tmpdir(), 'varve-remotes') },
    quick: { type: 'boolean', default: false },
  },
})
const isQuick = options.quick
const pairs = Number(options.pairs ?? (isQuick ? 1 : 3))
const varve = `node ${here('../../dist/varve.js')}`
const folder = path.resolve(options.folder)

const makers = {
  small(target) {
    const random = generator(1)
    const sizeOf = () => logUniform(random, 200, 65_536)
    makeSmallFiles(target, { directories: 100, filesEach: isQuick ? 5 : 200, random, sizeOf })
  },
  large: (target) => makeIncompressible(path.join(target, 'large.bin'), (isQuick ? 80 : 4096) * MiB, 11),
  part: (target) =>
    makeSmallFiles(target, {
      directories: isQuick ? 20 : 1000,
      filesEach: 100,
      random: generator(9),
      sizeOf: () => 1024,
    }),
}

process.on('exit', endAll)

function dataOf(name) {
  const target = path.join(folder, isQuick ? 'data-quick' : 'data', name)
  if (!fs.existsSync(target)) {
    fs.mkdirSync(`${target}.tmp`, { recursive: true })
    makers[name](`${target}.tmp`)
    fs.renameSync(`${target}.tmp`, target)
  }
  return target
}

function environmentOf(server) {
  const { AWS_CA_BUNDLE: _, ...rest } = process.env
  return {
    ...rest,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_T_TYPE: 's3',
    RCLONE_CONFIG_T_PROVIDER: 'Other',
    RCLONE_CONFIG_T_ENDPOINT: server.endpointUrl,
    RCLONE_CONFIG_T_REGION: server.region,
    RCLONE_CONFIG_T_ACCESS_KEY_ID: server.accessKeyId,
    RCLONE_CONFIG_T_SECRET_ACCESS_KEY: server.secretAccessKey,
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, 'bench'],
        [`GIT_${who}_EMAIL`, 'bench@example.org'],
      ]),
    ),
  }
}

async function makeBucket(server) {
  const { endpointUrl: endpoint, region, accessKeyId, secretAccessKey } = server
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  const Bucket = `bench-${randomUUID().slice(0, 8)}`
  await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
  return Bucket
}

/** A fresh place for one pair: a project with the data added and committed, its bucket, and ways to measure in it. */
async function makePlace(server, name) {
  const work = fs.mkdtempSync(path.join(folder, 'work-'))
  const env = environmentOf(server)
  const bucket = await makeBucket(server)
  const run = (script, cwd = path.join(work, 'a')) => measure(script, { cwd, env })
  fs.mkdirSync(path.join(work, 'a'))
  await run(`git init -q && ${varve} init && cp -r ${dataOf(name)} data && ${varve} add -q data &&
    ${varve} remote add origin s3://${bucket}/varve --endpoint-url ${server.endpointUrl} --region ${server.region} &&
    git add -A && git commit -qm data`)
  await run('sync')
  return {
    work,
    bucket,
    run,
    push: async () => withRequests(await run(`${varve} push --json`)),
    /** Into a clone that has nothing. */
    async pull(clone, ...args) {
      const cwd = path.join(work, clone)
      await run(`git clone -q ${work}/a ${cwd} && cd ${cwd} && ${varve} trust origin && sync`, work)
      const measured = withRequests(await run(`${varve} pull --json ${args.join(' ')}`, cwd))
      return { ...measured, cwd }
    },
    done: () => removeTree(work),
  }
}

function withRequests(measured) {
  const json = JSON.parse(/\{[\s\S]*\}/.exec(measured.output)[0])
  return { seconds: measured.seconds, peakMB: measured.peakMB, requests: json.requests, result: json }
}

const cases = {
  async small(server) {
    const rows = []
    for (let pair = 0; pair < pairs; pair++) {
      const place = await makePlace(server, 'small')
      try {
        await place.run(`tar cf ${place.work}/data.tar data && sync`)
        const tar = await place.run(`rclone copyto ${place.work}/data.tar t:${place.bucket}/data.tar`)
        const push = await place.push()
        const files = pair === 0 ? await place.run(`rclone copy data t:${place.bucket}/files`) : undefined
        const pull = await place.pull('b')
        const back = await place.run(`rclone copyto t:${place.bucket}/data.tar ${place.work}/back.tar`)
        execFileSync('diff', ['-r', `${place.work}/a/data`, `${pull.cwd}/data`])
        rows.push({ tar, push, files, pull, back })
      } finally {
        place.done()
      }
    }
    return rows
  },
  async large(server) {
    const rows = []
    for (let pair = 0; pair < pairs; pair++) {
      const place = await makePlace(server, 'large')
      try {
        const rclone = await place.run(`rclone copy data t:${place.bucket}/files`)
        await place.run('sync')
        const push = await place.push()
        await place.run(`rm -rf .git/varve/packs && sync`)
        const back = await place.run(`rclone copy t:${place.bucket}/files ${place.work}/back`)
        await place.run(`cmp data/large.bin ${place.work}/back/large.bin && rm -r ${place.work}/back && sync`)
        const pull = await place.pull('b')
        await place.run(`cmp data/large.bin ${pull.cwd}/data/large.bin && rm -rf ${pull.cwd} && sync`)
        const streamed = await place.pull('c', '--no-store')
        await place.run(`cmp data/large.bin ${streamed.cwd}/data/large.bin`)
        rows.push({ rclone, push, back, pull, streamed })
      } finally {
        place.done()
      }
    }
    return rows
  },
  async part(server) {
    const place = await makePlace(server, 'part')
    try {
      const push = await place.push()
      const [directory] = fs.readdirSync(path.join(place.work, 'a/data')).sort()
      const pull = await place.pull('b', `data/${directory}`)
      const files = fs.readdirSync(path.join(pull.cwd, 'data', directory))
      const wantedBytes = files.reduce(
        (sum, file) => sum + fs.statSync(path.join(pull.cwd, 'data', directory, file)).size,
        0,
      )
      return [{ push, pull, files: files.length, wantedBytes }]
    } finally {
      place.done()
    }
  },
}

const servers = JSON.parse(process.env.VARVE_TEST_S3_SERVERS ?? '[]').filter(
  ({ name, failure }) => failure === undefined && options.servers.split(',').includes(name.toLowerCase()),
)
if (servers.length === 0) throw new Error('no S3 server: run this through .ci/servers/run')
fs.mkdirSync(folder, { recursive: true })
const results = []
for (const server of servers) {
  for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) {
    const rows = await cases[name](server)
    results.push({ server: `${server.name} ${server.version}`, name, rows })
    process.stdout.write(
      `${JSON.stringify(results.at(-1), (key, value) => (key === 'output' || key === 'result' ? undefined : value))}\n`,
    )
  }
}
const rclone = execFileSync('rclone', ['version'], { encoding: 'utf8' }).split('\n')[0]
const page = renderPage(results, { machine: describeMachine(folder), rclone })
if (isQuick || positionals.length > 0) process.stdout.write(page)
else fs.writeFileSync(here('../../docs/benchmarks-remotes.md'), page)
