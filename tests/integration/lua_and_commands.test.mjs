// Hostile scripts and commands: what they can't do, can't see, and can't keep.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { alive, delay, lua, processes, shell, startServer, test, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer({ env: { OPEN_COMMAND_KILL_AFTER: "500ms", OPEN_LUA_TIME: "300ms" } });
	client = await server.makeClient();
});
after(() => server?.stop());

const seconds = (node) => (Date.parse(node.completed_at) - Date.parse(node.started_at)) / 1000;
const root = process.getuid() === 0;

// Memory of all server processes except the database's, in MiB; shared pages count once.
const memory = () => server.processes().filter((p) => /^kore/.test(p.name)).reduce((sum, p) => {
	const rollup = fs.readFileSync(`/proc/${p.pid}/smaps_rollup`, "utf8");
	return sum + Number(rollup.match(/^Pss_Anon: +(\d+)/m)?.[1] ?? 0) / 1024;
}, 0);

// --- Lua -----------------------------------------------------------------------------------------------------------

test("scripts that loop for ever are ended by their time, each in its own way, and the workers live on", async () => {
	const loops = {
		plain: "while true do end",
		pcall: "while true do pcall(function() while true do end end) end",
		xpcall: "while true do xpcall(function() while true do end end, function() while true do end end) end",
		recursion: "local function f() return f() end return f()",
		coroutine: "local function g() return coroutine.wrap(function() while true do end end)() end while true do pcall(g) end",
		goto: "::again:: goto again",
		pattern: "return string.find(string.rep('a', 40), string.rep('a?', 40) .. string.rep('a', 40))",
		backtrack: "return string.find(string.rep('x', 5000), string.rep('.-', 8) .. 'y')",
		gsub: "local s = string.rep('a', 30000) for i = 1, 1e9 do s:gsub('.-b', '') end",
		sort: "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) table.sort(t) end",
		concat: "local t = {} for i = 1, 1e5 do t[i] = 'x' end while true do table.concat(t) end",
		tostring: "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
		close: "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
		handler: "return select('#', pcall(string.rep, 'x', -1)) + (function() while true do end end)()",
	};
	const workers = server.workers();
	const dag = await client.active({ nodes: Object.entries(loops).map(([name, script]) => ({ name, ...lua(script) })) });
	const { id } = await client.start(dag);
	// The event loops and other executions don't mind.
	const other = await client.active({ nodes: [{ name: "a" }, { name: "b", dependencies: ["a"], ...delay("10ms") }] });
	assert.equal((await client.run(other)).execution.attributes.status, "success");
	await client.finished(id, { seconds: 60 });
	const { nodes } = await client.withNodes(id);
	for (const name of Object.keys(loops)) {
		assert.equal(nodes[name].status, "failed", name);
		assert.match(nodes[name].error, /time|budget|overflow/i, `${name}: ${nodes[name].error}`);
		assert.ok(seconds(nodes[name]) < 30, `${name} took ${seconds(nodes[name])} s`);
	}
	assert.deepEqual(server.workers(), workers);
});

test("scripts that eat memory are ended by their budget", async () => {
	const eaters = {
		table: "local t = {} while true do t[#t + 1] = {} end",
		strings: "local t = {} while true do t[#t + 1] = string.rep('x', 1000000) .. #t end",
		rep: "return string.rep('x', 10000000000)",
		reps: "return (string.rep('x', 60000000)):rep(60)",
		doubling: "local s = 'x' while true do s = s .. s end",
		pcall: "local t = {} while true do pcall(function() while true do t[#t + 1] = string.rep('y', 100000) .. #t end end) end",
		recursion: "local function f(...) return f(1, ...) + 1 end return f()",
		coroutines: "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
		format: "local t = {} for i = 1, 1e9 do t[i] = string.format('%99d', i) end",
		gsub: "return (string.rep('a', 1000000):gsub('a', string.rep('b', 10000)))",
		concat: "local t = {} for i = 1, 60 do t[i] = string.rep('x', 1000000) end return #table.concat(t)",
		pack: "return #table.pack(table.unpack({}, 1, 1e7))",
	};
	const before = memory();
	const { nodes } = await client.runDefinition({ nodes: Object.entries(eaters).map(([name, script]) => ({ name, ...lua(script) })) },
		undefined, { seconds: 60 });
	for (const name of Object.keys(eaters)) {
		assert.equal(nodes[name].status, "failed", `${name}: ${JSON.stringify(nodes[name]).slice(0, 300)}`);
		assert.match(nodes[name].error, /memory|overflow|too many|too large|time|budget|results|resulting/i, `${name}: ${nodes[name].error}`);
	}
	await until("the memory is given back", () => memory() < before + 400, { seconds: 5 });
});

