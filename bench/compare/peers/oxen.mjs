const run = (calls) => `cd workspace && python3 -c "from oxen import Repo; repo = Repo('.'); ${calls}"`
const add = run(`repo.add('data')`)
const status = run('repo.status()')

/**
 * Run through its Python package, whose start is part of each figure. It pushes to its own server alone, which is
 * not measured.
 */
export const oxen = {
  name: 'oxen',
  version: `python3 -c "import oxen, importlib.metadata as m; print('oxen', m.version('oxenai'))"`,
  setUp: `python3 -c "from oxen.user import config_user; config_user('Bench', 'bench@example.org')"`,
  store: 'workspace/.oxen',
  begin: run('repo.init()'),
  settle: run(`repo.commit('data')`),
  add,
  readd: add,
  addEdited: add,
  status,
  statusTouched: status,
  checkout: run(`repo.restore('data')`),
}
