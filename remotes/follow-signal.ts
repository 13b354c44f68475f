import { setMaxListeners } from 'node:events'

/** A controller that is aborted when `outer` is, for the same reason; `unfollow` ends that. */
export function followSignal(outer: AbortSignal | undefined): {
  controller: AbortController
  unfollow: () => void
} {
  const controller = new AbortController()
  if (outer === undefined) return { controller, unfollow: () => undefined }
  const abort = () => controller.abort(outer.reason)
  if (outer.aborted) abort()
  // One signal ends a whole transfer: more requests than the ten that Node takes for a leak.
  setMaxListeners(0, outer)
  outer.addEventListener('abort', abort, { once: true })
  return { controller, unfollow: () => outer.removeEventListener('abort', abort) }
}
