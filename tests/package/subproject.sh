#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# gst-ice as a Meson subproject of somebody else: found by its pkg-config name.
#
#   subproject.sh SOURCE_ROOT MESON
set -eu
source_root=$1
meson=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/gst-ice-subproject.XXXXXX")
trap 'rm -rf "$work"' EXIT

mkdir "$work/subprojects"
# Without .git and build folders: what a wrap file would bring.
mkdir "$work/subprojects/gst-ice"
(cd "$source_root" && tar -cf - --exclude=./.git --exclude='./build*' .) |
  tar -xf - -C "$work/subprojects/gst-ice"
cp "$here/app.c" "$work/app.c"
cat >"$work/meson.build" <<'EOT'
project('somebody-else', 'c', version: '7')
ice = dependency('gstreamer-ice-1.0', fallback: 'gst-ice',
  default_options: ['tests=disabled', 'examples=disabled', 'doc=disabled', 'introspection=disabled'])
test('app', executable('app', 'app.c', dependencies: ice))
EOT

# An installed gst-ice must not be what is found.
"$meson" setup --force-fallback-for=gst-ice "$work/build" "$work"
"$meson" test -C "$work/build" --print-errorlogs
