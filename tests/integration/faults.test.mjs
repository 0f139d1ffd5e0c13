// What breaks around the server: PostgreSQL, workers, everything at once, the disk, stored plans.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { SLOW, Server, alive, delay, execute, kill, layered, lua, pause, recordFaults, shell, soundRecord, startServer, temporary,
	test, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2", OPEN_REQUEST_TIMEOUT: "3s" } });
	client = await server.makeClient();
});
after(() => server?.stop());

const status = async (target, on = server) => (await on.api("GET", target)).status;
const ready = (on = server) => until("the server is ready", async () => (await status("/readyz", on)) === 200);

// Answers to starts while something is broken: 503 with its code, within the request's time.
async function refusedStart(dag, codes = ["database_unavailable"]) {
	const begin = Date.now();
	const answer = await client.tryStart(dag);
	assert.equal(answer.status, 503, answer.text);
	assert.ok(codes.includes(answer.codes[0]), answer.text);
	assert.ok(answer.json.errors[0].detail.length > 10);
	assert.ok(Date.now() - begin < 6000 * SLOW, `it took ${Date.now() - begin} ms`);
}

const finishAll = (ids, seconds = 60, on = client) => until(`${ids.length} executions end`, async () => {
	const rows = await on.server.rows(`select status, count(*)::integer as count from open.executions
		where id in (${ids.map((i) => `'${i}'`).join(",")}) group by status`);
	const open = rows.filter((r) => ["pending", "running"].includes(r.status));
	return rows.length > 0 && open.length === 0 && rows;
}, { seconds });

// --- PostgreSQL ------------------------------------------------------------------------------------------------------

test("PostgreSQL is stopped and started during a run: the run goes on and ends, everything is recorded, starts get 503 meanwhile", async () => {
	const chain = Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, ...delay("150ms"), ...(i ? { dependencies: [`n${i - 1}`] } : {}) }));
	const dag = await client.active({ nodes: [...chain, { name: "sum", dependencies: ["n19"], ...lua("return 'kept'") }] });
	const quick = await client.active({ nodes: [{ name: "a" }] });
	const { id } = await client.start(dag);
	await until("it runs", async () => (await client.execution(id)).attributes.status === "running");
	await server.database("stop");
	const away = Date.now();

	await until("the server says that it can't serve", async () => (await status("/readyz")) === 503);
	assert.equal(await status("/healthz"), 200);
	for (let i = 0; i < 8; i++) await refusedStart(quick);
	for (const target of ["/api/v1/dags", `/api/v1/executions/${id}`]) {
		const answer = await client.api("GET", target);
		assert.equal(answer.status, 503, answer.text);
		assert.deepEqual(answer.codes, ["database_unavailable"]);
	}
	await until("a second has passed without the database", () => Date.now() - away > 1000);
	const back = Date.now();
	await server.database("start");
	await ready();

	const { attributes } = await client.finished(id);
	assert.equal(attributes.status, "success");
	assert.deepEqual(await recordFaults(server, [id]), soundRecord);
	const { nodes } = await client.withNodes(id);
	assert.equal(nodes.sum.result, "kept");
	const meanwhile = Object.values(nodes).filter((n) => Date.parse(n.completed_at) > away + 100 && Date.parse(n.completed_at) < back);
	assert.ok(meanwhile.length > 0, "nothing was executed while the database was away");
	assert.equal((await client.run(quick)).execution.attributes.status, "success");
	const [{ count }] = await server.rows(`select count(*)::integer as count from open.executions where dag_id = '${quick.id}'`);
	assert.equal(count, 1);
});

test("PostgreSQL's connections are cut during a run: nobody notices more than a moment", async () => {
	const dag = await client.active(layered(10, 10, { op: (l, i) => (i === 0 ? delay("100ms") : {}) }));
	const started = await Promise.all(Array.from({ length: 20 }, () => client.start(dag)));
	for (let i = 0; i < 3; i++) {
		await server.psql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'open_login'", { role: "postgres" });
		await pause(200);
	}
	await ready();
	await finishAll(started.map((e) => e.id));
	assert.deepEqual(await recordFaults(server, started.map((e) => e.id)), soundRecord);
});

