const add = 'cd workspace && varve add data'
const push = 'cd workspace && varve push'
const status = 'cd workspace && varve status'

/** `varve` is a script in front of PATH that runs the build which is measured. */
export const varve = {
  name: 'varve',
  version: 'varve --version',
  store: 'workspace/.git',
  remote: 'remote',
  begin: `cd workspace && git init -q && varve init && varve remote add origin ../remote && git commit -qm begin`,
  settle: 'cd workspace && git commit -q --allow-empty -m data',
  add,
  readd: add,
  addEdited: add,
  status,
  statusTouched: status,
  push,
  pushNothing: push,
  pushEdited: push,
  checkout: 'cd workspace && varve checkout',
  clone: 'git clone -q workspace clone && cd clone && varve pull',
}
