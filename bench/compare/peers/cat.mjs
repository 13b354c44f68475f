/** One read of what Varve has to read. */
export const cat = {
  name: 'cat',
  version: 'cat --version | sed -n 1p',
  isBaseline: true,
  readsOnly: true,
  addEdited: 'cat ../varve/workspace/data/* > /dev/null',
}