test("a script's world holds no files, processes, debugging, bytecode or loading", async () => {
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "names", ...lua("local t = {} for k in pairs(_G) do t[#t + 1] = k end return t") },
			{ name: "absent", ...lua("return {io == nil, os == nil or os.execute == nil and os.getenv == nil and os.exit == nil, package == nil, debug == nil, require == nil, dofile == nil, loadfile == nil, collectgarbage == nil or not pcall(collectgarbage, 'stop') or true, string.dump == nil}") },
			{ name: "bytecode", ...lua("if load == nil then error('no load') end return (assert(load('\\27Lua')))()") },
			{ name: "meta", ...lua("getmetatable('').__index = nil return 1") },
			{ name: "after", dependencies: ["meta"], trigger: "all_done", ...lua("return ('x'):upper()") },
			{ name: "global", ...lua("leak = 1 string.upper = nil return 1") },
			{ name: "fresh", dependencies: ["global"], ...lua("return {leak == nil, ('x'):upper()}") },
			{ name: "gc", ...lua("setmetatable({}, {__gc = function() while true do end end}) return 1") },
			{ name: "afterwards", dependencies: ["gc"], ...lua("return 2") },
		],
	}, undefined, { seconds: 30 });
	for (const name of ["io", "package", "debug", "require", "dofile", "loadfile"]) assert.ok(!nodes.names.result.includes(name), name);
	assert.deepEqual(nodes.absent.result, Array(9).fill(true));
	assert.equal(nodes.bytecode.status, "failed");
	assert.equal(nodes.after.result, "X");
	assert.deepEqual(nodes.fresh.result, [true, "X"]);
	assert.equal(nodes.afterwards.result, 2);
});

test("a result that is no data, contains itself or is too large fails its node", async () => {
	const bad = {
		function: "return function() end",
		inside: "return {x = print or function() end}",
		cycle: "local t = {} t.t = t return t",
		mixed: "return {1, 2, x = 3}",
		nan: "return 0/0",
		infinite: "return 1/0",
		utf8: "return '\\xff\\xfe'",
		deep: "local t = {} local r = t for i = 1, 100000 do t.t = {} t = t.t end return r",
		large: "return string.rep('x', 2 * 1024 * 1024)",
		key: "return {[{}] = 1}",
		error: "error({code = 7})",
		errornil: "error()",
	};
	const { nodes } = await client.runDefinition({ nodes: Object.entries(bad).map(([name, script]) => ({ name, ...lua(script) })) });
	for (const name of ["function", "inside", "cycle", "nan", "infinite", "deep", "large", "key", "error", "errornil"]) {
		assert.equal(nodes[name].status, "failed", `${name}: ${JSON.stringify(nodes[name]).slice(0, 300)}`);
		assert.ok(nodes[name].error.length > 5, name);
	}
	// What JSON has no word for is either refused or replaced, never stored broken.
	for (const name of ["mixed", "utf8"]) assert.ok(["failed", "success"].includes(nodes[name].status));
});

// --- commands --------------------------------------------------------------------------------------------------------

