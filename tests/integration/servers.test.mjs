// Several servers on one database: who runs what when one of them dies, stops, comes back, or hangs.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import { alive, delay, kill, lua, recordFaults, shell, soundRecord, test, until } from "./harness.mjs";
import { LEASE, Pair } from "./pair.mjs";

const pair = new Pair();
let database;
let a, b;
let client; // speaks to a

before(async () => {
	await pair.start({ files: ["ran"] });
	({ database, a, b, client } = pair);
});
after(() => pair.stop());

const speakTo = (server) => pair.through(server);
const idOf = (server) => pair.idOf(server);
const bothSteady = () => pair.bothSteady();
const list = (ids) => ids.map((id) => `'${id}'`).join(",");
const rowOf = async (server) => (await database.rows(`select *, lease_until < now() as late from open.servers where id = '${idOf(server)}'`))[0];

const owners = async (ids) => Object.fromEntries((await database.rows(`select server_id, count(*)::integer as count
	from open.executions where id in (${list(ids)}) group by 1`)).map((r) => [r.server_id, r.count]));

const allEnd = (ids, seconds = 60) => until(`${ids.length} executions end`, async () => {
	const rows = await database.rows(`select status, count(*)::integer as count from open.executions where id in (${list(ids)}) group by 1`);
	return rows.every((r) => !["pending", "running"].includes(r.status)) && rows;
}, { seconds });

const unended = async (ids) => (await database.rows(`select id from open.executions where id in (${list(ids)}) and completed_at is null`)).map((r) => r.id);

const signalAll = (processes, signal) => processes.forEach((p) => kill(p, signal));

// Commands that tell from outside that they ran: a line "EXECUTION NODE ATTEMPT" in a file. A node that completed and
// ran again is seen here, whatever the database says.
const effects = () => pair.file("ran");
const told = (more) => shell(`echo "$OPEN_EXECUTION_ID $OPEN_NODE $OPEN_ATTEMPT" >> ${effects()}`, more);

function effectsOf(ids) {
	const counts = {};
	for (const line of fs.readFileSync(effects(), "utf8").split("\n")) {
		const [id, node] = line.split(" ");
		if (ids.includes(id)) counts[`${id} ${node}`] = (counts[`${id} ${node}`] ?? 0) + 1;
	}
	return counts;
}

const historyOf = (ids) => database.rows(`select * from open.node_history where execution_id in (${list(ids)}) order by execution_id, first`);

test("a server has an epoch and a lease that it renews; metrics and openctl tell", async () => {
	const row = await rowOf(a);
	assert.equal(row.ended_at, null);
	await until("the lease is renewed", async () => (await rowOf(a)).lease_until > row.lease_until);
	assert.equal((await rowOf(a)).epoch, row.epoch);
	const metrics = (await a.api("GET", "/metrics")).text;
	assert.match(metrics, new RegExp(`^open_server_epoch ${row.epoch}$`, "m"));
	await until("both see each other", async () => /^open_servers 2$/m.test((await a.api("GET", "/metrics")).text)
		&& /^open_servers 2$/m.test((await b.api("GET", "/metrics")).text));
	const servers = JSON.parse(await a.ctl(["server", "list", "--json"]));
	for (const server of [a, b]) {
		const told = servers.find((s) => s.id === idOf(server));
		assert.equal(told.state, "alive");
		assert.equal(told.address, `127.0.0.1:${server.port}`);
	}
});

test("what is started on one server is read, paused, resumed and cancelled through the other", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return 41 + 1") }] });
	const { execution } = await client.run(dag);
	const seen = await speakTo(b).withNodes(execution.id);
	assert.equal(seen.nodes.a.result, 42);
	assert.deepEqual(await owners([execution.id]), { [idOf(a)]: 1 });

	const long = await client.active({ nodes: [{ name: "wait", ...delay("1h") }, { name: "next", dependencies: ["wait"] }] });
	const { id } = await client.start(long);
	await until("it runs", async () => (await speakTo(b).execution(id)).attributes.status === "running");
	assert.deepEqual(await owners([id]), { [idOf(a)]: 1 });
	assert.equal((await speakTo(b).cancel(id)).status, 202);
	assert.equal((await speakTo(b).finished(id)).attributes.status, "cancelled");

	const short = await client.active({ nodes: [{ name: "wait", ...delay("3s") }, { name: "next", dependencies: ["wait"] }] });
	const paused = (await client.start(short)).id;
	await until("it waits", async () => (await speakTo(b).withNodes(paused)).nodes.wait.status === "running");
	assert.equal((await speakTo(b).api("POST", `/api/v1/executions/${paused}/pause`)).status, 202);
	await until("the wait is over", async () => (await speakTo(b).withNodes(paused)).nodes.wait.status === "success");
	assert.equal((await speakTo(b).withNodes(paused)).nodes.next.status, "pending");
	assert.equal((await speakTo(b).api("POST", `/api/v1/executions/${paused}/resume`)).status, 202);
	assert.equal((await client.finished(paused)).attributes.status, "success");
});

