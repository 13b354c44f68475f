const create = 'cd workspace && borg create -C lz4 ../store::{utcnow:%s.%f} data'
// Its repository can be pushed as it is: by a copy of the files that are new.
const push = 'mkdir -p remote && cp -ru store/. remote && sync -f remote'

/** No status: what has changed shows when it makes an archive. A clone is elsewhere, and begins without cache. */
export const borg = {
  name: 'borg',
  version: 'borg --version',
  store: 'store',
  remote: 'remote',
  begin: 'borg init -e none store',
  add: 'cd workspace && borg create -C lz4 ../store::first data',
  readd: create,
  addEdited: create,
  status: create,
  statusTouched: create,
  push,
  pushNothing: push,
  pushEdited: push,
  checkout: 'cd workspace && borg extract ../store::first',
  clone: 'mkdir clone && cd clone && BORG_BASE_DIR="$PWD" borg extract ../remote::first',
}
