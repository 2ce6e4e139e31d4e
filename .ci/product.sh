# Sourced by the scripts beside it: the built product, started on free ports and a data folder.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
product_pid=''

# What start_product sets is for the script that sources this file.
# shellcheck disable=SC2034
# start_product NODE DATA_FOLDER [NAME=VALUE...]: sets product_url, product_smtp and product_key.
# The environment is empty but for what is named here, so nothing of this shell changes the run.
start_product() {
  local node=$1 data=$2 http smtp
  shift 2
  http=$(node "$root/.ci/free-port.js")
  smtp=$(node "$root/.ci/free-port.js")
  product_url=http://127.0.0.1:$http
  product_smtp=127.0.0.1:$smtp
  product_key=ait_$(node -p 'crypto.randomUUID()')
  product_log=$data.log
  env -i PATH="$PATH" HOME="$HOME" POSTROOM_DATA="$data" POSTROOM_API_KEY="$product_key" \
    HTTP_PORT="$http" SMTP_PORT="$smtp" "$@" \
    "$node" "$root/dist/main.js" serve </dev/null >"$product_log" 2>&1 &
  product_pid=$!
  wait_ready 300 && return 0
  echo "the product did not become ready; its last lines:" >&2
  tail -30 "$product_log" >&2
  return 1
}

# wait_ready TENTHS: until /readyz answers 200, the process ends or the time is over.
wait_ready() {
  local left=$1
  while [ "$left" -gt 0 ] && kill -0 "$product_pid" 2>/dev/null; do
    if curl -fsS -o /dev/null --max-time 2 "$product_url/readyz" 2>/dev/null; then return 0; fi
    sleep 0.1
    left=$((left - 1))
  done
  return 1
}

# stop_product SIGNAL: waits for the end and returns the product's exit code.
stop_product() {
  local pid=$product_pid
  [ -n "$pid" ] || return 0
  product_pid=''
  kill "-$1" "$pid" 2>/dev/null
  wait "$pid"
}
