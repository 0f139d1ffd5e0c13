# postgres.sh - the private PostgreSQL cluster in $DATA/pg: Unix socket only, default durability.
#
# Owned by OPEN_USER. Roles: postgres (superuser, for this script), open_owner (owns the database; migrations) and
# open_login (owns nothing; the server and openctl). The cluster's user and root log in as any of them, nobody else.
# shellcheck shell=bash

PG_LEAST=15

# The programs of the cluster's own version, or the newest that is installed.
pg_find() {
	local version
	if [ -s "$DATA/pg/PG_VERSION" ]; then
		version=$(cat "$DATA/pg/PG_VERSION")
		PG_BIN=/usr/lib/postgresql/$version/bin
		[ -x "$PG_BIN/postgres" ] || die "$DATA/pg is a cluster of PostgreSQL $version: install postgresql-$version"
		return
	fi
	PG_BIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5 -n | tail -n1)
	version=${PG_BIN#/usr/lib/postgresql/}
	[ -x "$PG_BIN/postgres" ] || die "PostgreSQL is not installed"
	[ "${version%%/*}" -ge $PG_LEAST ] || die "needs PostgreSQL $PG_LEAST or newer, found ${version%%/*}"
}

pg_run() { (cd / && as_open "$PG_BIN/$1" "${@:2}"); }
pg_sql() { pg_run psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$SOCKETS" -U postgres "$@"; }

# The postmaster's pid, if it runs and works in this cluster.
pg_pid() {
	local pid
	read -r pid 2>/dev/null <"$DATA/pg/postmaster.pid" || return 1
	alive "$pid" && [ "$(readlink "/proc/$pid/cwd")" = "$DATA/pg" ] && say "$pid"
}

# The socket folder of the running cluster.
pg_sockets() { pg_pid >/dev/null && sed -n 5p "$DATA/pg/postmaster.pid"; }

pg_create() {
	step "Creating the database cluster in $DATA/pg"
	rm -rf "$DATA/pg.new"
	pg_own "$DATA/pg.new"
	pg_run initdb -D "$DATA/pg.new" -U postgres -A peer --encoding=UTF8 --locale=C.UTF-8 >"$DATA/log/initdb.log" 2>&1 ||
		die "initdb failed, see $DATA/log/initdb.log"
	echo 'local all all peer map=open' | pg_write "$DATA/pg.new/pg_hba.conf"
	printf 'open %s %s\n' \
		"$OPEN_USER" postgres "$OPEN_USER" open_owner "$OPEN_USER" open_login \
		root postgres root open_owner root open_login | pg_write "$DATA/pg.new/pg_ident.conf"
	echo "include 'open.conf'" | pg_append "$DATA/pg.new/postgresql.conf"
	mv "$DATA/pg.new" "$DATA/pg"
}

# An empty folder that only OPEN_USER may enter.
pg_own() {
	mkdir -p "$1"
	chmod 0700 "$1"
	if is_root; then chown "$OPEN_USER:" "$1"; fi
}
pg_write() { as_open tee "$1" >/dev/null; }
pg_append() { as_open tee -a "$1" >/dev/null; }

pg_settings() {
	cat <<-CONF
		listen_addresses = ''
		unix_socket_directories = '"${SOCKETS//\'/\'\'}"'
		unix_socket_permissions = 0777
		max_connections = $((WORKERS * (CONNECTIONS + 2) + 64))
		shared_buffers = 256MB
		max_wal_size = 4GB
		timezone = 'UTC'
		jit = off
		logging_collector = off
	CONF
}

# What a postmaster that was killed, or a machine that was, leaves behind. PostgreSQL itself refuses to start when the
# pid in its file lives on as any other process of its user.
pg_clear_stale() {
	local dir
	[ -e "$DATA/pg/postmaster.pid" ] || return 0
	for dir in /proc/[0-9]*; do
		[ "$(readlink "$dir/cwd" 2>/dev/null)" = "$DATA/pg" ] || continue
		# Backends notice that their postmaster died, and end; one in recovery looks only once a minute.
		wait_gone 5 "${dir#/proc/}" || kill -KILL "${dir#/proc/}" 2>/dev/null || true
		wait_gone 10 "${dir#/proc/}" || die "process ${dir#/proc/} still works in $DATA/pg without a postmaster"
	done
	step "Recovering from a database that was not stopped"
	rm -f "$DATA/pg/postmaster.pid"
}

pg_start() {
	local sockets
	pg_find
	[ -d "$DATA/pg" ] || pg_create
	if sockets=$(pg_sockets); then
		if [ -S "$sockets/.s.PGSQL.5432" ]; then
			SOCKETS=$sockets
			pg_provision
			return
		fi
		pg_stop
	fi
	pg_clear_stale
	rm -f "$SOCKETS"/.s.PGSQL.5432*
	pg_settings | pg_write "$DATA/pg/open.conf"
	pg_run pg_ctl start -w -s -t 300 -D "$DATA/pg" -l "$DATA/log/postgres.log" >/dev/null ||
		die "PostgreSQL did not start: $(tail -n 3 "$DATA/log/postgres.log" 2>/dev/null)"
	pg_provision
}

pg_stop() {
	local pid
	pid=$(pg_pid) || return 0
	pg_run pg_ctl stop -w -s -m fast -t 120 -D "$DATA/pg" >/dev/null || true
	wait_gone 10 "$pid" || die "PostgreSQL (process $pid) did not stop"
}

# Roles and the database; each step may have been done already.
pg_provision() {
	[ -e "$DATA/pg/open.provisioned" ] && return 0
	pg_sql -d postgres <<-'SQL'
		select format('create role %s', r)
		  from unnest(array['open_owner login createrole', 'open_login login noinherit']) r
		 where not exists (select from pg_roles where rolname = split_part(r, ' ', 1)) \gexec
		select 'create database open owner open_owner'
		 where not exists (select from pg_database where datname = 'open') \gexec
		revoke all on database open from public;
		grant connect on database open to open_login;
	SQL
	as_open touch "$DATA/pg/open.provisioned"
}

# pg_url ROLE - a libpq URL
pg_url() { printf 'postgresql:///open?host=%s&user=%s' "$(url_encode "$SOCKETS")" "$1"; }