test("a command's result is its stdout: JSON if it parses, else text; its stderr is the node's log", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "json", ...shell("echo '{\"a\": [1, 2.5, null]}'") },
			{ name: "number", ...shell("echo 42") },
			{ name: "text", ...shell("echo hello; echo world") },
			{ name: "nothing", op: "command", with: { argv: ["true"] } },
			{ name: "argv", op: "command", with: { argv: ["printf", "%s|", "a b", "$HOME", "*", ""] } },
			{ name: "input", op: "command", with: { argv: ["cat"], input: { from: "${{ context.who }}" } } },
			{ name: "stdin", op: "command", with: { argv: ["cat"], stdin: "as it ${{ context.who }}" } },
			{ name: "env", op: "command", with: { shell: "echo \"$GREETING\"", env: { GREETING: "hi ${{ context.who }}" } } },
			{ name: "log", ...shell("echo out; echo one >&2; echo two >&2") },
			{ name: "bytes", ...shell("printf '\\377\\000x'") },
			{ name: "fails", ...shell("echo partial; echo why >&2; exit 7") },
			{ name: "signal", ...shell("kill -SEGV $$") },
			{ name: "missing", op: "command", with: { argv: ["/no/such/program"] } },
			{ name: "half", ...shell("echo '{\"a\":'") },
		],
	}, { who: "stands" });
	assert.deepEqual(nodes.json.result, { a: [1, 2.5, null] });
	assert.equal(nodes.number.result, 42);
	assert.equal(nodes.text.result.trimEnd(), "hello\nworld");
	assert.ok(nodes.nothing.result === null || nodes.nothing.result === "");
	assert.equal(nodes.argv.result, "a b|$HOME|*||");
	assert.deepEqual(nodes.input.result, { from: "stands" });
	assert.equal(nodes.stdin.result, "as it stands");
	assert.equal(nodes.env.result.trimEnd(), "hi stands");
	assert.equal(nodes.log.log, "one\ntwo\n");
	assert.equal(nodes.bytes.status, "success");
	assert.ok(nodes.bytes.result.endsWith("x"));
	assert.equal(nodes.fails.status, "failed");
	assert.match(nodes.fails.error, /\b7\b/);
	assert.equal(nodes.fails.log, "why\n");
	assert.equal(nodes.signal.status, "failed");
	assert.match(nodes.signal.error, /signal|SEGV|11|139/i);
	assert.equal(nodes.missing.status, "failed");
	assert.match(nodes.missing.error, /not found|no such|127|could not/i);
	assert.equal(nodes.half.result.trimEnd(), '{"a":');
	assert.equal(execution.attributes.status, "failed");
});

test("a command that forks daemons leaves none behind", async () => {
	const marks = [86401, 86402, 86403, 86404].map((n) => n + process.pid);
	const { nodes } = await client.runDefinition({
		nodes: [{
			name: "a",
			...shell(`sleep ${marks[0]} & setsid sleep ${marks[1]} & (setsid nohup sleep ${marks[2]} >/dev/null 2>&1 &) ; `
				+ `setsid sh -c 'trap "" TERM HUP INT; sleep ${marks[3]} & wait' >/dev/null 2>&1 </dev/null & echo done`),
		}],
	});
	assert.equal(nodes.a.status, "success", JSON.stringify(nodes.a));
	assert.ok(seconds(nodes.a) < 10);
	await until("no daemon is left", () => !processes().some((p) => marks.some((m) => p.command.includes(`sleep ${m}`))), { seconds: 5 });
});

test("a command that ignores TERM is killed with all its children after its timeout", async () => {
	const mark = 86500 + process.pid;
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "stubborn", ...shell(`trap '' TERM INT HUP; sleep ${mark} & while :; do sleep 0.05; done`, { timeout: "300ms" }) },
			{ name: "polite", ...shell("trap 'echo bye >&2; exit 0' TERM; while :; do sleep 0.05; done", { timeout: "300ms" }) },
			{ name: "stopped", ...shell("kill -STOP $$", { timeout: "300ms" }) },
			{ name: "closes", ...shell("exec >&- 2>&- <&-; sleep 600", { timeout: "300ms" }) },
		],
	});
	for (const name of ["stubborn", "polite", "stopped", "closes"]) {
		assert.equal(nodes[name].status, "failed", name);
		assert.match(nodes[name].error, /time/i, name);
		assert.ok(seconds(nodes[name]) >= 0.29 && seconds(nodes[name]) < 5, `${name}: ${seconds(nodes[name])} s`);
	}
	assert.ok(nodes.polite.log.endsWith("bye\n"), nodes.polite.log);
	assert.ok(!processes().some((p) => p.command.includes(`sleep ${mark}`)));
});

test("a command that prints 1 GB fails by the result's limit, and its log keeps only the last 64 KiB", async () => {
	const before = memory();
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "stdout", ...shell("head -c 1000000000 /dev/zero | tr '\\0' x") },
			{ name: "stderr", ...shell("head -c 300000000 /dev/zero | tr '\\0' x >&2; echo last words >&2; echo done") },
			{ name: "endless", ...shell("yes") },
		],
	}, undefined, { seconds: 60 });
	for (const name of ["stdout", "endless"]) {
		assert.equal(nodes[name].status, "failed");
		assert.match(nodes[name].error, /1 MiB|1048576|large|limit/i);
	}
	assert.equal(nodes.stderr.status, "success", JSON.stringify(nodes.stderr).slice(0, 500));
	assert.equal(nodes.stderr.result.trimEnd(), "done");
	assert.equal(Buffer.byteLength(nodes.stderr.log), 65536);
	assert.ok(nodes.stderr.log.endsWith("xlast words\n"));
	assert.ok(memory() < before + 100, `${before} → ${memory()} MiB`);
});

