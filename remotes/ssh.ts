import type { Remote } from '../core/remote.ts'
import type { SshPlace } from './ssh/ssh-place.ts'

export async function createSshRemote(place: SshPlace): Promise<Remote> {
  throw new Error(place.url)
}
