// Several servers on one database: who runs what when one of them dies, stops, comes back, or hangs.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { Client, Server, alive, delay, execute, freePort, kill, lua, recordFaults, shell, soundRecord, temporary, test,
	until } from "./harness.mjs";

const LEASE = 4; // seconds; the shorter the lease, the sooner the tests

let database; // a folder with nothing but the cluster, which outlives the servers
let env;
let a, b;
let client; // speaks to a; the same organization and token work on b

before(async () => {
	database = new Server({ data: temporary(), port: await freePort(), env: {} });
	await database.database("start");
	const url = await database.database("url");
	env = {
		OPEN_WORKERS: "2", OPEN_LEASE: `${LEASE}s`, OPEN_DATABASE_URL: url,
		OPEN_DATABASE_OWNER_URL: url.replace("open_login", "open_owner"),
		OPEN_SECRET_KEY_FILE: path.join(database.data, "secret-key"),
	};
	[a, b] = [await another(), await another()];
	client = await a.makeClient();
});
after(async () => {
	for (const server of [a, b]) await server?.stop();
	await database?.database("stop");
	await database?.destroy();
});

async function another() {
	const server = new Server({ data: temporary(), port: await freePort(), env });
	server.socketFolder = database.sockets();
	return server.start();
}

const speakTo = (server) => new Client(server, client.org, client.user, client.token);
const idOf = (server) => fs.readFileSync(path.join(server.data, "server-id"), "utf8").trim();
const list = (ids) => ids.map((id) => `'${id}'`).join(",");
const rowOf = async (server) => (await database.rows(`select *, lease_until < now() as late from open.servers where id = '${idOf(server)}'`))[0];

const owners = async (ids) => Object.fromEntries((await database.rows(`select server_id, count(*)::integer as count
	from open.executions where id in (${list(ids)}) group by 1`)).map((r) => [r.server_id, r.count]));

const allEnd = (ids, seconds = 60) => until(`${ids.length} executions end`, async () => {
	const rows = await database.rows(`select status, count(*)::integer as count from open.executions where id in (${list(ids)}) group by 1`);
	return rows.every((r) => !["pending", "running"].includes(r.status)) && rows;
}, { seconds });

// Commands that tell from outside that they ran: a line "EXECUTION NODE ATTEMPT SERVER TIME" in a file.
// A completed node that runs again is seen here, whatever the database says.

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

test("what is started on one server is read and cancelled through the other", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return 41 + 1") }] });
	const { execution } = await client.run(dag);
	const seen = await speakTo(b).withNodes(execution.id);
	assert.equal(seen.nodes.a.result, 42);
	assert.deepEqual(await owners([execution.id]), { [idOf(a)]: 1 });
});

test("kill -9 of a whole server with hundreds of executions in flight: the other one finishes all of them", async () => {
	const dag = await client.active({
		nodes: [
			{ name: "first", ...lua("return execution.id") },
			{ name: "wait", dependencies: ["first"], ...delay("2s") },
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
	await allEnd(ids);
	assert.deepEqual(await owners(ids), { [idOf(b)]: 300 });
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
