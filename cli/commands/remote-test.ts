import { findRemote } from '../../core/config/find-remote.ts'
import { VarveError } from '../../core/errors.ts'
import { type RemoteTest, type RemoteTestOptions, testRemote } from '../../core/operations/remote-test.ts'
import { REQUESTS_AT_ONCE, type Throughput } from '../../core/operations/remote-throughput.ts'
import { remoteSurroundingsOf } from '../../core/operations/workbench.ts'
import { openProject } from '../../core/project.ts'
import type { RemoteToOpen } from '../../remotes/open.ts'
import { defineCommand } from '../command.ts'
import { confirmOnTerminal } from '../confirm-on-terminal.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { tellRetries } from '../render/describe-retry.ts'
import { renderRemoteTest } from '../render/remote-test.ts'

export const remoteTestCommand = defineCommand({
  usage: 'remote test [name]',
  description:
    'Asks a remote for everything that varve needs of it, with objects named probe-… that it removes again, and ' +
    'measures how long that takes. An empty place stays empty. What a place cannot do, and varve does without, is ' +
    'named. Ends with 9 if something does not work.',
  examples: [
    ['varve remote test', 'test the default remote'],
    ['varve remote test origin --json', 'for scripts'],
  ],
  options: {},
  positionals: [{ name: 'name', summary: 'The remote; without it, the default one' }],
  async run({ cwd, output, signal }, { positionals }) {
    const project = await openProject(cwd)
    const remote = findRemote(project.config, positionals[0])
    const { name } = remote
    const [{ admitRemote }, { openWrappedRemote }, { findMissingFolder }, { parseRemoteUrl }] =
      await Promise.all([
        import('../admit-remote.ts'),
        import('../../remotes/open-wrapped.ts'),
        import('../../remotes/find-missing-folder.ts'),
        import('../../remotes/remote-url.ts'),
      ])
    const toOpen = await admitRemote(remote, {
      ...remoteSurroundingsOf(project),
      confirm: (question) => confirmOnTerminal(question, signal),
    })
    const missing = await findMissingFolder(toOpen.url, toOpen)
    if (missing !== undefined) {
      const { label, canBeMade } = missing
      if (!canBeMade) {
        throw new VarveError(
          'REMOTE_FAILED',
          `the remote ${name} is not there, nor is the folder above it: ${label}`,
          {
            hint: 'Mount it if it lies on another disk or server; make the folder above it if it is new.',
          },
        )
      }
      output.result({ name, label, place: 'missing', ...NOTHING_TESTED }, () =>
        [
          `${name}: ${label}`,
          'There is no such folder yet, so nothing was tested: the first push will make it.',
          'If it should be there, mount the disk or server that it lies on.',
        ].join('\n'),
      )
      return 0
    }
    const opened = await openWrappedRemote(toOpen, {
      jobs: REQUESTS_AT_ONCE,
      signal,
      onRetry: tellRetries(output),
    })
    const place = parseRemoteUrl(toOpen.url)
    const result = await testRemote(opened.remote, {
      signal,
      ...(place.kind === 'http' && onlyRead(place.url, toOpen)),
    })
    output.result(jsonOf(name, result), () => renderRemoteTest(name, result, output.paint))
    if (result.checks.some(({ outcome }) => outcome === 'failed')) return exitCodeOf.REMOTE_FAILED
    return result.placeError === undefined ? 0 : exitCodeOf[result.placeError.code]
  },
})

function onlyRead(url: string, { mayAuthenticate }: RemoteToOpen): RemoteTestOptions {
  return {
    readOnly: true,
    async honoursRanges(key) {
      const { honoursRanges } = await import('../../remotes/http/honours-ranges.ts')
      return honoursRanges({ url, mayAuthenticate }, key)
    },
  }
}

const NOTHING_TESTED = {
  placeError: null,
  readOnly: false,
  checks: [],
  probeBytes: 0,
  writeBytesPerSecond: null,
  readBytesPerSecond: null,
  atOnce: { requests: REQUESTS_AT_ONCE, writeBytesPerSecond: null, readBytesPerSecond: null },
}

function jsonOf(name: string, result: RemoteTest) {
  const { label, place, placeError, readOnly, checks, probeBytes, one, atOnce } = result
  return {
    name,
    label,
    place,
    placeError: errorOf(placeError),
    readOnly,
    checks: checks.map(({ check, outcome, latencyMs, note, error }) => ({
      check,
      outcome,
      latencyMs: latencyMs === undefined ? null : Math.round(latencyMs * 1000) / 1000,
      note: note ?? null,
      error: errorOf(error),
    })),
    probeBytes,
    ...ratesOf(one),
    atOnce: { requests: atOnce.requests, ...ratesOf(atOnce) },
  }
}

function ratesOf({ writeBytesPerSecond, readBytesPerSecond }: Throughput) {
  return {
    writeBytesPerSecond: writeBytesPerSecond ?? null,
    readBytesPerSecond: readBytesPerSecond ?? null,
  }
}

function errorOf(error: VarveError | undefined) {
  return error === undefined ? null : { code: error.code, message: error.message, hint: error.hint ?? null }
}
