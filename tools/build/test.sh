# test.sh - every test, its totals; fuzzers; coverage.
#
# Suites: unit is tests/unit/test_*.c (cmocka); every other folder of tests/ with *.test.mjs is one for node's test
# runner. chaos kills things at random: for 20 s among all tests, for 5 minutes when it is named (or CHAOS_SECONDS). The
# last line is "N passed, N failed", counted in test cases.
# shellcheck shell=bash

PASSED=0
FAILED=0

test_run() {
	local parts=("$@") part
	packages_build
	mapfile -t known < <(test_suites)
	[ ${#parts[@]} -gt 0 ] || parts=("${known[@]}")
	[ $# -eq 0 ] || export CHAOS_SECONDS=${CHAOS_SECONDS:-300}
	for part in "${parts[@]}"; do
		[[ " ${known[*]} " == *" $part "* ]] || die "no tests called $part; there are: ${known[*]}"
	done
	for part in "${parts[@]}"; do
		if [ "$part" = unit ]; then test_unit; else test_node "$part"; fi
	done
	say ""
	say "$PASSED passed, $FAILED failed"
	[ $FAILED -eq 0 ] && [ $PASSED -gt 0 ]
}

test_suites() {
	local folder
	say unit
	for folder in tests/*/; do
		compgen -G "$folder*.test.mjs" >/dev/null && basename "$folder"
	done
	return 0
}

# --- cmocka

test_unit() {
	local binaries binary
	compile units
	mkdir -p "$B/test-logs"
	mapfile -t binaries < <(cd tests/unit && printf '%s\n' test_*.c | sed 's/\.c$//')
	step "unit tests ($FLAVOR)"
	printf '%s\n' "${binaries[@]}" | B=$B xargs -P "$JOBS" -I{} tools/build/unit-test.sh {} || true
	for binary in "${binaries[@]}"; do
		test_count "$B/test-logs/$binary.counts"
	done
}

# test_count FILE - adds "PASSED FAILED"
test_count() {
	local passed=0 failed=1
	read -r passed failed 2>/dev/null <"$1" || true
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
}

# --- node

# What users would have, from npm (tests/clients): installed once, into build/clients.
test_clients() {
	local from=tests/clients to=build/clients
	cmp -s $from/package-lock.json $to/installed && return
	packages_need npm
	step "Installing the tests' clients"
	mkdir -p $to
	cp $from/package.json $from/package-lock.json $from/.npmrc $to
	(cd $to && npm ci --ignore-scripts >npm.log 2>&1 </dev/null) || die "npm could not install the clients, see $to/npm.log"
	cp $from/package-lock.json $to/installed
}

test_node() {
	local log=$B/test-logs/$1.tap counts=$B/test-logs/$1.counts status=0
	packages_need "${PACKAGES_TEST[@]}"
	compile all checkers
	test_clients
	mkdir -p "$B/test-logs"
	rm -f "$log" "$counts"
	step "$1 tests ($FLAVOR)"
	FLAVOR=$FLAVOR node --test --test-reporter=spec --test-reporter-destination=stdout \
		--test-reporter=tap --test-reporter-destination="$log" tests/"$1"/*.test.mjs || status=$?
	awk '/^# pass / { passed = $3 } /^# (fail|cancelled|todo|skipped) / { failed += $3 }
		END { print passed + 0, failed + 0 }' "$log" >"$counts" || true
	test_count "$counts"
	if [ $status -ne 0 ] && [ $FAILED -eq 0 ]; then FAILED=1; fi
}

# --- fuzzers: clang's, over the sources that read what strangers send

test_fuzz() {
	local names=("$@") name failed=0
	packages_build
	packages_need "${PACKAGES_FUZZ[@]}"
	[ ${#names[@]} -gt 0 ] || mapfile -t names < <(cd tests/fuzz && printf '%s\n' fuzz_*.c | sed 's/^fuzz_\(.*\)\.c$/\1/')
	make -s -j"$JOBS" -f tools/build.mk FLAVOR=fuzz fuzzers || die "the build failed"
	for name in "${names[@]}"; do
		step "fuzzing $name for ${FUZZ_SECONDS:-30} s"
		mkdir -p "build/fuzz/corpus/$name" "build/fuzz/found"
		compgen -G "tests/fuzz/corpus/$name/*" >/dev/null && cp -n "tests/fuzz/corpus/$name"/* "build/fuzz/corpus/$name/"
		"build/fuzz/fuzzers/fuzz_$name" -max_total_time="${FUZZ_SECONDS:-30}" -timeout=10 -rss_limit_mb=2048 \
			-artifact_prefix=build/fuzz/found/ -print_final_stats=1 "build/fuzz/corpus/$name" \
			>"build/fuzz/$name.log" 2>&1 || {
			tail -n 30 "build/fuzz/$name.log"
			failed=1
		}
		sed -n 's/^stat::number_of_executed_units: */  inputs: /p' "build/fuzz/$name.log"
	done
	[ $failed -eq 0 ] || die "a fuzzer found a fault: see build/fuzz/found"
}

# --- coverage of the unit tests

test_coverage() {
	packages_need "${PACKAGES_COV[@]}"
	FLAVOR=cov
	B=build/cov
	find build/cov -name '*.gcda' -delete 2>/dev/null || true
	test_run unit || true
	mkdir -p build/cov/report
	gcovr -r . --object-directory build/cov -f modules/ -f tools/ --html-details build/cov/report/index.html \
		--print-summary -s | tail -n 40
	say "build/cov/report/index.html"
}
