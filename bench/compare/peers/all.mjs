import { borg } from './borg.mjs'
import { cat } from './cat.mjs'
import { cp } from './cp.mjs'
import { dvc } from './dvc.mjs'
import { gitAnnex } from './git-annex.mjs'
import { gitLfs } from './git-lfs.mjs'
import { oxen } from './oxen.mjs'
import { rclone } from './rclone.mjs'
import { restic } from './restic.mjs'

/**
 * What stands beside Varve. Each operation is a line of shell, run in a workbench (workbench.mjs); one that is not
 * there has no meaning for the tool.
 */
export const peers = [cp, cat, gitLfs, gitAnnex, restic, borg, dvc, oxen, rclone]