test("PostgreSQL hangs: requests are answered in time, and everything goes on when it does", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...delay("300ms") }, { name: "b", dependencies: ["a"] }] });
	const { id } = await client.start(dag);
	const database = server.postmaster();
	const backends = server.processes().filter((p) => p.pid === database.pid || p.parent === database.pid);
	for (const p of backends) kill(p, "SIGSTOP");
	try {
		assert.equal(await status("/healthz"), 200);
		const begin = Date.now();
		const answers = await Promise.all([client.api("GET", "/api/v1/dags"), client.tryStart(dag), client.api("GET", `/api/v1/executions/${id}`)]);
		for (const a of answers) assert.ok([503, 504].includes(a.status), a.text);
		assert.ok(Date.now() - begin < 8000 * SLOW, `it took ${Date.now() - begin} ms`);
		assert.equal(await status("/healthz"), 200);
	} finally {
		for (const p of backends) kill(p, "SIGCONT");
	}
	await ready();
	assert.equal((await client.finished(id)).attributes.status, "success");
	// The start that was answered 503 or 504 may have been committed, then it is run; it is never left open.
	await until("nothing is left open", async () => {
		const [{ count }] = await server.rows(`select count(*)::integer as count from open.executions where dag_id = '${dag.id}' and status <> 'success'`);
		return count === 0;
	});
});

test("the server isn't ready while migrations are missing", async () => {
	const where = "number = (select max(number) from open.migrations)";
	await server.psql(`create table open.kept as select * from open.migrations where ${where};
		delete from open.migrations where ${where}`);
	try {
		await until("it says so", async () => (await status("/readyz")) === 503);
	} finally {
		await server.psql("insert into open.migrations select * from open.kept; drop table open.kept");
	}
	await ready();
});

// --- workers ---------------------------------------------------------------------------------------------------------

test("workers are killed with kill -9 during runs: the runs are taken over, none is lost, no node is recorded twice", async () => {
	const dag = await client.active(layered(8, 8, {
		op: (layer, i) => (i === 0 ? delay("200ms") : i === 1 ? lua(`return ${layer}`) : i === 2 && layer === 3 ? shell("sleep 0.2; echo 5") : {}),
	}));
	const started = await Promise.all(Array.from({ length: 30 }, () => client.start(dag)));
	for (let round = 0; round < 2; round++) {
		const victims = server.workers();
		assert.equal(victims.length, 2);
		// One after the other, then both at once: nobody is there to take over but the restarted ones.
		for (const victim of round === 0 ? victims.slice(0, 1) : victims) kill(victim);
		await until("both workers are there again", () => {
			const now = server.workers();
			return now.length === 2 && !now.some((w) => victims.slice(0, round + 1).some((v) => v.pid === w.pid));
		});
	}
	const ends = await finishAll(started.map((e) => e.id));
	assert.deepEqual(ends.map((e) => [e.status, e.count]), [["success", 30]]);
	assert.deepEqual(await recordFaults(server, started.map((e) => e.id)), soundRecord);
	await ready();
	assert.equal((await client.run(dag)).execution.attributes.status, "success");
});

test("a wait that a killed worker had begun isn't begun again", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...delay("3s") }] });
	const started = await Promise.all(Array.from({ length: 4 }, () => client.start(dag)));
	await until("all run", async () => (await Promise.all(started.map((e) => client.execution(e.id)))).every((e) => e.attributes.status === "running"));
	for (const worker of server.workers()) kill(worker);
	for (const { id } of started) {
		await until("it ends", () => client.finished(id).catch(() => undefined));
		const { nodes } = await client.withNodes(id);
		const took = Date.parse(nodes.a.completed_at) - Date.parse(nodes.a.started_at);
		assert.ok(took >= 2990 && took < 4500 * SLOW, `${took} ms`);
	}
	assert.deepEqual(await recordFaults(server, started.map((e) => e.id)), soundRecord);
});

// --- everything at once ------------------------------------------------------------------------------------------------

// Ways to spoil a stored plan; the hash is the spoilt bytes' own where told, so that only the plan's checks can notice.
const SPOILT = {
	"a flipped byte": ["set_byte(plan, length(plan) / 2, get_byte(plan, length(plan) / 2) # 255)", false],
	"a flipped byte under a right hash": ["set_byte(plan, length(plan) / 2, get_byte(plan, length(plan) / 2) # 255)", true],
	"only its first bytes": ["substr(plan, 1, 40)", true],
	"nothing": ["''::bytea", true],
	"another magic number": ["set_byte(plan, 0, 0)", true],
	"another version": ["set_byte(plan, 8, 200)", true],
	"an end too many": ["plan || '\\x00'::bytea", true],
	"noise": ["decode(repeat('5a', length(plan)), 'hex')", true],
};

async function spoil(dag, [bytes, hashed]) {
	await server.psql(`update open.dag_versions set plan = ${bytes}, plan_hash = ${hashed ? `sha256(${bytes})` : "plan_hash"} where dag_id = '${dag.id}'`);
	const [{ plan }] = await server.rows(`select encode(sha256(plan), 'hex') as plan from open.dag_versions where dag_id = '${dag.id}'`);
	return plan;
}

