#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How much of the protocol (gst/ice/base, gst/ice/core) the tests on virtual
# time run: lines and branches, for each file and in all, by clang.
#
#   tests/coverage.sh [FILE...]   with names of sources: their lines that no
#                                 test runs, and branches that go one way only
#
# docs/testing.md has the figures. Not a suite of tests/run.sh: it says what is
# missing, and fails nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/apt.sh

# shellcheck disable=SC2086
install_missing $BUILD_PACKAGES clang llvm

dir=build/coverage
flags="-fprofile-instr-generate -fcoverage-mapping"
profiles=$PWD/$dir/profiles

if [ ! -e $dir/build.ninja ]; then
  CC="ccache clang" meson setup $dir -Dbuildtype=debugoptimized -Db_lundef=false \
    -Dintrospection=disabled -Ddoc=disabled -Dexamples=disabled \
    -Dc_args="$flags" -Dc_link_args="$flags" >/dev/null
fi
ninja --quiet -C $dir build.ninja >/dev/null
# Programs of these folders, and the one whose scenarios are in a library.
mapfile -t programs < <(ninja -C $dir -t targets all |
  grep -oE '^tests/(core|vectors|fuzz|sim)/[a-z0-9-]+: c_LINKER' |
  sed 's/:.*//')
ninja --quiet -C $dir "${programs[@]}"

rm -rf "$profiles"
LLVM_PROFILE_FILE=$profiles/%p-%m.profraw meson test -C $dir --no-rebuild \
  --suite core --suite vectors --suite fuzz --suite sim --print-errorlogs \
  </dev/null | grep -E '^(Ok|Fail|Timeout):' || true
llvm-profdata merge -o "$profiles/all.profdata" "$profiles"/*.profraw

objects=()
for program in "${programs[@]:1}"; do
  objects+=(-object "$dir/$program")
done
if [ $# = 0 ]; then
  llvm-cov report "$dir/${programs[0]}" "${objects[@]}" \
    -instr-profile="$profiles/all.profdata" | awk '
      function show (name, lines, missed, branches, untaken) {
        printf "%-40s lines %6.2f %% of %5d   branches %6.2f %% of %5d\n",
          name, 100 * (1 - missed / lines), lines,
          100 * (1 - untaken / (branches ? branches : 1)), branches
      }
      $1 ~ "gst/ice/(base|core)/.*[.]c$" {
        sub (".*gst/ice/", "gst/ice/", $1)
        show($1, $8, $9, $11, $12)
        lines += $8; missed += $9; branches += $11; untaken += $12
      }
      END { show("in all", lines, missed, branches, untaken) }'
else
  llvm-cov show "$dir/${programs[0]}" "${objects[@]}" \
    -instr-profile="$profiles/all.profdata" -show-branches=count \
    "${@/#/$PWD/}" |
    awk '/^ +[0-9]+\| +0\|/ || /Branch .*(True|False): 0[],]/'
fi
