# kore.sh - which Kore serves: Debian's, or for FLAVOR=asan one that is built with the same sanitizers.
# shellcheck shell=bash

kore_prepare() {
	KORE=$(command -v kore) || die "kore is not installed"
	[ "$FLAVOR" = asan ] || return 0
	KORE=$TOP/$B/kore/kore
	[ "$KORE" -nt /usr/share/kore/Makefile ] && return 0
	step "Building an instrumented Kore"
	rm -rf "$B/kore"
	mkdir -p "$B"
	cp -r /usr/share/kore "$B/kore"
	make -s -C "$B/kore" -j"$JOBS" PGSQL=1 TASKS=1 SANITIZE=address,undefined kore >"$B/kore.log" 2>&1 ||
		die "could not build Kore, see $B/kore.log"
}

# From the template at the top to $RUN/kore.conf.
kore_config() {
	local line
	while IFS= read -r line; do
		line=${line//@LISTEN_HOST@/$HOST}
		line=${line//@LISTEN_PORT@/$PORT}
		line=${line//@WORKERS@/$WORKERS}
		line=${line//@BUILD@/$BUILD}
		line=${line//@USER@/$OPEN_USER}
		line=${line//@DATA@/$SHORT}
		printf '%s\n' "$line"
	done <kore.conf >"$DATA/run/kore.conf.new"
	chmod 0600 "$DATA/run/kore.conf.new" # where bubblewrap does not work, commands can look around
	mv "$DATA/run/kore.conf.new" "$DATA/run/kore.conf"
}
