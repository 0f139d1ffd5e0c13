# compile.sh - make, and the compilation database it leaves.
# shellcheck shell=bash

# One build at a time in this tree; who waits finds the work done.
compile() {
	mkdir -p build
	flock build/.lock make -s -j"$JOBS" -f tools/build.mk FLAVOR="$FLAVOR" "$@" || die "the build failed"
	compile_commands
}

# build/compile_commands.json, from what each compilation left beside its object
compile_commands() {
	local fragments
	mapfile -t fragments < <(find "$B/obj" -name '*.o.json' 2>/dev/null | sort)
	[ ${#fragments[@]} -gt 0 ] || return 0
	{
		echo '['
		cat "${fragments[@]}" | sed '$ s/,$//'
		echo ']'
	} | publish build/compile_commands.json
}