async function mended(dag, spoilt) {
	const [row] = await server.rows(`select plan_hash = sha256(plan) as right, encode(sha256(plan), 'hex') as plan from open.dag_versions where dag_id = '${dag.id}'`);
	assert.equal(row.right, true);
	assert.notEqual(row.plan, spoilt);
}

test("everything is killed at once during runs; the next start resumes: what was recorded stays, all ends", async () => {
	const dag = await client.active({
		nodes: [
			{ name: "first", ...lua("return {when = execution.id}") },
			{ name: "second", dependencies: ["first"], ...shell("echo '{\"x\": 1}'; echo noted >&2") },
			{ name: "wait", dependencies: ["second"], ...delay("2s") },
			{ name: "last", dependencies: ["wait"], ...lua("return {nodes.first.result.when, nodes.second.result.x, context.n}") },
			{ name: "broken", ...lua("error('recorded')") },
			{ name: "handler", dependencies: ["broken"], trigger: "any_failed" },
		],
	});
	const spoilt = [];
	for (const [what, how] of Object.entries(SPOILT)) {
		const victim = await client.active({ nodes: [{ name: "a", ...lua("return 'right'") }, { name: "b", dependencies: ["a"] }] });
		spoilt.push([what, victim, await spoil(victim, how)]);
	}
	const started = await Promise.all(Array.from({ length: 19 }, (_, n) => client.start(dag, { n })));
	const patient = await client.active({ nodes: [{ name: "a", ...delay("600s") }, { name: "b", dependencies: ["a"] }] });
	const cancelled = (await client.start(patient)).id;
	const ids = started.map((e) => `'${e.id}'`).join(",");
	const records = () => server.rows(`select n.execution_id, n.node_name, n.status, n.started_at, n.completed_at, n.result, n.error, n.log
		from open.node_executions n where n.execution_id in (${ids}) and n.completed_at is not null order by 1, 2`);
	await until("the first nodes are recorded", async () => (await records()).filter((r) => r.node_name === "second").length === started.length);
	assert.ok((await client.cancel(cancelled)).status < 300);
	// More starts are on their way at the moment of the crash; those that were acknowledged count.
	const light = await client.active({ nodes: [{ name: "a" }, { name: "b", dependencies: ["a"], ...delay("1s") }, { name: "c", dependencies: ["b"] }] });
	const late = [];
	const starters = Array.from({ length: 10 }, async () => {
		for (;;) {
			const answer = await client.tryStart(light).catch(() => undefined);
			if (answer?.status !== 201) return;
			late.push(answer.json.data.id);
		}
	});
	await until("some are acknowledged", () => late.length > 20);
	const recorded = await records();
	await server.crash();
	await Promise.all(starters);

	await server.start();
	await finishAll([...started.map((e) => e.id), ...late, cancelled]);
	const after = new Map((await records()).map((r) => [r.execution_id + r.node_name, r]));
	for (const record of recorded) assert.deepEqual(after.get(record.execution_id + record.node_name), record);
	assert.deepEqual(await recordFaults(server, [...started.map((e) => e.id), ...late]), soundRecord);
	for (const { id, attributes } of started) {
		const { execution, nodes } = await client.withNodes(id);
		assert.equal(execution.attributes.status, "failed"); // One of its nodes fails, by its definition.
		assert.deepEqual(nodes.last.result, [id, 1, attributes.context?.n ?? execution.attributes.context.n]);
		assert.equal(nodes.handler.status, "success");
	}
	assert.equal((await client.execution(cancelled)).attributes.status, "cancelled");

	// The fresh server had no plan in memory: every stored one was read, and the spoilt ones made anew.
	for (const [what, victim, bytes] of spoilt) {
		const { execution, nodes } = await client.run(victim);
		assert.equal(execution.attributes.status, "success", what);
		assert.equal(nodes.a.result, "right", what);
		await mended(victim, bytes);
	}
});

test("the parent alone is killed with kill -9: nothing of the server goes on, and the next start resumes", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...delay("1s") }, { name: "b", dependencies: ["a"], ...shell("sleep 0.2; echo 1") }] });
	const started = await Promise.all(Array.from({ length: 10 }, () => client.start(dag)));
	await until("all run", async () => (await Promise.all(started.map((e) => client.execution(e.id)))).every((e) => e.attributes.status === "running"));
	const all = server.processes();
	kill(server.koreParent());
	await until("build.sh ends", () => server.exitCode !== undefined);
	assert.equal(server.exitCode, 1);
	await until("nothing goes on", () => !all.some(alive) && server.processes().length === 0, { seconds: 10 });
	await server.start();
	await finishAll(started.map((e) => e.id));
	assert.deepEqual(await recordFaults(server, started.map((e) => e.id)), soundRecord);
});

