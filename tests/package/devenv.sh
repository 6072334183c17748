#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# `meson devenv`: elements, tool and typelib are found without installing.
#
#   devenv.sh BUILD_ROOT MESON [PYTHON]
set -eu
build_root=$1
meson=$2
python=${3:-}

# It appends to variables that may be unset.
set +u
eval "$("$meson" devenv -C "$build_root" --dump)"
set -u
case $GST_REGISTRY in
  "$build_root"/*) ;;
  *) echo "the user's registry would be written: $GST_REGISTRY"; exit 1 ;;
esac
for element in icesrc icesink; do
  gst-inspect-1.0 "$element" | grep -q "$build_root" ||
    { echo "$element does not come from this build"; exit 1; }
done
case $(command -v gst-ice-1.0) in
  "$build_root"/*) ;;
  *) echo "gst-ice-1.0 does not come from this build"; exit 1 ;;
esac
gst-ice-1.0 --version
if [ -n "$python" ]; then
  "$python" -c '
import gi
gi.require_version("GstIce", "1.0")
from gi.repository import Gst, GstIce
Gst.init(None)
print(GstIce.Agent().get_name())'
fi
