const checkout = 'cp -r "$DATA" clone'

/** The floor: a copy, made durable where what stands beside it is durable. */
export const cp = {
  name: 'cp',
  version: 'cp --version | sed -n 1p',
  isBaseline: true,
  readsOnly: true,
  remote: 'remote',
  settle: 'mv copy "$TRASH/copy-$STAMP"',
  add: 'cp -r "$DATA" copy && sync -f copy',
  addEdited: 'cp -r "$EDITED" copy && sync -f copy',
  push: 'cp -r "$DATA" remote && sync -f remote',
  checkout,
  clone: checkout,
}
