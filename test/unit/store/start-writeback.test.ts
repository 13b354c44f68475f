import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startWriteback } from '../../../core/store/start-writeback.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const openFiles = () => readdirSync('/proc/self/fd').length

test.runIf(process.platform === 'linux')(
  'leaves the file, and no descriptor, whatever became of it',
  async () => {
    const folder = makeTemporaryFolder()
    const before = openFiles()
    for (const end of ['kept', 'closed at once', 'removed at once', 'never there']) {
      const path = join(folder, 'file')
      const fd = end === 'never there' ? undefined : openSync(path, 'w')
      if (fd !== undefined) writeSync(fd, end)
      startWriteback(path)
      if (end === 'removed at once') rmSync(path)
      if (end === 'kept') fsyncSync(fd!)
      if (fd !== undefined) closeSync(fd)
      for (let tries = 0; openFiles() > before && tries < 500; tries++) await sleep(10)
      expect(openFiles()).toBe(before)
      if (end === 'kept' || end === 'closed at once') expect(readFileSync(path, 'utf8')).toBe(end)
      rmSync(path, { force: true })
    }
  },
)