test("a result of exactly the limit is kept, one byte more is not", async () => {
	const print = (n) => shell(`head -c ${n} /dev/zero | tr '\\0' x`);
	const limit = 1024 * 1024;
	const { nodes } = await client.runDefinition({ nodes: [{ name: "fits", ...print(limit - 2) }, { name: "over", ...print(limit + 1) }] });
	assert.equal(nodes.fits.status, "success", nodes.fits.error);
	assert.equal(nodes.fits.result.length, limit - 2); // Two quotes make it a JSON text.
	assert.equal(nodes.over.status, "failed");
});

test("a command's environment is clean, its user harmless, its folder its own and gone afterwards", async () => {
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "env", ...shell("env | cut -d= -f1 | sort | tr '\\n' ' '") },
			{ name: "user", ...shell("id -u") },
			{ name: "privileges", ...shell("grep NoNewPrivs /proc/self/status | cut -f2") },
			{ name: "capabilities", ...shell("grep CapEff /proc/self/status | cut -f2") },
			{ name: "folder", ...shell("pwd >&2; echo x > file && ls -A && stat -c %a .") },
			{ name: "descriptors", ...shell("ls -l /proc/self/fd | grep -c socket: ; ls /proc/self/fd | wc -l") },
			{ name: "limits", ...shell("ulimit -c") },
			{ name: "group", ...shell("ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; echo $$") },
		],
	});
	const names = nodes.env.result.trim().split(/\s+/);
	for (const name of names) assert.ok(["PATH", "HOME", "PWD", "LANG", "LC_ALL", "TMPDIR", "SHELL", "USER", "LOGNAME", "SHLVL", "_", "OLDPWD", "TZ"].includes(name)
		|| /^OPEN_(EXECUTION|NODE|ATTEMPT|DAG)/.test(name), `${name} is in the environment`);
	if (root) assert.notEqual(nodes.user.result, 0);
	assert.equal(nodes.privileges.result, 1);
	assert.equal(String(nodes.capabilities.result).replace(/0/g, ""), "");
	assert.equal(nodes.folder.status, "success", JSON.stringify(nodes.folder));
	assert.equal(nodes.folder.result.split("\n")[0], "file");
	const folder = nodes.folder.log.trim();
	await until("the scratch folder is gone", () => {
		const left = fs.readdirSync(path.join(server.data, "scratch"));
		return left.length === 0 && (folder.startsWith(server.data) ? !fs.existsSync(folder) : true);
	}, { seconds: 5 });
	const [sockets, descriptors] = nodes.descriptors.result.trim().split("\n").map(Number);
	assert.ok(sockets === 0 && descriptors <= 5, nodes.descriptors.result);
	assert.equal(nodes.limits.result, 0);
});

test("a command can't see the data folder's secrets, the database, the runner or other processes' memory", async () => {
	const worker = server.workers()[0].pid;
	const tries = {
		password: `cat '${server.data}/admin-password'`,
		id: `cat '${server.data}/server-id' && false`,
		cluster: `ls '${server.data}/pg'`,
		config: `cat '${server.data}/run/kore.conf'`,
		database: `psql -h '${server.sockets()}' -U open_login -d open -c 'select 1'`,
		owner: `psql -h '${server.sockets()}' -U open_owner -d open -c 'select 1'`,
		environ: `cat /proc/${worker}/environ | tr '\\0' '\\n' | grep .`,
		memory: `head -c 1 /proc/${worker}/mem`,
		signal: `kill -0 ${worker}`,
		shadow: "cat /etc/shadow",
		write: `touch '${server.data}/x' || touch '${server.data}/run/x'`,
		runner: `ls '${server.data}/run' | grep .; for s in '${server.data}'/run/*; do [ -S "$s" ] && [ -w "$s" ] && exit 0; done; exit 1`,
	};
	if (!root) for (const name of ["environ", "memory", "signal", "write", "id", "config", "password", "cluster", "database", "owner", "runner"]) {
		if (!sandboxed()) delete tries[name]; // The same user, and no bubblewrap here to part them.
	}
	const { nodes } = await client.runDefinition({ nodes: Object.entries(tries).map(([name, line]) => ({ name, ...shell(line) })) });
	for (const name of Object.keys(tries)) {
		assert.equal(nodes[name].status, "failed", `${name}: ${JSON.stringify(nodes[name])}`);
	}
	assert.ok(alive(server.workers().find((p) => p.pid === worker)));
});

