export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/**
 * Each asks `gantry __complete -- WORD...`, whose last word is the one being typed, and gets a candidate a line: the
 * word, a tab, what it is. No line means file names.
 */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of gantry
_gantry() {
  local line=\${COMP_LINE:0:COMP_POINT} word program current
  local -a words
  # Not COMP_WORDS: bash cuts them at every colon, and image names have colons.
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  program=\${words[0]/#\\~/$HOME}
  current=\${words[\${#words[@]} - 1]}
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    [[ -n $word ]] && COMPREPLY+=("$word")
  done < <("$program" __complete -- "\${words[@]:1}" 2>/dev/null)
  # bash replaces only what follows the last colon or equals sign.
  if [[ $current == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then
    local prefix=\${current%"\${current##*[:=]}"} index
    for index in "\${!COMPREPLY[@]}"; do
      COMPREPLY[index]=\${COMPREPLY[index]#"$prefix"}
    done
  fi
}
complete -o default -F _gantry gantry
`,
  zsh: `#compdef gantry
# zsh completion of gantry
_gantry() {
  local -a lines described
  local line
  lines=("\${(@f)$(\${(Q)words[1]} __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    [[ -n $line ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#described} )); then
    _describe gantry described
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _gantry ]]; then
  _gantry "$@"
else
  compdef _gantry gantry
fi
`,
  fish: `# fish completion of gantry
function __gantry_complete
    set -l words (commandline -opc)
    $words[1] __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c gantry -a '(__gantry_complete)'
`,
};
