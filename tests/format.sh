#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every C file looks as .clang-format says. `tests/format.sh --fix` mends them.
set -eu
cd "$(dirname "$0")/.."

clang_format=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$clang_format" ]; then
  echo "no clang-format: apt-get install clang-format-14"
  exit 77
fi
# Another version breaks lines elsewhere, and nobody's code would pass both.
if ! "$clang_format" --version | grep -q 'version 14\.'; then
  echo "clang-format 14 is wanted, found: $("$clang_format" --version)"
  exit 77
fi

if [ "${1:-}" = --fix ]; then
  set -- -i
else
  set -- --dry-run -Werror
fi
find gst ext tests examples \( -name '*.c' -o -name '*.h' \) -print0 |
  xargs -0 -r "$clang_format" --style=file "$@"
