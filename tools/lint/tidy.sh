#!/usr/bin/env bash
# tidy.sh FILE - clang-tidy on one source; a clean one is remembered in build/tidy.
set -u
sum=$({ find .clang-tidy "$1" "$(dirname "$1")"/*.h modules/*/*.h -exec cat {} + 2>/dev/null || true; } | sha256sum)
output=$(clang-tidy --quiet -p build/compile_commands.json "$1" 2>/dev/null)
status=$?
if [ $status -eq 0 ] && ! grep -qE '(warning|error):' <<<"$output"; then
	echo "$sum" >"build/tidy/${1//\//_}"
	exit 0
fi
grep -E -A 3 '(warning|error):' <<<"$output"
exit 1
