import {
  type CompletableCommand,
  type CompletableFlag,
  firstWords,
  secondWords,
} from './describe-commands.ts'

export function fishCompletion(commands: readonly CompletableCommand[]): string {
  const families = secondWords(commands)
  const lines = firstWords(commands).map(
    ({ word, summary }) => `complete -c varve -n '__varve_at' -f -a ${word} -d ${quote(summary)}`,
  )
  lines.push(`complete -c varve -n '__varve_at' -l version -d 'show the version'`)
  for (const [first, members] of families) {
    for (const { name, summary } of members) {
      const second = name.split(' ')[1]
      lines.push(`complete -c varve -n '__varve_at ${first}' -f -a ${second} -d ${quote(summary)}`)
    }
  }
  for (const { name, flags, choices } of commands) {
    const condition = `-n '__varve_in ${name}'`
    for (const flag of flags) lines.push(`complete -c varve ${condition} ${flagWords(flag)}`)
    if (choices.length > 0) lines.push(`complete -c varve ${condition} -f -a ${quote(choices.join(' '))}`)
  }
  return `# fish completion for varve: varve completion fish > ~/.config/fish/completions/varve.fish
function __varve_words
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word -C --directory
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# The words typed so far are exactly these.
function __varve_at
    set -l typed (__varve_words)
    test "$typed" = "$argv"
end

# The words typed so far begin with these.
function __varve_in
    set -l typed (__varve_words)
    test (count $typed) -ge (count $argv); and test "$typed[1..(count $argv)]" = "$argv"
end

${lines.join('\n')}
`
}

function flagWords({ long, short, summary, takesValue, choices }: CompletableFlag): string {
  const words = [`-l ${long}`]
  if (short !== undefined) words.push(`-s ${short}`)
  if (takesValue) words.push('-r')
  if (choices.length > 0) words.push(`-f -a ${quote(choices.join(' '))}`)
  words.push(`-d ${quote(summary)}`)
  return words.join(' ')
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
