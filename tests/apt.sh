# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the scripts that must work on a fresh Debian.

# What building takes.
BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config libssl-dev
  libglib2.0-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev"
# What showing a call takes: VP8 and Matroska are in good, Opus is in base and
# its parser in bad; coturn is the TURN server.
CALL_PACKAGES="gstreamer1.0-tools gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad coturn openssl iproute2"

# install_missing PACKAGE...: installs what dpkg does not know as installed.
install_missing () {
  missing=""
  for package in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
      installed) ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "missing, and no apt-get to install it:$missing" >&2
    return 1
  fi
  as_root=""
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "missing, and neither root nor sudo to install it:$missing" >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "installing:$missing"
  # shellcheck disable=SC2086
  $as_root apt-get update -qq </dev/null &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends $missing \
      </dev/null >/dev/null
}
