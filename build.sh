#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The one door: every task of this repository is a target here. Without arguments it lists them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
ROOT=$PWD
OUT=$ROOT/out
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
CONFIG=${CVISOR_TEST_CONFIG:-Debug}

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }
rid() { case $(uname -m) in x86_64) echo linux-x64 ;; aarch64) echo linux-arm64 ;; *) die "no runtime identifier for $(uname -m)" ;; esac; }

# Runs a noisy command quietly: its output is shown only when it fails.
quietly() {
    local log=$1; shift
    mkdir -p "$(dirname "$log")"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        grep -E '(error|warning) [A-Z]+[0-9]+|: error' "$log" | sort -u | head -40 >&2 || true
        tail -n 15 "$log" >&2
        die "failed: $* (whole output in ${log#"$ROOT"/})"
    fi
}

# What the linker of NativeAOT needs: a compiler driver, lld, and zlib's headers.
need_linker() {
    local missing=()
    command -v clang >/dev/null || missing+=(clang)
    command -v ld.lld >/dev/null || missing+=(lld)
    [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing ${missing[*]}"
        quietly "$OUT/log/apt.log" env DEBIAN_FRONTEND=noninteractive apt-get -y -q update
        quietly "$OUT/log/apt.log" env DEBIAN_FRONTEND=noninteractive apt-get -y -q install --no-install-recommends "${missing[@]}"
    else
        die "the native linker needs ${missing[*]}; as root: apt-get install ${missing[*]}"
    fi
}

# What the tests compare with and run as guests. A test that misses something says so and is skipped.
want_test_tools() {
    local missing=() pair
    for pair in runc:runc busybox:busybox-static dockerd:docker.io newuidmap:uidmap; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing ${missing[*]} for the tests"
        mkdir -p "$OUT/log"
        { apt-get -y -q update && apt-get -y -q install --no-install-recommends "${missing[@]}"; } >"$OUT/log/apt-tests.log" 2>&1 </dev/null ||
            say "apt-get failed (out/log/apt-tests.log); tests that need ${missing[*]} are skipped"
    else
        say "tests that need ${missing[*]} are skipped"
    fi
}

need_sdk() { command -v dotnet >/dev/null || die "the .NET 10 SDK is needed (dotnet is not in PATH)"; }

# True when out/runsc is there and nothing it is made of is newer.
binary_is_fresh() {
    [ -x "$OUT/runsc" ] || return 1
    [ -z "$(find syscalls.yaml generators analyzers kernel platforms gofer runsc Directory.Build.props Directory.Packages.props global.json \
        \( -name bin -o -name obj \) -prune -o -type f -newer "$OUT/runsc" -print -quit 2>/dev/null)" ]
}

#: build            publish the one native binary to out/runsc (skipped when nothing it is made of has changed)
target_build() {
    need_sdk
    mkdir -p "$OUT/log"
    exec 7>"$OUT/.build.lock"; flock 7
    if binary_is_fresh; then say "out/runsc is up to date"; exec 7>&-; return; fi
    need_linker
    say "publishing out/runsc"
    local started; started=$(mktemp "$OUT/.started.XXXXXX")
    quietly "$OUT/log/publish.log" dotnet publish runsc/Main/runsc.csproj -c Release -r "$(rid)" -o "$OUT/publish" -v q -nologo 7>&-
    cp "$OUT/publish/runsc" "$OUT/runsc.new"
    # Dated by the start of the publish, so that a source edited meanwhile counts as newer.
    touch -r "$started" "$OUT/runsc.new"; rm -f "$started"
    mv -f "$OUT/runsc.new" "$OUT/runsc"
    exec 7>&-
    say "out/runsc: $(du -h "$OUT/runsc" | cut -f1)"
}

# Prints a command, runs it in a sandbox, and says how it ended.
demo() {
    printf '\n$ runsc do'; printf ' %q' "$@"; printf '\n'
    local rc=0
    "$OUT/runsc" --network=none --ignore-cgroups do "$@" || rc=$?
    [ $rc -eq 0 ] || { printf '(exit status %d)\n' $rc; DEMO_FAILED=1; }
}

#: run              build, then run the main job: programs of this machine in a sandbox, read-only under an overlay
target_run() {
    target_build
    DEMO_FAILED=0
    demo uname -a
    demo dmesg
    demo sh -c 'seq 1 1000 | grep 7 | sort -rn | head -n 3; echo written > /tmp/only-in-the-sandbox && cat /tmp/only-in-the-sandbox'
    if command -v python3 >/dev/null; then
        demo "$(python3 -c 'import sys; print(sys.executable)')" -c '
import subprocess, threading
sums = [0] * 4
def work(i):
    sums[i] = sum(range(i * 1000, (i + 1) * 1000))
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print("four threads summed to", sum(sums))
print("a subprocess said", subprocess.run(["echo", "hello from a child"], capture_output=True, text=True).stdout.strip())
'
    fi
    printf '\n'
    [ "$DEMO_FAILED" = 0 ] || die "a program of the main job did not end with 0"
}

#: test [name...]   build everything, run every test project (or those whose name holds one of the words); counts on the last line
target_test() {
    need_sdk
    want_test_tools
    target_build
    say "building the solution"
    quietly "$OUT/log/build.log" dotnet build Build.sln -c "$CONFIG" -v q -nologo
    run_test_projects "$@"
}

run_test_projects() {
    local passed=0 failed=0 skipped=0 project name exe log rc line
    mkdir -p "$OUT/test"
    while IFS= read -r project; do
        name=$(basename "$project" .csproj)
        if [ $# -gt 0 ]; then
            local wanted=0 word
            for word in "$@"; do [[ ${name,,} == *${word,,}* ]] && wanted=1; done
            [ $wanted = 1 ] || continue
        fi
        exe=$(dirname "$project")/bin/$CONFIG/net10.0/$name
        log=$OUT/test/$name.log
        say "$name"
        rc=0
        # CVISOR_TEST_ARGS: options of the runner itself, e.g. '-method *Pipe*'.
        # shellcheck disable=SC2086
        timeout -k 30 "${CVISOR_TEST_TIMEOUT:-1800}" "$exe" -noLogo -noColor ${CVISOR_TEST_ARGS:-} >"$log" 2>&1 </dev/null || rc=$?
        grep -vE '^ *(Discovering|Discovered|Starting|Finished|=== TEST EXECUTION)' "$log" || true
        line=$(grep -E 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+' "$log" | tail -n 1 || true)
        if [[ $line =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+) ]]; then
            local bad=$((BASH_REMATCH[2] + BASH_REMATCH[3]))
            # A runner that ends badly without naming a failure is a failure of its own.
            if [ $rc -ne 0 ] && [ $bad -eq 0 ]; then bad=1; printf '%s: the runner ended with %d\n' "$name" $rc; fi
            passed=$((passed + BASH_REMATCH[1] - BASH_REMATCH[3] - BASH_REMATCH[4]))
            failed=$((failed + bad))
            skipped=$((skipped + BASH_REMATCH[4]))
        elif [[ $line =~ Total:\ 0 ]]; then
            :
        else
            printf '%s: no result (the runner ended with %d)\n' "$name" $rc
            failed=$((failed + 1))
        fi
    done < <(find tests -name '*.Tests.csproj' -not -path '*/bin/*' -not -path '*/obj/*' | sort)
    printf '%d passed, %d failed, %d skipped\n' $passed $failed $skipped
    [ $failed -eq 0 ] && [ $passed -gt 0 ]
}

#: soak             the tests that take minutes: hundreds of containers that must leave nothing behind
target_soak() {
    target_build
    quietly "$OUT/log/build.log" dotnet build tests/Guest/CVisor.Guest.Tests.csproj -c "$CONFIG" -v q -nologo
    CVISOR_TEST_ARGS="-explicit only -trait Category=soak" run_test_projects Guest
}

#: bench [word...]  natively, in runc, in gVisor (CVISOR_BENCH_GVISOR=path) and in out/runsc: micro figures, or those a word names ("macro": the long ones)
target_bench() {
    target_build
    quietly "$OUT/log/bench-build.log" dotnet build tests/Benchmarks/Guest/CVisor.Benchmarks.Guest.csproj -c Release -v q -nologo
    tests/Benchmarks/Guest/bin/Release/net10.0/CVisor.Benchmarks.Guest "$@"
}

#: coverage         regenerate docs/compatibility from syscalls.yaml and the tests
target_coverage() {
    need_sdk
    dotnet run --project tests/Coverage/CVisor.Coverage.csproj -v q -- "$@"
}

#: format           put every C# file in the house format
target_format() {
    need_sdk
    mkdir -p "$OUT/log"
    quietly "$OUT/log/restore.log" dotnet restore Build.sln -v q
    dotnet format whitespace Build.sln --no-restore
    dotnet format style Build.sln --no-restore
}

#: update-goldens   run the tests and accept every *.verified.* as it now comes out
target_update-goldens() { CVISOR_UPDATE_GOLDENS=1 target_test "$@"; git status --short -- '*.verified.*'; }

#: clean            remove everything that was built
target_clean() { rm -rf out; find . \( -name bin -o -name obj \) -type d -not -path './.git/*' -prune -exec rm -rf {} +; }

#: help             this list
target_help() {
    printf 'usage: ./build.sh TARGET [arguments]\n\n'
    grep -E '^#: ' "$ROOT/build.sh" | cut -c4-
}

name=${1:-help}
[ $# -eq 0 ] || shift
declare -F "target_$name" >/dev/null || { target_help >&2; die "no target named '$name'"; }
"target_$name" "$@"
