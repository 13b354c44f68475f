import type { Remote } from '../core/remote.ts'
import type { HttpPlace } from './http/http-place.ts'

export async function createHttpRemote(place: HttpPlace): Promise<Remote> {
  throw new Error(place.url)
}
