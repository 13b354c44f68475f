const add = 'cd workspace && git annex add --quiet data'
const push = 'cd workspace && git annex copy --quiet --to depot data'

/**
 * Data lies behind links that no tool writes through, so there is nothing to touch; and a checkout from the local
 * store makes links, not files.
 */
export const gitAnnex = {
  name: 'git-annex',
  version: 'git annex version --raw',
  store: 'workspace/.git',
  remote: 'remote',
  begin: `mkdir remote && cd workspace && git init -q && git annex init --quiet &&
    git annex initremote --quiet depot type=directory directory=../remote encryption=none`,
  settle: 'cd workspace && git commit -q --allow-empty -m data',
  add,
  readd: add,
  addEdited: add,
  status: 'cd workspace && git annex status data',
  push,
  pushNothing: push,
  pushEdited: push,
  clone: `git clone -q workspace clone && cd clone && git annex init --quiet &&
    git annex enableremote --quiet depot directory=../remote && git annex get --quiet --from depot data`,
}
