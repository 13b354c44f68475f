import { findRemote } from '../../core/config/find-remote.ts'
import { VarveError } from '../../core/errors.ts'
import { type RemoteTest, testRemote } from '../../core/operations/remote-test.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { renderRemoteTest } from '../render/remote-test.ts'

export const remoteTestCommand = defineCommand({
  usage: 'remote test [name]',
  description:
    'Asks a remote for everything that varve needs of it, with objects named probe-… that it removes again, and ' +
    'measures how long that takes. An empty place stays empty. Ends with 9 if something does not work.',
  examples: [
    ['varve remote test', 'test the default remote'],
    ['varve remote test origin --json', 'for scripts'],
  ],
  options: {},
  positionals: [{ name: 'name', summary: 'The remote; without it, the default one' }],
  async run({ cwd, output, signal }, { positionals }) {
    const { repository, config } = await openProject(cwd)
    const { name, settings } = findRemote(config, positionals[0])
    const url = settings.get('url')?.value
    if (url === undefined) {
      throw new VarveError('BAD_CONFIG', `the remote ${name} has no url`, {
        hint: `Set it with \`varve remote set ${name} url URL\`.`,
      })
    }
    const [{ openRemote }, { findMissingFolder }] = await Promise.all([
      import('../../remotes/open.ts'),
      import('../../remotes/find-missing-folder.ts'),
    ])
    const options = { baseFolder: repository.root }
    const missing = await findMissingFolder(url, options)
    if (missing !== undefined) {
      const { folder, canBeMade } = missing
      if (!canBeMade) {
        throw new VarveError(
          'REMOTE_FAILED',
          `the remote ${name} is not there, nor is the folder above it: ${folder}`,
          {
            hint: 'Mount it if it lies on another disk or server; make the folder above it if it is new.',
          },
        )
      }
      output.result({ name, label: folder, place: 'missing', ...NOTHING_TESTED }, () =>
        [
          `${name}: ${folder}`,
          'There is no such folder yet, so nothing was tested: the first push will make it.',
          'If it should be there, mount the disk or server that it lies on.',
        ].join('\n'),
      )
      return 0
    }
    const result = await testRemote(await openRemote(url, options), { signal })
    output.result(jsonOf(name, result), () => renderRemoteTest(name, result, output.paint))
    if (result.checks.some(({ outcome }) => outcome === 'failed')) return exitCodeOf.REMOTE_FAILED
    return result.placeError === undefined ? 0 : exitCodeOf[result.placeError.code]
  },
})

const NOTHING_TESTED = {
  placeError: null,
  checks: [],
  probeBytes: 0,
  writeBytesPerSecond: null,
  readBytesPerSecond: null,
}

function jsonOf(name: string, result: RemoteTest) {
  const { label, place, placeError, checks, probeBytes, writeBytesPerSecond, readBytesPerSecond } = result
  return {
    name,
    label,
    place,
    placeError: errorOf(placeError),
    checks: checks.map(({ check, outcome, latencyMs, error }) => ({
      check,
      outcome,
      latencyMs: latencyMs === undefined ? null : Math.round(latencyMs * 1000) / 1000,
      error: errorOf(error),
    })),
    probeBytes,
    writeBytesPerSecond: writeBytesPerSecond ?? null,
    readBytesPerSecond: readBytesPerSecond ?? null,
  }
}

function errorOf(error: VarveError | undefined) {
  return error === undefined ? null : { code: error.code, message: error.message, hint: error.hint ?? null }
}
