# packages.sh - Debian packages, installed by name and only when missing.
# shellcheck shell=bash

PACKAGES_RUN=(kore libpq-dev libyajl-dev libyaml-dev libssl-dev liblua5.4-dev libcurl4-openssl-dev libcmocka-dev
	postgresql make gcc libc6-dev pkg-config bubblewrap nodejs iso-codes jq curl ca-certificates)
PACKAGES_TEST=(python3-aiosmtpd openssl chromium)
PACKAGES_BENCH=(g++ libtbb-dev wrk)
PACKAGES_PEERS=(npm redis-tools) # redis-tools is the whole of Redis, without a service that starts by itself
PACKAGES_LINT=(clang-format clang-tidy shellcheck)
PACKAGES_FUZZ=(clang libclang-rt-dev)
PACKAGES_COV=(gcovr)

packages_build() { packages_need "${PACKAGES_RUN[@]}"; }

# packages_need NAME... - installs those that are missing
packages_need() {
	local missing
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -eq 0 ] && return 0
	command -v apt-get >/dev/null || die "needs the Debian packages: ${missing[*]}"
	step "Installing ${missing[*]}"
	as_root apt-get -qq update
	if [[ " ${missing[*]} " == *" postgresql "* ]]; then
		packages_without_system_cluster "${missing[@]}"
	else
		packages_install "${missing[@]}"
	fi
}

packages_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		-o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 install "$@" >/dev/null ||
		die "could not install: $*"
}

# Debian's postgresql makes and starts a cluster of its own; OPEN needs only the programs.
packages_without_system_cluster() {
	local no_cluster=/etc/postgresql-common/createcluster.d/open.conf
	packages_install postgresql-common
	as_root mkdir -p "${no_cluster%/*}"
	echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
	packages_install "$@"
	as_root rm -f "$no_cluster"
}

packages_missing() {
	local name installed
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || true
	for name in "$@"; do
		grep -qx "installed $name" <<<"$installed" && continue
		packages_elsewhere "$name" || say "$name"
	done
}

# packages_elsewhere NAME - true if something of another origin does its work
packages_elsewhere() {
	local version
	if [ "$1" = npm ]; then
		command -v npm >/dev/null
		return
	fi
	[ "$1" = nodejs ] && version=$(node --version 2>/dev/null) || return 1
	version=${version#v}
	[ "${version%%.*}" -ge 18 ]
}
