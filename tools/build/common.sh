# common.sh - messages, identity and small helpers of build.sh.
# shellcheck shell=bash

JOBS=${JOBS:-$(nproc)}

say() { printf '%s\n' "$*"; }
step() { printf -- '-- %s\n' "$*"; }
die() {
	printf 'build.sh: %s\n' "$*" >&2
	exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

as_root() {
	if is_root; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root for: $* (become root or install sudo)"
	fi
}

# The user that owns the database cluster and runs the workers: a user of its own where we are root.
OPEN_USER=$(id -un)
if is_root; then OPEN_USER=open; fi

ensure_user() {
	is_root || return 0
	id "$OPEN_USER" >/dev/null 2>&1 && return 0
	step "Creating the system user $OPEN_USER"
	useradd --system --user-group --no-create-home --home-dir /nonexistent \
		--shell /usr/sbin/nologin "$OPEN_USER"
}

as_open() {
	if is_root; then runuser -u "$OPEN_USER" -- "$@"; else "$@"; fi
}

# url_encode TEXT - for a component of a URL
url_encode() {
	local LC_ALL=C text=$1 i c
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		case $c in
		[a-zA-Z0-9._~-]) printf '%s' "$c" ;;
		*) printf '%%%02X' "'$c" ;;
		esac
	done
}

# alive PID - still running, and no zombie
alive() {
	local stat
	[ -n "${1:-}" ] && stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	[[ ${stat##*) } != [ZX]* ]]
}

# wait_gone SECONDS PID - 0 once it is gone
wait_gone() {
	local i
	for ((i = 0; i < $1 * 20; i++)); do
		alive "$2" || return 0
		sleep 0.05
	done
	return 1
}

# session_members SID - living processes of a session
session_members() {
	local dir stat fields
	for dir in /proc/[0-9]*; do
		stat=$(cat "$dir/stat" 2>/dev/null) || continue
		read -ra fields <<<"${stat##*) }"
		[ "${fields[3]}" = "$1" ] && [ "${fields[0]}" != Z ] && say "${dir#/proc/}"
	done
	return 0
}

# publish FILE - standard input becomes FILE, unless it is the same already
publish() {
	cat >"$1.$$.tmp"
	if cmp -s "$1.$$.tmp" "$1"; then rm "$1.$$.tmp"; else mv "$1.$$.tmp" "$1"; fi
}
