import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../store/write-file-durably.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { areNamesPublished, publishNames } from './published-names.ts'

type PublishOptions = { isRehearsal?: boolean | undefined; signal?: AbortSignal | undefined }

/** Before a push changes what is listed: from now on `published.json` is behind, also if the push is cut off. */
export function notePublishingDue(view: RemoteView): void {
  rmSync(publishedNote(view), { force: true })
}

/** After a push has changed what is listed. */
export async function publishAfterPush(view: RemoteView, options: PublishOptions): Promise<void> {
  await publishNames(view.remote, options.signal)
  if (!options.isRehearsal) writeFileDurably(publishedNote(view), '')
}

/**
 * For a push that has nothing to send: makes up for one that was cut off, and for versions that did not publish. It asks
 * the remote once; a clone that knows its pushes published asks nothing.
 */
export async function publishIfDue(view: RemoteView, options: PublishOptions): Promise<void> {
  if (existsSync(publishedNote(view))) return
  if (!(await areNamesPublished(view.remote, options.signal))) await publishNames(view.remote, options.signal)
  if (!options.isRehearsal) writeFileDurably(publishedNote(view), '')
}

function publishedNote(view: RemoteView): string {
  return join(view.folder, 'published')
}
