import type { FileEntryWithStats, Stats } from 'ssh2'
import { expect, test } from 'vitest'
import type { RemoteEntry } from '../../../../core/remote.ts'
import { listServerFolder } from '../../../../remotes/ssh/list-server-folder.ts'
import type { SftpChannel } from '../../../../remotes/ssh/sftp-channel.ts'
import type { SshSession } from '../../../../remotes/ssh/ssh-session.ts'

type Tree = Record<string, FileEntryWithStats[]>

const statsOf = (kind: 'file' | 'folder', sizeBytes?: number) =>
  ({
    mode: 0,
    mtime: 1,
    size: sizeBytes,
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'folder',
    isSymbolicLink: () => false,
  }) as unknown as Stats

const file = (filename: string, sizeBytes?: number) =>
  ({ filename, longname: '', attrs: statsOf('file', sizeBytes) }) as FileEntryWithStats
const folder = (filename: string) =>
  ({ filename, longname: '', attrs: statsOf('folder') }) as FileEntryWithStats

function sessionOf(tree: Tree, stat = async (_path: string) => statsOf('folder')) {
  const channel = { stat, lstat: stat, readdir: async (path: string) => tree[path] ?? [] }
  const use = <T>(work: (channel: SftpChannel) => Promise<T>) => work(channel as unknown as SftpChannel)
  return { use } as SshSession
}

async function entriesOf(session: SshSession): Promise<RemoteEntry[]> {
  const entries: RemoteEntry[] = []
  for await (const entry of listServerFolder({ session, root: '/r' }, '')) entries.push(entry)
  return entries
}

/** Ten folders of one file each. */
const tenFolders: Tree = {
  '/r': Array.from({ length: 10 }, (_, at) => folder(`d${at}`)),
  ...Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`/r/d${at}/`, [file(`k${at}`, 1)]])),
}

test('a reader that takes its time misses nothing', async () => {
  const keys: string[] = []
  for await (const { key } of listServerFolder({ session: sessionOf(tenFolders), root: '/r' }, '')) {
    keys.push(key)
    // Long enough for every folder to be read.
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(keys.sort()).toEqual(Array.from({ length: 10 }, (_, at) => `d${at}/k${at}`))
})

test('a folder that fails while the reader has an entry in hand ends the listing', async () => {
  const tree: Tree = { '/r': [folder('a'), folder('b')], '/r/b/': [file('k', 1)] }
  const session = sessionOf(tree)
  let isFirst = true
  const failing = {
    use: <T>(work: (channel: SftpChannel) => Promise<T>) =>
      session.use((channel) =>
        work({
          ...channel,
          readdir: async (path: string) => {
            if (path !== '/r/a/') return channel.readdir(path)
            while (isFirst) await new Promise((resolve) => setImmediate(resolve))
            throw new Error('lost')
          },
        } as SftpChannel),
      ),
  } as SshSession
  const listing = (async () => {
    for await (const { key } of listServerFolder({ session: failing, root: '/r' }, '')) {
      expect(key).toBe('b/k')
      isFirst = false
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await expect(listing).rejects.toThrow('lost')
})

test('names that no key can have are passed over', async () => {
  const names = ['ok', 'a/b', '../x', '..', '.hidden', 'a\nb', 'ä', '', 'x'.repeat(256)]
  const session = sessionOf({ '/r': names.map((name) => file(name, 1)) })
  const entries = await entriesOf(session)
  expect(entries.map(({ key }) => key)).toEqual(['ok'])
})

test('folders that lead deeper than a key can are not entered', async () => {
  const asked: string[] = []
  const endless = {
    use: <T>(work: (channel: SftpChannel) => Promise<T>) =>
      work({
        stat: async () => statsOf('folder'),
        readdir: async (path: string) => {
          asked.push(path)
          return [folder('x'.repeat(200))]
        },
      } as unknown as SftpChannel),
  } as SshSession
  expect(await entriesOf(endless)).toEqual([])
  expect(asked).toHaveLength(6)
})

test('what a listing does not tell of a file is asked for', async () => {
  const session = sessionOf({ '/r': [file('k')] }, async (path) =>
    path === '/r/k' ? statsOf('file', 7) : statsOf('folder'),
  )
  const entries = await entriesOf(session)
  expect(entries).toEqual([{ key: 'k', sizeBytes: 7, modifiedAt: new Date(1000) }])
})