function sandboxed() {
	return !/sandbox/i.test(server.log()) || !/without|unavailable|off/i.test(server.log());
}

test("a fork bomb and a memory hog are held by their limits, and others' commands run on", async () => {
	const bomb = await client.active({
		nodes: [
			{ name: "bomb", ...shell("f() { f | f & }; f; sleep 1", { timeout: "2s" }) },
			{ name: "files", ...shell("i=0; while [ $i -lt 100000 ]; do eval \"exec $((i + 10))</dev/null\" 2>/dev/null || exit 9; i=$((i + 1)); done", { timeout: "5s" }) },
		],
	});
	const { id } = await client.start(bomb);
	const calm = await client.runDefinition({ nodes: [{ name: "a", ...shell("echo calm") }] }, undefined, { seconds: 60 });
	await client.finished(id, { seconds: 60 });
	assert.equal(calm.nodes.a.status, "success", JSON.stringify(calm.nodes.a));
	assert.equal((await server.api("GET", "/readyz")).status, 200);
});

test("a hundred commands at once all run, a few at a time", async () => {
	const { execution } = await client.runDefinition(
		{ nodes: Array.from({ length: 100 }, (_, i) => ({ name: `c${i}`, ...shell(`echo ${i}`) })) }, undefined, { seconds: 60 });
	assert.equal(execution.attributes.status, "success");
	assert.equal(execution.attributes.result.c99, 99);
});

test("when the runner dies it is there again, and commands after it succeed", async () => {
	const parent = server.koreParent();
	const workers = server.workers().map((p) => p.pid);
	const runner = server.processes().find((p) => p.parent === parent.pid && !workers.includes(p.pid));
	assert.ok(runner, "there is no runner");
	const dag = await client.active({ nodes: [{ name: "a", ...shell("sleep 0.3; echo ok"), retry: { limit: 20, backoff: "200ms" } }] });
	const { id } = await client.start(dag);
	await until("the command runs", () => processes().some((p) => p.command.includes("sleep 0.3")));
	process.kill(runner.pid, "SIGKILL");
	const { attributes } = await client.finished(id, { seconds: 30 });
	assert.equal(attributes.status, "success");
});

// --- permission --------------------------------------------------------------------------------------------------------

test("an organization that doesn't allow commands can't save, activate or start them", async () => {
	const strict = await server.makeClient({ commands: false });
	const definition = { nodes: [{ name: "a", ...shell("true") }] };
	const saved = await strict.tryCreate(definition);
	assert.equal(saved.status, 422, saved.text);
	assert.deepEqual(saved.codes, ["op_not_allowed"]);
	assert.match(saved.json.errors[0].source.pointer, /\/data\/attributes\/definition\/nodes\/0/);
	const file = server.write("command.yaml", "name: command\nnodes:\n  - name: a\n    op: command\n    with: {shell: 'true'}\n");
	const imported = await server.openctl(["dag", "import", file, "--org", strict.org.slug]);
	assert.equal(imported.code, 1);
	assert.match(imported.stderr, /command\.yaml:4:\d+: /);

	await server.allowCommands(strict.org.slug, true);
	const draft = await until("the permission is seen", async () => {
		const answer = await strict.tryCreate(definition);
		return answer.status === 201 && answer.json.data;
	});
	const active = await strict.active(definition);
	assert.equal((await strict.run(active)).execution.attributes.status, "success");

	await server.allowCommands(strict.org.slug, false);
	await until("the loss is seen", async () => (await strict.tryCreate(definition)).status === 422);
	const refused = await strict.api("POST", `/api/v1/dags/${draft.id}/activate`);
	assert.ok([403, 409, 422].includes(refused.status), refused.text);
	assert.deepEqual(refused.codes, ["op_not_allowed"]);
	const start = await strict.tryStart(active);
	assert.ok([403, 409, 422].includes(start.status), start.text);
	assert.deepEqual(start.codes, ["op_not_allowed"]);
	const started = await server.openctl(["run", active.attributes.name, "--org", strict.org.slug, "--wait"]);
	assert.equal(started.code, 1);
});
