/** A time-out as the system tells it: of the connection, or of what comes over it. */
export function timedOut(syscall: 'connect' | 'read'): Error {
  return Object.assign(new Error(`${syscall} ETIMEDOUT`), { code: 'ETIMEDOUT', syscall })
}
