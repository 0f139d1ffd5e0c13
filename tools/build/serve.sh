# serve.sh - run and dev: the private PostgreSQL, the demo organization, Kore; and the end of all of it.
#
# DATA     the data folder, resolved            SHORT    the same by a path short enough for sockets below it
# SOCKETS  PostgreSQL's socket folder           BUILD    where the workers find libopen.so and modules/
# shellcheck shell=bash

DEMO=demo

# --- settings and folders

settings_load() {
	local settings key value
	CONNECTIONS=0 SCHEME=http
	settings=$("$B/openctl" config) || exit 1
	while IFS='=' read -r key value; do
		case $key in
		listen) LISTEN=$value ;;
		listen_host) HOST=$value ;;
		listen_port) PORT=$value ;;
		data) DATA=$value ;;
		workers) WORKERS=$value ;;
		database_connections | system_connections) CONNECTIONS=$((CONNECTIONS + value)) ;;
		admin_email) ADMIN_EMAIL=$value ;;
		tls_certificate) [ -z "$value" ] || SCHEME=https ;;
		esac
	done <<<"$settings"
	DATABASE_URL=$("$B/openctl" config database_url)
	DATABASE_OWNER_URL=$("$B/openctl" config database_owner_url)
	# where this machine reaches what listens on every address
	case $HOST in 0.0.0.0) PROBE=127.0.0.1 ;; ::) PROBE=::1 ;; *) PROBE=$HOST ;; esac
}

# Workers and the database run as another user when we are root; that user must be able to get there.
reachable() { ! is_root || (cd / && as_open test -x "$1" 2>/dev/null); }

data_prepare() {
	local home
	ensure_user
	DATA=$(readlink -m "$DATA")
	mkdir -p "$DATA"
	chmod u+rwx,go+x "$DATA"
	if ! reachable "$DATA"; then
		home=/var/lib/open/$(sha256sum <<<"$DATA" | cut -c1-12)
		rmdir "$DATA" 2>/dev/null ||
			die "the user $OPEN_USER can't enter $DATA: move it, or set OPEN_DATA to a folder below public ones"
		step "The user $OPEN_USER can't enter $DATA, so it becomes a link to $home"
		mkdir -p "$home"
		ln -s "$home" "$DATA"
		DATA=$home
		chmod 0711 /var/lib/open "$home"
	fi
	mkdir -p "$DATA/run" "$DATA/log" "$DATA/scratch"
	chmod 0711 "$DATA/run" "$DATA/scratch"
	# scratch stays root's: the runner makes folders for commands in it.
	if is_root; then
		chown "$OPEN_USER:" "$DATA/run" "$DATA/log"
		chown root: "$DATA/scratch"
	fi
	short_path data "$DATA"
	SHORT=$REPLY
	SOCKETS=$SHORT/run
}

