# Sourced by the scripts beside it: checks that are counted. Every result is a line
# `passed failed skipped` in the file CI_RESULTS, which the sourcing script names and exports.
# What failed is kept in CI_RESULTS.failed and said again before the closing line: a long log is
# often shown by its end.
# shellcheck shell=bash

running_job=''

count() { echo "$1 $2 $3" >>"$CI_RESULTS"; }

remember_failure() { echo "FAILED: $1" | tee -a "$CI_RESULTS.failed"; }

totals() { awk '{p += $1; f += $2; s += $3} END {print p + 0, f + 0, s + 0}' "$CI_RESULTS"; }

# The closing line; returns whether all passed and at least one test ran.
summary() {
  local passed failed skipped
  [ ! -s "$CI_RESULTS.failed" ] || { echo 'What failed:'; cat "$CI_RESULTS.failed"; }
  read -r passed failed skipped < <(totals)
  if [ "$skipped" = 0 ]; then echo "$passed passed, $failed failed"
  else echo "$passed passed, $failed failed, $skipped skipped"; fi
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# within SECONDS COMMAND...: in a process group of its own, ended as a whole when it takes too
# long. Waiting for a background job lets a signal to this script be handled at once.
within() {
  local seconds=$1 code=0
  shift
  timeout -k 10 "$seconds" "$@" </dev/null &
  running_job=$!
  wait "$running_job" || code=$?
  running_job=''
  [ "$code" != 124 ] || echo "stopped after $seconds s: $*" >&2
  return "$code"
}

stop_running_job() { [ -z "$running_job" ] || kill "$running_job" 2>/dev/null; }

# check NAME SECONDS COMMAND...: one check; its output is shown as it comes.
check() {
  local name=$1 seconds=$2
  shift 2
  if within "$seconds" "$@"; then
    echo "passed: $name"
    count 1 0 0
  else
    remember_failure "$name"
    count 0 1 0
    return 1
  fi
}

skip() {
  echo "skipped: $1 ($2)"
  count 0 0 1
}

# vitest_run NAME SECONDS COMMAND...: COMMAND passes its further arguments to vitest. Counts the
# tests of its report; a run that failed without a failed test (a file that does not load, an
# error outside tests) or that left no report counts as one failed.
vitest_run() {
  local name=$1 seconds=$2 code=0 report passed=0 failed=0 skipped=0
  shift 2
  report=$(mktemp -u /tmp/postroom-vitest.XXXXXX.json)
  within "$seconds" "$@" --reporter=default --reporter=json "--outputFile.json=$report" || code=$?
  if [ -s "$report" ]; then
    read -r passed failed skipped < <(node -e '
      const r = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))
      console.log(r.numPassedTests, r.numFailedTests, r.numPendingTests + r.numTodoTests)' "$report")
    failed_tests "$name" "$report" >>"$CI_RESULTS.failed"
    rm -f "$report"
  fi
  if [ "$failed" = 0 ] && { [ "$code" != 0 ] || [ "$((passed + skipped))" = 0 ]; }; then
    failed=1
    remember_failure "$name (exit code $code, no test failed by name)"
  fi
  echo "$name: $passed passed, $failed failed, $skipped skipped (exit code $code)"
  count "$passed" "$failed" "$skipped"
}

# failed_tests NAME REPORT: a paragraph for each failed test of vitest's report, its first words.
failed_tests() {
  node -e '
    const [, name, file] = process.argv
    const { testResults } = JSON.parse(require("fs").readFileSync(file, "utf8"))
    for (const { name: path, message, assertionResults } of testResults) {
      const place = require("path").relative(".", path)
      const failed = assertionResults.filter(({ status }) => status === "failed")
      for (const { fullName, failureMessages, duration } of failed)
        console.log(`FAILED: ${name}: ${place}: ${fullName} (${Math.round(duration)} ms)\n` +
          (failureMessages[0] ?? "").slice(0, 600))
      if (failed.length === 0 && message) console.log(`FAILED: ${name}: ${place}\n${message.slice(0, 600)}`)
    }' "$1" "$2"
}
