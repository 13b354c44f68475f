import { VarveError } from '../../core/errors.ts'

/** What every change of a place over HTTP ends with. */
export function readOnly(label: string): VarveError {
  return new VarveError('REMOTE_FAILED', `${label} is read-only: nothing can be changed over HTTP`, {
    hint: "Push to the folder's own URL (a path, ssh:// or s3://), and let the web server show it.",
  })
}
