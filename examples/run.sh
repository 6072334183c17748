#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Shows a call: two gst-launch processes, a real clip with picture and sound,
# ICE between them; then once more forced through a TURN server.
#
#   examples/run.sh [BUILD_DIR]
#
# Installs what is missing and builds. Exit status 0: the frames arrived, both
# times. With a display the clip is shown, without one it is only counted.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/apt.sh

build=${1:-build/example}
clip=$PWD/examples/clip.webm
n_clip_sounds=250 # five seconds in pieces of 20 ms
n_clip=0
declare -A clip_pictures
# The clip lasts five seconds: a call that takes longer than this hangs.
deadline=30
work=$(mktemp -d "${TMPDIR:-/tmp}/gst-ice-example.XXXXXX")
children=()

clean_up () {
  for child in "${children[@]}"; do
    kill "$child" 2>/dev/null || true
  done
  wait
  rm -rf "$work"
}
trap clean_up EXIT

build_it () {
  # shellcheck disable=SC2086
  install_missing $BUILD_PACKAGES $CALL_PACKAGES
  if [ ! -e "$build/build.ninja" ]; then
    meson setup "$build" --buildtype=release -Dtests=disabled -Ddoc=disabled \
      -Dintrospection=disabled >"$work/meson.log" ||
      { cat "$work/meson.log"; return 1; }
  fi
  ninja -C "$build" >"$work/ninja.log" || { cat "$work/ninja.log"; return 1; }
  # GST_PLUGIN_PATH and friends: the lines below work uninstalled.
  # It appends to variables that may be unset.
  set +u
  eval "$(meson devenv -C "$build" --dump)"
  set -u
}

# Prints an address of this host that both agents and the server can use.
own_address () {
  local address
  address=$(ip -o -4 address show scope global up |
    sed -n 's/.* inet \([0-9.]*\).*/\1/p' | head -n 1)
  echo "${address:-127.0.0.1}"
}

# checksumsink writes a line for each frame: MD5 for pictures, and SHA-1 for
# pieces of sound, so that the two can be told apart by their length. Prints
# how many of each came, how many pictures are the clip's, and when the first.
count_frames () {
  local time sum n_pictures=0 n_true=0 n_sounds=0 first=0
  while read -r time sum; do
    case ${#sum} in
      32)
        [ "$first" != 0 ] || first=${EPOCHREALTIME/./}
        n_pictures=$((n_pictures + 1))
        [ -z "${clip_pictures[$sum]:-}" ] || n_true=$((n_true + 1)) ;;
      40) n_sounds=$((n_sounds + 1)) ;;
      *) [ "$time" != Progress: ] || echo "  $time $sum" >&2 ;;
    esac
  done
  echo "$n_pictures $n_true $n_sounds $first"
}

# What the pictures look like when no network is between.
read_clip () {
  local sum
  while read -r _ sum; do
    clip_pictures[$sum]=1
    n_clip=$((n_clip + 1))
  done < <(gst-launch-1.0 -q filesrc location="$clip" ! matroskademux \
    ! vp8dec ! videoconvert ! checksumsink hash=md5)
}

# call NAME PROPERTY...: plays the clip from one process to another.
call () {
  local name=$1 started n_pictures n_true n_sounds first sender
  local uri=ice+file://$work/$name
  shift

  gst-launch-1.0 -q filesrc location="$clip" ! matroskademux name=demux \
    demux.video_0 ! queue ! rtpvp8pay \
      ! icesink stream=video agent=call sync=true uri="$uri" "$@" \
    demux.audio_0 ! queue ! rtpopuspay \
      ! icesink stream=audio agent=call sync=true \
    >"$work/$name.sender" 2>&1 </dev/null &
  sender=$!
  children+=("$sender")

  started=${EPOCHREALTIME/./}
  # shellcheck disable=SC2086
  read -r n_pictures n_true n_sounds first < <(
    timeout "$deadline" gst-launch-1.0 \
      icesrc stream=video agent=call uri="$uri" "$@" ! decodebin \
        ! videoconvert $show_picture ! checksumsink hash=md5 \
      icesrc stream=audio agent=call ! decodebin \
        ! audioconvert $play_sound ! checksumsink hash=sha1 \
      2>&1 </dev/null | tee "$work/$name.receiver" | count_frames)
  kill "$sender" 2>/dev/null || true

  if [ "$first" = 0 ]; then
    echo "$name: no frame arrived. The sender said:"
    cat "$work/$name.sender"
    echo "The receiver said:"
    cat "$work/$name.receiver"
    return 1
  fi
  echo "$name: $n_pictures of $n_clip frames decoded, $n_true of them bit by" \
    "bit the clip's, and $n_sounds pieces of sound;" \
    "the first frame $(((first - started) / 1000)) ms after the receiver started"
  # The network is this host: what is missing is our fault.
  [ "$n_true" -ge $((n_clip * 95 / 100)) ] &&
    [ "$n_sounds" -ge $((n_clip_sounds * 95 / 100)) ]
}

start_turn_server () {
  address=$(own_address)
  for port in $(shuf -i 20000-29999 -n 5); do
    turnserver -n --no-cli --no-tls --no-dtls --log-file=stdout \
      --listening-ip="$address" --relay-ip="$address" --listening-port="$port" \
      --allow-loopback-peers --lt-cred-mech --user=alice:wonderland \
      --realm=example.org --pidfile="$work/turn.pid" --userdb="$work/turn.db" \
      >"$work/turn.log" 2>&1 </dev/null &
    turn=$!
    children+=("$turn")
    for _ in $(seq 100); do
      kill -0 "$turn" 2>/dev/null || break
      # It has bound its sockets once it answers TCP.
      if (exec 3<>"/dev/tcp/$address/$port") 2>/dev/null; then
        turn_uri=turn:alice:wonderland@$address:$port
        return 0
      fi
      read -r -t 0.05 <> <(:) || true
    done
  done
  echo "turnserver did not start:"
  cat "$work/turn.log"
  return 1
}

show_picture=""
play_sound=""
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  show_picture="! tee name=picture picture. ! queue ! autovideosink picture. ! queue"
  play_sound="! tee name=sound sound. ! queue ! autoaudiosink sound. ! queue"
fi

build_it
# Also reads the plugins, once, so that it is not counted below.
read_clip

status=0
call direct || status=1
start_turn_server
call relayed ice-transport-policy=relay turn-servers="$turn_uri" || status=1
exit $status
