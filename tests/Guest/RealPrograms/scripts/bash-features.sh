# SPDX-License-Identifier: Apache-2.0
# needs: bash
bash -c '
declare -A m=([one]=1 [two]=2); for k in one two; do echo $k=${m[$k]}; done
a=(x y z); echo ${#a[@]} ${a[@]:1} ${a[-1]}
echo {a..e} {1..10..3}; echo $((2**10)) $((0x1f)); s=hello; echo ${s^^} ${s/l/L} ${s:1:3}
[[ foo42 =~ ([0-9]+) ]] && echo ${BASH_REMATCH[1]}
while read -r l; do echo "<$l>"; done < <(printf "p\nq\n")
cat <<< "here string"; coproc c { tr a-z A-Z; }; echo up >&${c[1]}; exec {c[1]}>&-; cat <&${c[0]}
trap "echo trapped" USR1; kill -USR1 $$; (exit 7); echo $?; set -o pipefail; false | true; echo $?
'
