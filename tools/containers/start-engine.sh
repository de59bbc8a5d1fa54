#!/usr/bin/env bash
# Makes sure that a container engine answers: takes the one that runs, or else installs Debian's docker.io and starts its
# daemon, which then stays. Ends with 1 and a line that says why where it cannot.
set -uo pipefail

LOG=/var/log/lockstep-dockerd.log
WAIT_SECONDS=60

answers() { docker version >/dev/null 2>&1; }

fail() {
  echo "no container engine: $1" >&2
  exit 1
}

install_engine() {
  command -v apt-get >/dev/null || fail "dockerd is not installed, and this is no Debian or Ubuntu: install Docker by hand"
  echo "installing docker.io"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # The networks of the daemon need iptables.
  apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null || fail "apt-get could not install docker.io"
}

start_daemon() {
  echo "starting dockerd; its log is $LOG"
  setsid dockerd >"$LOG" 2>&1 </dev/null &
  local daemon=$!
  for ((tenths = 0; tenths < WAIT_SECONDS * 10; tenths++)); do
    answers && return
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
  done
  fail "dockerd did not come up: $(tail -n 1 "$LOG")"
}

answers && exit 0
[ "$(id -u)" -eq 0 ] || fail "docker does not answer, and only root may install and start it: start Docker, or run this as root"
command -v dockerd >/dev/null || install_engine
start_daemon
