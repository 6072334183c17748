#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A stranger's program against what `ninja install` installs, by pkg-config.
#
#   pkg-config.sh BUILD_ROOT MESON CC
set -eu
build_root=$1
meson=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/gst-ice-install.XXXXXX")
trap 'rm -rf "$work"' EXIT

DESTDIR="$work" "$meson" install -C "$build_root" --no-rebuild --quiet
pc=$(find "$work" -name gstreamer-ice-1.0.pc)
sed -i "s|^prefix=.*|prefix=${pc%/lib/*}|" "$pc"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

pkg-config --exists --print-errors 'gstreamer-ice-1.0 >= 0.1'
# shellcheck disable=SC2046
"$@" -Wall -Werror -o "$work/app" "$here/app.c" \
  $(pkg-config --cflags --libs gstreamer-ice-1.0)
libdir=$(dirname "$(find "$work" -name 'libgstice-1.0.so.0' | head -n 1)")
LD_LIBRARY_PATH=$libdir "$work/app"

# What a stock GStreamer finds once installed: the plugin, the tool, the
# typelib, the Vala binding, the messages' home.
for file in libgstice.so gst-ice-1.0 GstIce-1.0.typelib GstIce-1.0.gir \
    gstreamer-ice-1.0.vapi; do
  if ! find "$work" -name "$file" | grep -q .; then
    echo "not installed: $file"
    exit 1
  fi
done
plugin=$(find "$work" -name libgstice.so)
LD_LIBRARY_PATH=$libdir GST_REGISTRY="$work/registry.bin" \
  GST_PLUGIN_PATH=$(dirname "$plugin") gst-inspect-1.0 icesrc >/dev/null
