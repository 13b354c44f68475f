const add = 'cd workspace && git add data'
const push = 'cd workspace && git push -q origin main'
const status = 'cd workspace && git status --porcelain'

export const gitLfs = {
  name: 'git-lfs',
  version: 'git lfs version',
  setUp: 'git lfs install --skip-repo',
  store: 'workspace/.git',
  remote: 'remote',
  begin: `git init -q --bare remote && cd workspace && git init -q && git lfs track 'data/**' &&
    git add .gitattributes && git commit -qm begin && git remote add origin "file://$PWD/../remote"`,
  settle: 'cd workspace && git commit -q --allow-empty -m data',
  add,
  readd: add,
  addEdited: add,
  status,
  statusTouched: status,
  push,
  pushNothing: push,
  pushEdited: push,
  checkout: 'cd workspace && git checkout -q -- data',
  clone: 'git clone -q "file://$PWD/remote" clone',
}
