import {
  type CompletableCommand,
  type CompletableFlag,
  firstWords,
  secondWords,
} from './describe-commands.ts'

/** Runs in bash 3.2 and later. Where nothing else fits, readline completes paths. */
export function bashCompletion(commands: readonly CompletableCommand[]): string {
  const families = secondWords(commands)
  const cases = commands.map(
    ({ name, flags, choices }) => `    '${name}')
      flags='${flags.map(({ long }) => `--${long}`).join(' ')}'
      words='${choices.join(' ')}'
      case "$previous" in
${flags
  .filter(({ takesValue }) => takesValue)
  .map(valueCase)
  .join('\n')}
      esac ;;`,
  )
  const familyCases = [...families].map(
    ([first, members]) =>
      `    ${first}) words='${members.map(({ name }) => name.split(' ')[1]).join(' ')}' ;;`,
  )
  return `# bash completion for varve: put  source <(varve completion bash)  into ~/.bashrc
_varve() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local first='' second='' flags='' words='' word index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
    -C | --directory) ((index++)) ;;
    --) return ;;
    -*) ;;
    *)
      if [[ -z $first ]]; then first="$word"; elif [[ -z $second ]]; then second="$word"; fi ;;
    esac
  done
  local command="$first"
  case "$first" in
${familyCases.length > 0 ? `    ${[...families.keys()].join(' | ')}) [[ -n $second ]] && command="$first $second" ;;` : ''}
  esac
  if [[ -z $first ]]; then
    words='${firstWords(commands)
      .map(({ word }) => word)
      .join(' ')}'
    flags='--help --version'
  fi
  case "$command" in
${cases.join('\n')}
  esac
  if [[ $command == "$first" ]]; then
    case "$first" in
${familyCases.join('\n')}
    esac
  fi
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o bashdefault -o default -F _varve varve
`
}

function valueCase({ long, short, choices }: CompletableFlag): string {
  const names = short === undefined ? `--${long}` : `--${long} | -${short}`
  if (choices.length === 0) return `      ${names}) return ;;`
  return `      ${names}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`
}
