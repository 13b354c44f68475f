import { rmSync } from 'node:fs'
import { temporaryFolder } from '../../store/store-layout.ts'
import { temporaryPath } from '../../store/temporary-files.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { SentJournal } from './sent-journal.ts'
import { writePushSegments } from './write-push-segments.ts'

/**
 * For a push that has nothing to send: one before it may have been cut off after its final record and before its
 * segments. Its packs are then named in the index, lest other clones send the same again. Where no push of this clone
 * was cut off, the remote is not asked.
 */
export async function finishPush(
  view: RemoteView,
  { isRehearsal, signal }: { isRehearsal?: boolean | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  if (!SentJournal.hasNotes(view.folder)) return
  const scratch = temporaryPath(temporaryFolder(view.folder))
  const journal = await SentJournal.open(view, scratch)
  try {
    // Others are of a push that has no final record: the one that is made in its place will find them.
    const recorded = [...journal.packs.values()].filter(({ name }) => view.recordedPacks.has(name))
    if (recorded.length === 0) return
    await view.refreshIndex(signal)
    const indexed = view.index.packs()
    const lacking = recorded.filter(({ name }) => !indexed.has(name))
    await writePushSegments(view, lacking, { isRehearsal, signal })
    if (!isRehearsal && recorded.length === journal.packs.size) journal.clear()
  } finally {
    journal.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}
