#!/usr/bin/env bash
# build.sh - everything a person does with OPEN: build, run, test, measure. `./build.sh help` lists it.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
top=$PWD
readonly top
FLAVOR=${FLAVOR:-release}
B=build/$FLAVOR

for part in common packages compile postgres kore serve test lint bench; do
	# shellcheck source=/dev/null
	. "tools/build/$part.sh"
done

usage() {
	cat <<-'TEXT'
	usage: ./build.sh [COMMAND] [ARGUMENT...]

	  (nothing)         build into build/FLAVOR (FLAVOR=release, dev or asan)
	  run               set up, build, start the private PostgreSQL, migrate, serve; Ctrl-C stops all of it
	  dev               as run; rebuilds and hot-reloads when a source changes
	  test [PART...]    every test, or only: unit, integration, ...
	  bench [NAME...]   benchmarks beside their peers
	  lint              format, static checks, includes, lengths, shell scripts
	  fmt               format the C sources in place
	  fuzz [NAME...]    each fuzzer for FUZZ_SECONDS (30)
	  cov               coverage of the unit tests, into build/cov/report
	  database start|stop|url    the private PostgreSQL alone
	  clean             remove build/ (never the data)

	Settings: conf/open.yaml, or the environment (OPEN_LISTEN, OPEN_DATA, OPEN_DATABASE_URL, ...).
	TEXT
}

command=${1:-build}
[ $# -eq 0 ] || shift
case $command in
build) packages_build && compile all ;;
run) serve_run "$@" ;;
dev) serve_dev "$@" ;;
test) test_run "$@" ;;
bench) bench_run "$@" ;;
lint) lint_run "$@" ;;
fmt) lint_format ;;
fuzz) test_fuzz "$@" ;;
cov) test_coverage ;;
database) serve_database "$@" ;;
clean) rm -rf build ;;
help | -h | --help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
