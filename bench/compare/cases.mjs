const GB = 1e9
const everyone = ['cp', 'git-lfs', 'git-annex', 'restic', 'borg', 'dvc', 'oxen', 'rclone']

// A step: an operation of each tool, with what is done before and after it, untimed and for all tools alike.
// One that is not `isRepeatable` changes what later ones start from, and is measured once a round.
// `edit`: what is done to the data first, also where the tool does not take part in the step.
// `weighs`: of which folder the new bytes and files are counted. `settles`: the tool commits afterwards.
// `makes`: what must equal the data, as is looked at once a round.
// `isTrashKept`, of a case: nothing is deleted before it ends. For minutes after files were deleted, ext4 looks longer
// for a free inode, and what makes many files would be measured slower the later its turn comes.
const withoutData = 'mv workspace/data "$TRASH/data-$STAMP"'
const add = { key: 'add', title: 'add', weighs: 'store', settles: true }
const push = { key: 'push', title: 'push to a folder', weighs: 'remote' }
const pushNothing = { key: 'pushNothing', title: 'push of nothing', isRepeatable: true }
const status = { key: 'status', title: 'status, nothing changed', isRepeatable: true }
const readd = { key: 'readd', title: 'add again, nothing changed', isRepeatable: true }
const statusTouched = {
  key: 'statusTouched',
  title: 'status after touching all',
  isRepeatable: true,
  before: 'find workspace/data -type f -exec touch -d "@$STAMP" {} +',
}
const checkout = {
  key: 'checkout',
  title: 'checkout from the store',
  isRepeatable: true,
  makes: 'workspace/data',
  before: withoutData,
  after: '[ ! -e clone ] || mv clone "$TRASH/clone-$STAMP"',
}
const clone = {
  key: 'clone',
  title: 'clone and checkout',
  isRepeatable: true,
  makes: 'clone/data',
  after: '[ ! -e clone ] || mv clone "$TRASH/clone-$STAMP"',
}
const pushEdited = { key: 'pushEdited', title: 'push after the edit', weighs: 'remote' }
const addEdited = {
  key: 'addEdited',
  title: 'add after the edit',
  edit: `${withoutData} && cp -a "$EDITED" workspace/data`,
  weighs: 'store',
  settles: true,
}
const addOneByte = {
  ...addEdited,
  isRepeatable: true,
  edit: `printf x | dd status=none conv=notrunc bs=1 of=workspace/data/large.bin \\
    seek=$(( $(stat -c %s workspace/data/large.bin) / 2 + STAMP % 1000 * 1000 ))`,
}

const growth = (count) => ({
  title: `${count} files of 1 KiB`,
  steps: [add, push, status],
  isTrashKept: true,
})
const large = (size) => ({ title: `One file of ${size} that does not compress`, steps: [add, checkout] })

/** What is measured, by name; `isLong`: only when it is asked for. `beside`: what stands beside Varve if not told. */
export const cases = {
  A: {
    title: '20,000 files of 200 B to 64 KiB in 100 directories, 224 MB',
    data: 'A',
    steps: [add, push, pushNothing, status, readd, statusTouched, checkout, clone],
    beside: everyone,
    neededBytes: 15 * GB,
    isTrashKept: true,
  },
  B: {
    title: '2 GiB that do not compress and a CSV of 1 GiB',
    data: 'B',
    steps: [add, push, checkout, clone],
    beside: everyone,
    neededBytes: 30 * GB,
  },
  C: {
    title: 'A CSV of 1 GiB with 1,000 rows inserted at 10 places, and 512 MiB of float32 with 1 % changed',
    data: 'C',
    edited: 'C-edited',
    steps: [add, push, addEdited, pushEdited],
    beside: everyone,
    neededBytes: 25 * GB,
  },
  'growth-1k': { ...growth('1,000'), data: 'growth-1k', beside: everyone, neededBytes: 2 * GB },
  'growth-10k': { ...growth('10,000'), data: 'growth-10k', beside: everyone, neededBytes: 2 * GB },
  'growth-100k': { ...growth('100,000'), data: 'growth-100k', beside: everyone, neededBytes: 5 * GB },
  'growth-1m': {
    ...growth('1,000,000'),
    data: 'growth-1m',
    beside: ['cp'],
    neededBytes: 25 * GB,
    isLong: true,
  },
  'large-1g': { ...large('1 GiB'), data: 'large-1g', beside: ['cp'], neededBytes: 6 * GB },
  'large-4g': { ...large('4 GiB'), data: 'large-4g', beside: ['cp'], neededBytes: 20 * GB },
  'large-16g': {
    ...large('16 GiB'),
    data: 'large-16g',
    beside: ['cp'],
    neededBytes: 72 * GB,
    isLong: true,
    isDataKept: false,
  },
  'one-byte': {
    title: 'One byte changed in a file of 10 GiB',
    data: 'one-byte',
    steps: [add, push, addOneByte, pushEdited],
    beside: ['cat'],
    neededBytes: 46 * GB,
    isLong: true,
    isDataKept: false,
  },
}
