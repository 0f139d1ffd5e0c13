#!/usr/bin/env bash
# build.sh - everything a person does with OPEN: build, run, test, measure. `./build.sh help` lists it.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
TOP=$PWD
FLAVOR=${FLAVOR:-release}
B=build/$FLAVOR

# shellcheck source=tools/build/common.sh
. tools/build/common.sh
# shellcheck source=tools/build/packages.sh
. tools/build/packages.sh
# shellcheck source=tools/build/compile.sh
. tools/build/compile.sh
# shellcheck source=tools/build/postgres.sh
. tools/build/postgres.sh
# shellcheck source=tools/build/kore.sh
. tools/build/kore.sh
# shellcheck source=tools/build/serve.sh
. tools/build/serve.sh
# shellcheck source=tools/build/test.sh
. tools/build/test.sh
# shellcheck source=tools/build/lint.sh
. tools/build/lint.sh
# shellcheck source=tools/build/bench.sh
. tools/build/bench.sh

usage() {
	cat <<-'TEXT'
	usage: ./build.sh [COMMAND] [ARGUMENT...]

	  (nothing)         build into build/FLAVOR (FLAVOR=release, dev or asan)
	  run               set up, build, start the private PostgreSQL, migrate, serve; Ctrl-C stops all of it
	  dev               as run; rebuilds and hot-reloads when a source changes
	  test [PART...]    every test, or only: unit, integration, chaos (5 minutes; among all tests 20 s)
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
