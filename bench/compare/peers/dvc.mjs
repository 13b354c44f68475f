const add = 'cd workspace && dvc add -q data'
const push = 'cd workspace && dvc push -q'
const status = 'cd workspace && dvc status'

export const dvc = {
  name: 'dvc',
  version: 'dvc --version',
  setUp: 'dvc config --global core.analytics false && dvc config --global core.check_update false',
  store: 'workspace/.dvc',
  remote: 'remote',
  begin:
    'cd workspace && git init -q && dvc init -q && dvc remote add -q -d origin ../remote && git commit -qm begin',
  settle: 'cd workspace && git add data.dvc .dvc .gitignore && git commit -q --allow-empty -m data',
  add,
  readd: add,
  addEdited: add,
  status,
  statusTouched: status,
  push,
  pushNothing: push,
  pushEdited: push,
  checkout: 'cd workspace && dvc checkout -q',
  clone: 'git clone -q workspace clone && cd clone && dvc pull -q',
}
