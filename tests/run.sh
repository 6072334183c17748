#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds twice and runs the tests.
#
#   tests/run.sh [SUITE...]      no name: all but sim-long and netns-long
#
# build/ci-gcc is built by gcc with the address and undefined behaviour
# sanitizers; build/ci-clang is a release build by clang, in which Python and
# gst-launch run, since a sanitizer cannot be loaded into those. Warnings are
# errors in both. docs/testing.md says what the suites are.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/apt.sh

TEST_PACKAGES="clang clang-format-14 python3 python3-gi python3-gst-1.0
  gobject-introspection libgirepository1.0-dev gir1.2-gstreamer-1.0
  gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-ugly gstreamer1.0-libav
  gstreamer1.0-plugins-base-apps valac gi-docgen gettext nftables procps
  libnice-dev python3-aioice libgupnp-igd-1.0-dev miniupnpd-nftables
  libsoup-3.0-dev libjson-glib-dev glib-networking python3-websockets
  avahi-daemon avahi-utils socat dbus dnsmasq-base tinyproxy-bin microsocks squid
  mosquitto libmosquitto-dev libsofia-sip-ua-glib-dev baresip-core kamailio kamailio-tls-modules
  libgstreamer-plugins-bad1.0-dev gstreamer1.0-plugins-bad gstreamer1.0-nice gir1.2-gst-plugins-bad-1.0
  chromium firefox-esr python3-aiortc"
# Node.js from elsewhere has its own npm, and Debian's would not go with it.
command -v node >/dev/null || TEST_PACKAGES="$TEST_PACKAGES nodejs"
command -v npm >/dev/null || TEST_PACKAGES="$TEST_PACKAGES npm"

GCC_SUITES="layering format core vectors io sim check fuzz tool examples hostile netns interop mqtt websocket"
CLANG_SUITES="core vectors io sim check python launch call mqtt websocket sip browser package examples"
LONG_SUITES="sim-long netns-long"

wanted=("$@")
gcc_dir=build/ci-gcc
clang_dir=build/ci-clang
ran=()
status=0

# Suites of a list that were asked for.
choose () {
  local suite
  for suite in $1; do
    if [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $suite "* ]]; then
      echo "$suite"
    fi
  done
}

check_names () {
  local suite
  for suite in "${wanted[@]}"; do
    if [[ " $GCC_SUITES $CLANG_SUITES $LONG_SUITES " != *" $suite "* ]]; then
      echo "no suite $suite; there are: $GCC_SUITES $CLANG_SUITES $LONG_SUITES"
      exit 2
    fi
  done
}

# build DIR COMPILER OPTION...
build () {
  local dir=$1 compiler=$2
  shift 2
  echo "=== building $dir"
  # Nothing of an earlier run is counted if this one does not come to testing.
  rm -f "$dir"/meson-logs/testlog*.json
  if [ ! -e "$dir/build.ninja" ]; then
    CC=$compiler meson setup "$dir" -Dwerror=true -Dtests=enabled \
      -Dexamples=enabled -Dtools=enabled "$@" || return
  else
    meson configure "$dir" -Dwerror=true "$@" || return
  fi
  ninja --quiet -C "$dir"
}

# run DIR SUITE...
run () {
  local dir=$1 suite arguments=()
  shift
  for suite in "$@"; do
    arguments+=(--suite "$suite")
  done
  echo "=== testing $dir: $*"
  meson test -C "$dir" --no-rebuild --print-errorlogs "${arguments[@]}" \
    </dev/null || status=1
}

check_names
# shellcheck disable=SC2086
install_missing $BUILD_PACKAGES $CALL_PACKAGES $TEST_PACKAGES

# A fault is a failure: nothing goes on after the first report.
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
# GSlice would hide blocks that nobody owns any more.
export G_SLICE=always-malloc

mapfile -t suites < <(choose "$GCC_SUITES")
if [ ${#suites[@]} != 0 ]; then
  ran+=("$gcc_dir")
  if build $gcc_dir gcc -Dbuildtype=debugoptimized \
      -Db_sanitize=address,undefined -Db_lundef=false \
      -Dintrospection=disabled -Ddoc=disabled; then
    run $gcc_dir "${suites[@]}"
  fi
fi
# Many sessions, so without the sanitizers that make them six times slower.
mapfile -t suites < <(choose "$CLANG_SUITES"; [ $# = 0 ] || choose "$LONG_SUITES")
if [ ${#suites[@]} != 0 ]; then
  ran+=("$clang_dir")
  if build $clang_dir clang -Dbuildtype=release -Dintrospection=enabled \
      -Dvapi=enabled -Ddoc=enabled; then
    run $clang_dir "${suites[@]}"
  fi
fi

tests/summary.py "${ran[@]}" || status=1
exit $status
