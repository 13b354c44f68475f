import { createFileRemote } from '../../remotes/file.ts'
import { describeRemoteContract } from './remote-contract.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

describeRemoteContract('file', async () => {
  const { folder, cleanUp } = await makeTemporaryFolder()
  return { remote: createFileRemote({ folder }), cleanUp }
})