# A socket's path has at most 107 bytes, and Kore's configuration takes no spaces: others are reached through a link.
# short_path NAME FOLDER - sets REPLY
short_path() {
	REPLY=$2
	[[ ${#2} -le 80 && $2 =~ ^[a-zA-Z0-9_./+-]+$ ]] && return 0
	if [ -z "${LINKS:-}" ]; then
		LINKS=$(mktemp -d "${XDG_RUNTIME_DIR:-/tmp}/open.XXXXXX")
		chmod 0711 "$LINKS"
	fi
	ln -sfn "$2" "$LINKS/$1"
	REPLY=$LINKS/$1
}

links_remove() { [ -z "${LINKS:-}" ] || rm -rf "$LINKS"; }

data_lock() {
	exec 9>"$DATA/lock"
	flock -n 9 || die "another ./build.sh works with $DATA: stop it, or set OPEN_DATA"
}

# --- the database, migrated and with the demo organization

database_start() {
	if [ -z "$DATABASE_URL" ]; then
		pg_start 9>&-
		DATABASE_URL=$(pg_url open_login)
		DATABASE_OWNER_URL=$(pg_url open_owner)
		DATABASE_PRIVATE=yes
	fi
	export OPEN_DATABASE_URL=$DATABASE_URL OPEN_DATABASE_OWNER_URL=$DATABASE_OWNER_URL
	"$B/openctl" migrate || die "the database could not be migrated"
}

# The administrator's password: configured, or generated with the user, told once and kept in a file.
demo_admin() {
	local file=$DATA/admin-password password answer generated=no
	password=$("$B/openctl" config admin_password)
	if [ -z "$password" ]; then
		generated=yes
		password=$(head -c 18 /dev/urandom | base64 | tr '+/' '-_')
	fi
	answer=$("$B/openctl" user create --org $DEMO --email "$ADMIN_EMAIL" --role admin --password-stdin \
		--if-missing --json <<<"$password") || die "the administrator $ADMIN_EMAIL could not be created"
	[[ $answer == *'"created": true'* && $generated = yes ]] || return 0
	rm -f "$file"
	(umask 077 && printf '%s\n' "$password" >"$file")
	say "Administrator of $DEMO: $ADMIN_EMAIL, password $password (told only now; kept in $file)"
}

demo_prepare() {
	local organization examples sum
	organization=$("$B/openctl" org create Demo --slug $DEMO --set allow_commands=true --if-missing) ||
		die "the demo organization could not be created"
	demo_admin
	examples=(assets/examples/*.yaml)
	[ -e "${examples[0]}" ] || return 0
	# Imported again only when they change, so that what a user archives stays archived.
	sum=$({ say "$organization"; cat "${examples[@]}"; } | sha256sum)
	[ "$(cat "$DATA/examples.sum" 2>/dev/null)" != "$sum" ] || return 0
	"$B/openctl" dag import "${examples[@]}" --org $DEMO --activate || die "an example could not be imported"
	say "$sum" >"$DATA/examples.sum"
}

# --- the server

port_taken() { (exec 3<>"/dev/tcp/$PROBE/$PORT") 2>/dev/null; }

url_host() { case $1 in *:*) say "[$1]" ;; *) say "$1" ;; esac }

# http_status PATH - of a GET
http_status() {
	local line
	if [ $SCHEME = https ]; then
		curl -ksm 5 -o /dev/null -w '%{http_code}' "https://$(url_host "$PROBE"):$PORT$1" || return 1
		return 0
	fi
	{
		exec 3<>"/dev/tcp/$PROBE/$PORT" || return 1
		printf 'GET %s HTTP/1.1\r\nHost: open\r\nConnection: close\r\n\r\n' "$1" >&3
		IFS= read -r -t 5 line <&3 || return 1
		exec 3>&-
	} 2>/dev/null
	line=${line#* }
	say "${line%% *}"
}

# The workers load modules again on SIGHUP, as their own user.
build_publish() {
	local file
	BUILD=$TOP/$B
	if ! reachable "$BUILD"; then
		BUILD=$DATA/build
		mkdir -p "$BUILD/modules"
		for file in "$B"/libopen.so "$B"/modules/*.so; do
			file=${file#"$B/"}
			cp "$B/$file" "$BUILD/$file.new"
			mv "$BUILD/$file.new" "$BUILD/$file"
		done
	fi
	short_path build "$BUILD"
	BUILD=$REPLY
}

kore_start() {
	local flags=(-f -n -c "$DATA/run/kore.conf" ${KORE_QUIET:+-q})
	is_root || flags+=(-r)
	build_publish
	kore_config
	# The leak checker would need a process of its own, which the sandbox refuses to workers.
	local asan=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	# A session of its own: Ctrl-C reaches only this script, which ends things in order.
	ASAN_OPTIONS=$asan OPEN_DATA=$SHORT OPEN_DATABASE_OWNER_URL='' setpriv --pdeathsig TERM setsid "$KORE" "${flags[@]}" 9>&- &
	KORE_PID=$!
	for ((i = 0; i < 600; i++)); do
		alive "$KORE_PID" || return 1
		[ "$(http_status /readyz)" = 200 ] && return 0
		sleep 0.1
	done
	return 1
}

kore_stop() {
	local pid
	[ -n "${KORE_PID:-}" ] || return 0
	kill -TERM "$KORE_PID" 2>/dev/null || true
	wait_gone 20 "$KORE_PID" || kill -KILL "$KORE_PID" 2>/dev/null || true
	for pid in $(session_members "$KORE_PID"); do
		wait_gone 10 "$pid" || kill -KILL "$pid" 2>/dev/null || true
	done
	KORE_PID=
}

serve_stop() {
	trap '' INT TERM HUP
	trap - EXIT
	kore_stop
	[ -z "${DATABASE_PRIVATE:-}" ] || pg_stop
	links_remove
}

serve_prepare() {
	umask 022
	packages_build
	compile all
	settings_load
	kore_prepare
	data_prepare
	data_lock
	! port_taken || die "$LISTEN is taken by another program: stop it, or set OPEN_LISTEN=127.0.0.1:PORT"
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap serve_stop EXIT
	database_start
}

serve_greet() {
	local example
	example=$(sed -n 's/^name: *//p' assets/examples/*.yaml | head -n 1)
	say ""
	say "OPEN serves on $SCHEME://$LISTEN   (Ctrl-C stops it)"
	say "Try, in another terminal:   $B/openctl run ${example:-NAME} --org $DEMO --wait"
}

serve_run() {
	serve_prepare
	demo_prepare
	kore_start || die "the server did not start"
	serve_greet
	kore_wait
	die "the server ended"
}

# Until it ends. One that has lost its lease (modules/web/lease.h) is started again, with nothing of the old one left.
LEASE_LOST=75
kore_wait() {
	local status
	while :; do
		status=0
		wait "$KORE_PID" || status=$?
		[ $status -eq $LEASE_LOST ] || return 0
		kore_stop
		step "The server had lost its lease; it starts again"
		kore_start || return 0
	done
}

# --- dev: rebuild what changed; reload modules, restart only when resident code changed

serve_dev() {
	local resident newest
	serve_prepare
	demo_prepare
	kore_start || die "the server did not start"
	serve_greet
	newest=$B/.dev
	while touch "$newest" && alive "$KORE_PID"; do
		while [ -z "$(find modules tools conf kore.conf -newer "$newest" -type f -print -quit)" ]; do
			sleep 0.3
			alive "$KORE_PID" || break
		done
		resident=$(stat -c %i "$B/libopen.so")
		touch "$newest"
		(compile all) || continue
		if [ "$resident" = "$(stat -c %i "$B/libopen.so")" ]; then
			build_publish
			kill -HUP "$KORE_PID" && step "Reloaded"
		else
			kore_stop
			kore_start && step "Restarted"
		fi
	done
	die "the server ended"
}

serve_database() {
	local running
	packages_build
	compile tools
	settings_load
	[ -z "$DATABASE_URL" ] || die "OPEN_DATABASE_URL names a database that is not ours to start or stop"
	data_prepare
	pg_find
	running=$(pg_sockets) || running=
	case ${1:-} in
	start)
		pg_start
		pg_url open_login
		say ""
		[ "$SOCKETS" = "$SHORT/run" ] || links_remove
		;;
	stop)
		pg_stop
		links_remove
		[[ $running != */open.??????/data/run ]] || rm -rf "${running%/data/run}"
		;;
	url)
		links_remove
		[ -n "$running" ] || die "the private database is not running"
		SOCKETS=$running
		pg_url open_login
		say ""
		;;
	*)
		links_remove
		die "usage: ./build.sh database start|stop|url"
		;;
	esac
}
