const backup = 'cd workspace && restic -r ../store -q backup data'
// Its repository can be pushed as it is: by a copy of the files that are new.
const push = 'mkdir -p remote && cp -ru store/. remote && sync -f remote'

/** A clone is elsewhere, and begins without cache. */
export const restic = {
  name: 'restic',
  version: 'restic version',
  setUp: `printf '%s\n' bench > "$RESTIC_PASSWORD_FILE"`,
  store: 'store',
  remote: 'remote',
  begin: 'restic -r store -q init',
  add: backup,
  readd: backup,
  addEdited: backup,
  status: 'cd workspace && restic -r ../store -q backup --dry-run data',
  statusTouched: 'cd workspace && restic -r ../store -q backup --dry-run data',
  push,
  pushNothing: push,
  pushEdited: push,
  checkout: 'restic -r store -q restore latest --target workspace',
  clone: 'RESTIC_CACHE_DIR=clone/cache restic -r remote -q restore latest --target clone',
}
