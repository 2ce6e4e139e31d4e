# Sourced by the scripts beside it: packages from Debian, without changing what is already there.
# shellcheck shell=bash

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" \
    </dev/null >/dev/null
}

# retry COMMAND...: up to three tries, five seconds apart.
retry() {
  local try
  for try in 1 2 3; do
    "$@" && return 0
    echo "try $try of 3 failed: $*" >&2
    sleep 5
  done
  return 1
}

require_root() {
  [ "$(id -u)" = 0 ] && return 0
  echo "$1 needs root here; install it and run this again" >&2
  return 1
}

# The package lists are fetched only when the lists at hand cannot serve the install (none there,
# or older than the mirror).
# RUNLEVEL=1 keeps a freshly installed server from being started as a service.
apt_install() {
  require_root "installing $*" || return 1
  RUNLEVEL=1 apt_get install --no-install-recommends "$@" 2>/dev/null && return 0
  retry apt_get update && RUNLEVEL=1 retry apt_get install --no-install-recommends "$@"
}

# apt_need COMMAND=PACKAGE...: installs the packages whose command is missing.
apt_need() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}