test("a plan that is spoilt while the server runs is made anew, not executed", async () => {
	for (const [what, how] of Object.entries(SPOILT)) {
		const dag = await client.active({ nodes: [{ name: "a", ...lua("return 'right'") }] });
		const bytes = await spoil(dag, how);
		const { execution, nodes } = await client.run(dag);
		assert.equal(execution.attributes.status, "success", what);
		assert.equal(nodes.a.result, "right", what);
		if (how[1]) await mended(dag, bytes);
	}
});

test("PostgreSQL alone is killed with kill -9: it is recovered by the next start, and nothing acknowledged is lost", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...delay("500ms") }, { name: "b", dependencies: ["a"] }] });
	const started = await Promise.all(Array.from({ length: 20 }, () => client.start(dag)));
	const database = server.postmaster();
	const all = server.processes().filter((p) => p.pid === database.pid || p.parent === database.pid);
	for (const p of all) kill(p);
	await until("it is dead", () => !all.some(alive));
	await until("the server says so", async () => (await status("/readyz")) === 503);
	await server.database("start");
	await ready();
	await finishAll(started.map((e) => e.id));
	assert.deepEqual(await recordFaults(server, started.map((e) => e.id)), soundRecord);
});

// --- the disk ----------------------------------------------------------------------------------------------------------

async function mountSmall(megabytes) {
	const folder = temporary("open-full-");
	const { code } = await execute("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "tmpfs", folder]).catch(() => ({ code: 1 }));
	if (code === 0) return folder;
	fs.rmdirSync(folder);
	return undefined;
}

test("the journal's disk is full: a clear error, no crash, and everything acknowledged is recorded when there is space again", async (t) => {
	const data = await mountSmall(400);
	if (!data) {
		t.diagnostic("no small file system could be mounted here (that takes root); the fault was not made");
		return;
	}
	let small;
	try {
		small = await startServer({ data, env: { OPEN_WORKERS: "2", OPEN_REQUEST_TIMEOUT: "3s" } });
		small.keep = true; // The folder is unmounted instead.
		const tenant = await small.makeClient();
		const dag = await tenant.active({ nodes: [{ name: "a", ...delay("1s") }, { name: "b", dependencies: ["a"], ...lua("return string.rep(execution.id, 3000)") }] });
		const accepted = (await Promise.all(Array.from({ length: 30 }, () => tenant.start(dag)))).map((e) => e.id);

		fillUp(path.join(data, "filler"));
		const refusals = [];
		await until("a start is refused", async () => {
			const answer = await tenant.tryStart(dag);
			if (answer.status === 201) accepted.push(answer.json.data.id);
			else refusals.push(answer);
			return refusals.length >= 5;
		}, { seconds: 40 });
		for (const answer of refusals) {
			assert.ok([503, 507].includes(answer.status), answer.text);
			assert.ok(answer.json.errors[0].detail.length > 10, answer.text);
		}
		assert.equal(await status("/healthz", small), 200);
		assert.equal(small.workers().length, 2);

		fs.rmSync(path.join(data, "filler"));
		await small.database("start"); // PostgreSQL may have given up: it stops rather than lose its log.
		await ready(small);
		const ends = await finishAll(accepted, 60, tenant);
		assert.deepEqual(ends.map((e) => e.status), ["success"]);
		assert.deepEqual(await recordFaults(small, accepted), soundRecord);
		assert.equal((await tenant.run(dag)).execution.attributes.status, "success");
	} finally {
		await small?.stop();
		await until("the folder is unmounted", async () => (await execute("umount", [data])).code === 0, { seconds: 10 });
		fs.rmdirSync(data);
	}
});

// Writes until nothing more fits.
function fillUp(file) {
	const block = Buffer.alloc(1 << 20);
	const descriptor = fs.openSync(file, "w");
	try {
		for (let size = block.length; size >= 512; ) {
			try {
				fs.writeSync(descriptor, block, 0, size);
			} catch (error) {
				if (error.code !== "ENOSPC") throw error;
				size >>= 1;
			}
		}
	} finally {
		fs.closeSync(descriptor);
	}
}

test("two servers of one data folder: the second refuses to start and says why", async () => {
	const second = new Server({ data: server.data, port: server.port, env: {} });
	const { code, stdout, stderr } = await execute("./build.sh", ["run"], { env: second.env, seconds: 60 });
	assert.equal(code, 1);
	assert.match(stdout + stderr, /another|taken/);
	await ready();
});
