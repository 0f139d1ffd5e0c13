# lint.sh - what a reviewer should not have to look for. Every check runs; the first line of each names it.
# shellcheck shell=bash

LINT_C() { git ls-files -co --exclude-standard 'modules/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]'; }

lint_run() {
	local failed=0 check
	packages_build
	packages_need "${PACKAGES_LINT[@]}"
	for check in "${@:-}"; do
		[ -n "$check" ] || continue
		declare -F "lint_$check" >/dev/null || die "no such check: $check"
	done
	[ $# -gt 0 ] || set -- includes lengths shell sql clang_format clang_tidy
	for check in "$@"; do
		step "lint: ${check/_/-}"
		"lint_$check" || failed=$((failed + 1))
	done
	[ $failed -eq 0 ] || die "lint: $failed of $# checks failed"
	say "lint: all $# checks passed"
}

lint_format() {
	packages_need "${PACKAGES_LINT[@]}"
	LINT_C | xargs -r clang-format -i
}

lint_clang_format() { LINT_C | xargs -r clang-format --dry-run --Werror; }

lint_includes() { LINT_C | xargs -r tools/lint/includes.awk; }

lint_lengths() { LINT_C | xargs -r tools/lint/lengths.awk; }

lint_shell() {
	shellcheck -x -a build.sh && shellcheck .ci/run tools/sqlgen tools/build/unit-test.sh tools/lint/*.sh
}

# Statements are generated without fault, and none stands in a C file as printf'd text.
lint_sql() {
	local owner ok=0
	for owner in modules/*/sql tools/openctl/sql; do
		tools/sqlgen "$(basename "$(dirname "$owner")")" "$owner"/*.sql >/dev/null || ok=1
	done
	if LINT_C | grep '\.c$' | grep -v '^tests/' | xargs grep -nE 'printf\([^"]*"[^"]*(select |insert into |update open|delete from )'; then
		say "SQL is put together by printf: write a named statement (see tools/sqlgen)"
		ok=1
	fi
	return $ok
}

# Only sources that changed since they were last found clean, by the text that the compiler sees.
lint_clang_tidy() {
	local files stale=()
	compile all >/dev/null
	mkdir -p build/tidy
	mapfile -t files < <(git ls-files -co --exclude-standard 'modules/*.c' 'tools/openctl/*.c')
	lint_tidy_stale "${files[@]}"
	[ ${#stale[@]} -gt 0 ] || return 0
	printf '%s\n' "${stale[@]}" | xargs -P "$JOBS" -n 1 tools/lint/tidy.sh
}

lint_tidy_stale() {
	local file sum
	for file in "$@"; do
		sum=$(lint_tidy_sum "$file")
		[ "$(cat "build/tidy/${file//\//_}" 2>/dev/null)" = "$sum" ] || stale+=("$file")
	done
}

lint_tidy_sum() { { find .clang-tidy "$1" "$(dirname "$1")"/*.h modules/*/*.h -exec cat {} + 2>/dev/null || true; } | sha256sum; }
