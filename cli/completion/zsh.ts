import {
  type CompletableCommand,
  type CompletableFlag,
  firstWords,
  secondWords,
} from './describe-commands.ts'

/** Works sourced, and as a file `_varve` in `$fpath`. */
export function zshCompletion(commands: readonly CompletableCommand[]): string {
  const families = [...secondWords(commands)]
  const cases = commands.map(
    ({ name, flags, choices }) => `    ${quote(name)})
      _arguments -s -S ${flags.flatMap(flagSpecs).join(' ')} ${quote(
        choices.length > 0 ? `1:argument:(${choices.join(' ')})` : '*:path:_files',
      )} ;;`,
  )
  const describe = (items: { word: string; summary: string }[]) =>
    items.map(({ word, summary }) => quote(`${word}:${summary}`)).join(' ')
  const familyCases = families.map(([first, members]) => {
    const items = members.map(({ name, summary }) => ({ word: name.split(' ')[1]!, summary }))
    return `    ${quote(first)}) commands+=(${describe(items)}) ;;`
  })
  const familyNames = families.map(([first]) => first).join('|')
  return `#compdef varve
# zsh completion for varve: put  source <(varve completion zsh)  into ~/.zshrc, after compinit
_varve() {
  local -a commands
  local first='' second='' position=0 second_position=0 index
  for ((index = 2; index < CURRENT; index++)); do
    case "$words[index]" in
      -C|--directory) ((index++)) ;;
      --) _files; return ;;
      -*) ;;
      *)
        if [[ -z $first ]]; then first=$words[index]; position=$index
        elif [[ -z $second ]]; then second=$words[index]; second_position=$index
        fi ;;
    esac
  done
  if [[ -z $first ]]; then
    commands=(${describe(firstWords(commands))})
    _describe 'command' commands
    return
  fi
  local command=$first
  case "$first" in
${
  familyNames === ''
    ? ''
    : `    ${familyNames})
      if [[ -n $second ]]; then command="$first $second"; position=$second_position; fi ;;`
}
  esac
  if [[ $command == $first ]]; then
    case "$first" in
${familyCases.join('\n')}
    esac
    if (( $#commands )); then _describe 'command' commands; return; fi
  fi
  shift $((position - 1)) words
  ((CURRENT -= position - 1))
  case "$command" in
${cases.join('\n')}
    *) _files ;;
  esac
}
if [[ $funcstack[1] == _varve ]]; then _varve "$@"; else compdef _varve varve; fi
`
}

function flagSpecs({ long, short, summary, takesValue, choices }: CompletableFlag): string[] {
  const action = choices.length > 0 ? `(${choices.join(' ')})` : '_files'
  const tail = `[${summary.replace(/[[\]\\:]/g, '\\$&')}]${takesValue ? `:value:${action}` : ''}`
  const names = short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`]
  return names.map((name) => quote(`*${name}${tail}`))
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
