#!/usr/bin/env bash
# unit-test.sh NAME - runs one cmocka program; its log and its counts ("PASSED FAILED") go to $B/test-logs.
set -u
name=$1
log=$B/test-logs/$name.log
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
start=$(date +%s%N)
timeout "${TEST_TIMEOUT:-600}" "$B/tests/$name" >"$log" 2>&1
status=$?
took=$((($(date +%s%N) - start) / 1000000))
planned=$(grep -aoE '^1\.\.[0-9]+' "$log" | head -n 1 | cut -c4-)
passed=$(grep -acE '^ok [0-9]+' "$log")
failed=$(grep -acE '^not ok [0-9]+' "$log")
# A program that ended early did not run the rest.
if [ -n "$planned" ] && [ $((passed + failed)) -lt "$planned" ]; then failed=$((planned - passed)); fi
if [ $status -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
echo "$passed $failed" >"$B/test-logs/$name.counts"
printf '%-32s %4d passed %3d failed %7d ms\n' "$name" "$passed" "$failed" "$took"
[ "$failed" -eq 0 ] && exit 0
grep -avE '^(ok |1\.\.)' "$log" | tail -n 60
echo "    (exit status $status; whole log: $log)"
exit 1
