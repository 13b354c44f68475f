import type { Remote } from '../../remote.ts'

/** A remote that is opened by the first request: what is known of it locally can be asked without. */
export function lazyRemote(label: string, open: () => Promise<Remote>): Remote {
  let opened: Promise<Remote> | undefined
  const remote = () => {
    opened ??= open()
    return opened
  }
  return {
    label,
    stat: async (key) => (await remote()).stat(key),
    read: async (key, options) => (await remote()).read(key, options),
    write: async (key, source, options) => (await remote()).write(key, source, options),
    async *list(prefix) {
      yield* (await remote()).list(prefix)
    },
    remove: async (key) => (await remote()).remove(key),
  }
}
