# bench.sh - benchmarks: tests/bench/bench_NAME.c, each beside its peers in the same run.
#
# Those that need a server get one of their own: a data folder and a port apart from everything else, and in the
# environment OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAG (an id) and _DAGS ("name=id ...", 1,000 no-op nodes each).
# shellcheck shell=bash

bench_run() {
	local names=("$@") name failed=()
	packages_build
	packages_need "${PACKAGES_BENCH[@]}"
	[ ${#names[@]} -gt 0 ] || mapfile -t names < <(cd tests/bench && printf '%s\n' bench_*.c | sed 's/^bench_\(.*\)\.c$/\1/')
	compile all benches
	mkdir -p build/bench
	export OPEN_BENCH_FOLDER=$TOP/build/bench OPEN_BENCH_TABLE=$TOP/build/bench/table
	rm -f "$OPEN_BENCH_TABLE"
	for name in "${names[@]}"; do
		[ -x "$B/bench/bench_$name" ] || die "no benchmark called $name"
		if grep -q OPEN_BENCH_ADDRESS "tests/bench/bench_$name.c" && [ -z "${OPEN_BENCH_ADDRESS:-}" ]; then
			bench_server
		fi
		case $name in peers | graphql) bench_peers ;; esac
		step "bench $name ($FLAVOR, $(nproc) CPUs)"
		"$B/bench/bench_$name" || failed+=("$name")
	done
	bench_table
	[ ${#failed[@]} -eq 0 ] || die "could not be measured: ${failed[*]}"
}

# All rows again, which the benchmarks put into the file (tests/bench/table.h).
bench_table() {
	[ -s "$OPEN_BENCH_TABLE" ] || return 0
	step "all rows"
	cat "$OPEN_BENCH_TABLE"
}

# What users would pick instead, from npm, and redis: installed once, into OPEN_BENCH_PEERS. They are started by
# bench_peers and end with it.
bench_peers() {
	local from=tests/bench/peers to=$TOP/build/bench/peers
	packages_need "${PACKAGES_PEERS[@]}"
	mkdir -p "$to"
	cp $from/*.mjs $from/package.json $from/package-lock.json $from/.npmrc "$to"
	if ! cmp -s "$to/package-lock.json" "$to/installed"; then
		step "Installing the peers"
		if ! (cd "$to" && npm install --no-save --ignore-scripts >npm.log 2>&1 </dev/null); then
			say "npm could not install the peers, see $to/npm.log"
			return 0
		fi
		cp "$to/package-lock.json" "$to/installed"
	fi
	export OPEN_BENCH_PEERS=$to
}

# What an earlier run left would make tables larger than they should be.
bench_fresh() {
	local pid
	[ -d "$OPEN_DATA" ] || return 0
	if pid=$(head -n 1 "$OPEN_DATA/pg/postmaster.pid" 2>/dev/null) && alive "$pid"; then
		die "another ./build.sh bench runs here, or was killed: end process $pid"
	fi
	rm -f build/bench/*.yaml
	rm -rf "$OPEN_DATA" "$(readlink -m "$OPEN_DATA")"
}

bench_server() {
	local dags
	export OPEN_DATA=$TOP/build/bench/data OPEN_LISTEN=127.0.0.1:${BENCH_PORT:-18089} OPEN_LOG=warning
	export OPEN_MAX_CONNECTIONS=12000
	export OPEN_LUA_TIME=30s # fibonacci(33) takes most of the second that is the default
	export OPEN_RATE_CREDENTIAL=9999999/1s # what one client sends is what the server takes
	KORE_QUIET=yes
	export PGOPTIONS="-c client_min_messages=warning"
	bench_fresh
	serve_prepare
	kore_start || die "the server did not start"
	"$B/openctl" org create Bench --slug bench --if-missing >/dev/null
	head -c 24 /dev/urandom | base64 | "$B/openctl" user create --org bench --email bench@bench.test --role admin \
		--password-stdin --if-missing >/dev/null
	bench_documents build/bench
	"$B/openctl" dag import build/bench/*.yaml --org bench --activate >/dev/null
	dags=$("$B/openctl" dag list --org bench --json | jq -r 'map("\(.name)=\(.id)") | join(" ")')
	OPEN_BENCH_TOKEN=$("$B/openctl" token create --org bench --user bench@bench.test --expires 1d)
	export OPEN_BENCH_TOKEN
	export OPEN_BENCH_SERVER=$KORE_PID OPEN_BENCH_ADDRESS=$OPEN_LISTEN OPEN_BENCH_DAGS=$dags
	export OPEN_BENCH_DATABASE=${OPEN_DATABASE_OWNER_URL:-$OPEN_DATABASE_URL}
	OPEN_BENCH_DAG=$(tr ' ' '\n' <<<"$dags" | sed -n 's/^small=//p')
	export OPEN_BENCH_DAG
	OPEN_BENCH_DAGS=$(tr ' ' '\n' <<<"$dags" | grep -v '^small=' | paste -sd ' ')
}

# bench_documents FOLDER - 10 nodes as a chain (ten) and as 1 -> 8 -> 1 (small); 1,000 no-op nodes as a chain, as 1 -> 998 -> 1, as 10 layers of 100, each of them in
# batches and with durability sync
bench_documents() {
	local shape
	awk 'BEGIN {
		print "name: chain\nnodes:\n  - {name: n0}"
		for (i = 1; i < 1000; i++) printf "  - {name: n%d, dependencies: [n%d]}\n", i, i - 1
	}' >"$1/chain.yaml"
	awk 'BEGIN {
		print "name: fan\nnodes:\n  - {name: first}"
		for (i = 0; i < 998; i++) printf "  - {name: n%d, dependencies: [first]}\n", i
		printf "  - {name: last, dependencies: ["
		for (i = 0; i < 998; i++) printf "%sn%d", i ? ", " : "", i
		print "]}"
	}' >"$1/fan.yaml"
	awk 'BEGIN {
		print "name: layers\nnodes:"
		for (l = 0; l < 10; l++) for (i = 0; i < 100; i++) {
			printf "  - {name: n%d-%d", l, i
			if (l) printf ", dependencies: [n%d-%d, n%d-%d, n%d-%d]", l - 1, i, l - 1, (i + 1) % 100, l - 1, (i + 7) % 100
			print "}"
		}
	}' >"$1/layers.yaml"
	for shape in chain fan layers; do
		sed "1s/.*/name: $shape-sync\ndurability: sync/" "$1/$shape.yaml" >"$1/$shape-sync.yaml"
	done
	awk 'BEGIN {
		print "name: ten\nnodes:\n  - {name: n0}"
		for (i = 1; i < 10; i++) printf "  - {name: n%d, dependencies: [n%d]}\n", i, i - 1
	}' >"$1/ten.yaml"
	awk -v folder="$1" 'BEGIN {
		file = folder "/wait.yaml"
		print "name: wait\nnodes:" >file
		for (i = 0; i < 10000; i++) printf "  - {name: n%d, op: delay, with: {duration: 10s}}\n", i >file
		for (f = 10; f <= 33; f += 23) {
			file = folder "/fib" f ".yaml"
			print "name: fib" f "\nnodes:" >file
			for (i = 0; i < (f == 10 ? 40 : 10); i++) {
				printf "  - name: n%d\n    op: lua\n", i >file
				if (i) printf "    dependencies: [n%d]\n", i - 1 >file
				printf "    with: {script: \"local function fib(n) if n <= 1 then return n end " >file
				printf "return fib(n - 1) + fib(n - 2) end return fib(%d)\"}\n", f >file
			}
		}
	}'
	awk 'BEGIN {
		print "name: ticks\nnodes:\n  - {name: n0, op: delay, with: {duration: 3s}}"
		for (i = 1; i <= 40; i++) printf "  - {name: n%d, op: delay, with: {duration: 50ms}, dependencies: [n%d]}\n", i, i - 1
	}' >"$1/ticks.yaml"
	printf 'name: rest\nnodes:\n  - {name: n0, op: delay, with: {duration: 1h}}\n' >"$1/rest.yaml"
	awk 'BEGIN {
		print "name: small\nnodes:\n  - {name: first}"
		for (i = 0; i < 8; i++) printf "  - {name: n%d, dependencies: [first]}\n", i
		print "  - {name: last, dependencies: [n0, n1, n2, n3, n4, n5, n6, n7]}"
	}' >"$1/small.yaml"
}