test("kill -9 of a whole server with hundreds of executions in flight: the other one finishes all of them", async () => {
	const dag = await client.active({
		nodes: [
			{ name: "first", ...lua("return execution.id") },
			{ name: "wait", dependencies: ["first"], ...delay("6s") },
			{ name: "last", dependencies: ["wait"], ...lua("return nodes.first.result") },
		],
	});
	const ids = (await Promise.all(Array.from({ length: 300 }, () => client.start(dag)))).map((e) => e.id);
	assert.deepEqual(await owners(ids), { [idOf(a)]: 300 });
	const { epoch } = await rowOf(a);
	await until("the first nodes are recorded", async () => (await database.rows(`select count(*)::integer as count from open.node_executions
		where execution_id in (${list(ids)}) and node_name = 'first' and status = 'success'`))[0].count === ids.length);
	const recorded = await database.rows(`select * from open.node_history where execution_id in (${list(ids)}) order by execution_id, first`);
	await a.crash();
	const left = await unended(ids);
	assert.ok(left.length > 0);
	await allEnd(ids);
	assert.deepEqual(await owners(left), { [idOf(b)]: left.length });
	assert.deepEqual(await recordFaults(database, ids), soundRecord);
	const after = new Set((await database.rows(`select * from open.node_history where execution_id in (${list(ids)})`)).map((r) => JSON.stringify(r)));
	for (const row of recorded) assert.ok(after.has(JSON.stringify(row)));
	// By the database's clock: ended after its lease and no sooner, and all ended within 15 s of that.
	const [times] = await database.rows(`select s.epoch, s.ended_at >= s.lease_until as after,
		(select max(completed_at) from open.executions where id in (${list(ids)})) < s.ended_at + interval '15 s' as soon
		from open.servers s where s.id = '${idOf(a)}'`);
	assert.deepEqual(times, { epoch: epoch + 1, after: true, soon: true });

	await a.start();
	const back = await rowOf(a);
	assert.equal(back.ended_at, null);
	assert.equal(back.epoch, epoch + 2);
	assert.equal((await client.run(dag)).execution.attributes.status, "success");
});

test("a server that ends in order gives its executions up at once", async () => {
	await bothSteady();
	const dag = await client.active({ nodes: [{ name: "first" }, { name: "wait", dependencies: ["first"], ...delay("10s") }, { name: "last", dependencies: ["wait"] }] });
	const ids = (await Promise.all(Array.from({ length: 40 }, () => client.start(dag)))).map((e) => e.id);
	await until("all run", async () => (await historyOf(ids)).length >= ids.length);
	assert.deepEqual(await a.interrupt(), []);
	const left = await unended(ids);
	assert.ok(left.length > 0);
	await until("the other one has them", async () => (await owners(left))[idOf(b)] === left.length);
	const [{ early }] = await database.rows(`select ended_at < lease_until as early from open.servers where id = '${idOf(a)}'`);
	assert.equal(early, true);
	await allEnd(ids);
	assert.deepEqual(await recordFaults(database, ids), soundRecord);
	await a.start();
});

