import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { createFileRemote } from '../../remotes/file.ts'
import { createHttpRemote } from '../../remotes/http.ts'
import { hasNginx, nginxVersion, startNginx, type WebServer } from '../support/nginx.ts'
import { describeRemoteContract } from './remote-contract.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

describe.skipIf(!hasNginx)(`a folder behind ${nginxVersion()}`, () => {
  let place: { folder: string; cleanUp: () => Promise<void> }
  let server: WebServer
  let remotes = 0

  beforeAll(async () => {
    place = await makeTemporaryFolder()
    server = await startNginx(place.folder)
  })

  afterAll(async () => {
    await server.stop()
    await place.cleanUp()
  })

  describeRemoteContract(
    'http',
    async () => {
      // One server shows all of them, each in a folder of its own.
      const name = `remote-${++remotes}`
      const folder = join(place.folder, name)
      mkdirSync(folder)
      return {
        remote: await createHttpRemote({ url: `${server.url}/${name}`, mayAuthenticate: false }),
        writer: createFileRemote({ folder }),
        cleanUp: async () => undefined,
      }
    },
    { readOnly: true, manyKeys: 500 },
  )
})
