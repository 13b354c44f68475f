const push = 'rclone copy workspace/data remote/data'
const status = 'rclone copy --dry-run workspace/data remote/data'

/** It copies, and keeps no versions. Its status is what a copy would do. */
export const rclone = {
  name: 'rclone',
  version: 'rclone version | sed -n 1p',
  remote: 'remote',
  status,
  statusTouched: status,
  push,
  pushNothing: push,
  pushEdited: push,
  clone: 'rclone copy remote/data clone/data',
}