test("a server that was stopped for longer than its lease does nothing when it goes on: it finds out, ends, and starts anew", async () => {
	await bothSteady();
	const dag = await client.active({
		nodes: [{ name: "one", ...told() }, { name: "wait", dependencies: ["one"], ...delay("8s") }, { name: "two", dependencies: ["wait"], ...told() },
			{ name: "three", dependencies: ["two"], ...lua("return 'done'") }],
	});
	const quick = await client.active({ nodes: [{ name: "a", ...told() }] });
	const ids = (await Promise.all(Array.from({ length: 40 }, () => client.start(dag)))).map((e) => e.id);
	await until("all wait", async () => (await database.rows(`select from open.node_executions where execution_id in (${list(ids)})
		and node_name = 'one' and status = 'success'`)).length === ids.length);
	const before = await rowOf(a);
	const frozen = a.processes();
	signalAll(frozen, "SIGSTOP");
	const left = await unended(ids);
	assert.ok(left.length > 0);
	let late;
	try {
		// These reach a's sockets, but not a.
		late = Array.from({ length: 10 }, () => client.tryStart(quick, undefined, { seconds: 90 }).catch((error) => ({ error })));
		await allEnd(ids);
	} finally {
		signalAll(frozen, "SIGCONT");
	}
	assert.deepEqual(await owners(left), { [idOf(b)]: left.length });
	const written = await historyOf(ids);
	await until("it is there again with a new epoch", async () => (await rowOf(a)).epoch === before.epoch + 2 && (await a.api("GET", "/readyz")).status === 200);
	assert.match(a.log(), /is over: it was away for longer than its lease/);
	assert.deepEqual(await historyOf(ids), written);
	assert.deepEqual(await recordFaults(database, ids), soundRecord);
	const ran = effectsOf(ids);
	assert.equal(Object.keys(ran).length, 2 * ids.length);
	assert.deepEqual(Object.values(ran).filter((n) => n !== 1), []);
	// What was acknowledged all the same is run; what was not is not there, or run as well.
	const accepted = (await Promise.all(late)).filter((answer) => answer.status === 201).map((answer) => answer.json.data.id);
	await until("nothing is left open", async () => (await database.rows(`select from open.executions where dag_id = '${quick.id}'
		and status in ('pending', 'running')`)).length === 0);
	for (const id of accepted) assert.equal((await client.execution(id)).attributes.status, "success");
	assert.equal((await client.run(quick)).execution.attributes.status, "success");
});

test("what a server writes with an epoch that is over is refused", async () => {
	const { id, epoch } = await rowOf(a);
	const fence = (n) => database.psql(`select open.fence('${id}', ${n})`, { ok: false });
	assert.equal((await fence(epoch)).stdout, "t");
	for (const wrong of [epoch - 1, epoch + 1]) {
		const { code, stderr } = await fence(wrong);
		assert.notEqual(code, 0);
		assert.match(stderr, /was ended/);
	}
	// Whoever ends a server waits for what is being written, and what comes after is refused.
	const [end, late] = await Promise.all([
		database.psql(`begin; select open.fence('${id}', ${epoch}); select pg_sleep(0.5); commit; select clock_timestamp()`),
		until("it is fenced", async () => (await database.rows("select from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted")).length > 0)
			.then(() => database.psql(`begin; select open.server_end('${id}', ${epoch}); rollback; select clock_timestamp()`)),
	]);
	assert.ok(end.split("\n").at(-1) <= late.split("\n").at(-1));
	assert.equal((await rowOf(a)).epoch, epoch);
});

test("both servers are killed, and one comes back: it finishes what both had begun", async () => {
	const dag = await client.active({ nodes: [{ name: "one", ...told() }, { name: "wait", dependencies: ["one"], ...delay("6s") }, { name: "two", dependencies: ["wait"], ...told() }] });
	const ids = (await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 ? speakTo(b) : client).start(dag)))).map((e) => e.id);
	await until("all wait", async () => (await database.rows(`select from open.node_executions where execution_id in (${list(ids)})
		and node_name = 'one' and status = 'success'`)).length === ids.length);
	await Promise.all([a.crash(), b.crash()]);
	const left = await unended(ids);
	assert.ok(left.length > 0);
	await b.start();
	await allEnd(ids);
	assert.deepEqual(await owners(left), { [idOf(b)]: left.length });
	assert.deepEqual(await recordFaults(database, ids), soundRecord);
	const ran = effectsOf(ids);
	assert.deepEqual([Object.keys(ran).length, Object.values(ran).filter((n) => n !== 1)], [2 * ids.length, []]);
	await a.start();
});

test("PostgreSQL is away for longer than a lease: both servers live on, and none loses anything to the other", async () => {
	await bothSteady();
	const before = [await rowOf(a), await rowOf(b)];
	const dag = await client.active({ nodes: [{ name: "one", ...told() }, { name: "wait", dependencies: ["one"], ...delay("1s") }, { name: "two", dependencies: ["wait"], ...told() }] });
	const ids = (await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? speakTo(b) : client).start(dag)))).map((e) => e.id);
	await database.database("stop");
	const away = Date.now();
	await until("the leases are over", () => Date.now() - away > LEASE * 1500);
	await database.database("start");
	await allEnd(ids);
	for (const [i, server] of [a, b].entries()) assert.equal((await rowOf(server)).epoch, before[i].epoch);
	assert.deepEqual(await recordFaults(database, ids), soundRecord);
	assert.deepEqual(Object.values(effectsOf(ids)).filter((n) => n !== 1), []);
});
