import { VarveError } from '../../errors.ts'
import type { PackName } from '../../format/pack.ts'
import {
  compressRecord,
  encodeRootRecord,
  MAX_RECORD_BYTES,
  MAX_RECORD_FILE_BYTES,
  type RecordId,
  type RecordKind,
  type RecordPack,
  type RecordPointer,
  recordIdOf,
} from '../../format/root-record.ts'
import type { Remote } from '../../remote.ts'
import { sourceOf } from '../objects/source-of.ts'
import { intentKey, recordKey } from '../view/remote-view.ts'
import type { OutgoingPack } from './outgoing-packs.ts'
import type { PlannedVersion } from './push-planner.ts'

export type PushRecord = {
  kind: RecordKind
  repositoryId: string
  who: string
  commits: readonly string[]
  /** All that the versions lean on, and of a final record all that was sent. */
  packs: readonly RecordPack[]
  planned: readonly PlannedVersion[]
  sent: readonly Pick<OutgoingPack, 'name' | 'sources'>[]
}

/** Writes what a push means to keep, or keeps. @throws USAGE for one that is larger than readers take */
export async function writePushRecord(
  remote: Remote,
  push: PushRecord,
): Promise<{ id: RecordId; json: Buffer }> {
  const { kind, repositoryId, who, commits, packs, planned } = push
  const indexOf = new Map(packs.map(({ name }, index) => [name, index]))
  const json = encodeRootRecord({
    ...{ kind, who },
    repository: repositoryId,
    createdAt: new Date().toISOString(),
    commits: [...commits],
    packs: [...packs],
    pointers: planned.map((version) => pointerOf(version, push, indexOf)),
  })
  const bytes = compressRecord(json)
  if (json.length > MAX_RECORD_BYTES || bytes.length > MAX_RECORD_FILE_BYTES) throw tooMuch(planned.length)
  const id = recordIdOf(json)
  const key = kind === 'final' ? recordKey(repositoryId, id) : intentKey(repositoryId, id)
  await remote.write(key, sourceOf(bytes))
  return { id, json }
}

function pointerOf(
  { version, closure }: PlannedVersion,
  { sent }: PushRecord,
  indexOf: ReadonlyMap<PackName, number>,
): RecordPointer {
  const { path, id, sizeBytes, only } = version
  const own = sent.filter(({ sources }) => [...sources].some((source) => closure.sources.has(source)))
  const names = [...closure.leanedOn, ...own.map(({ name }) => name)]
  const packs = names.map((name) => indexOf.get(name)!).sort((a, b) => a - b)
  return { path, id, sizeBytes, ...(only === undefined ? {} : { only }), packs }
}

function tooMuch(count: number): VarveError {
  return new VarveError('USAGE', `${count} versions are more than one push can take`, {
    hint: 'Push some paths at a time: `varve push PATH`.',
  })
}
