// Modules reloaded by SIGHUP while requests wait, connections that break, answers of many megabytes.
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { before, after } from "node:test";
import { JSONAPI, lua, startServer, test, unique, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

const workers = () => server.workers();
const reloads = () => server.log().split("reloaded '").length - 1;
async function reload() {
	const seen = reloads();
	process.kill(Number(fs.readFileSync(path.join(server.data, "run/kore.pid"), "utf8")), "SIGHUP");
	await until("the modules are reloaded", () => reloads() >= seen + 2 * (workers().length + 1));
}

// A session that holds a lock for as long as fn runs, so that statements wait.
async function locked(table, fn) {
	const release = unique("release");
	await server.psql(`create table if not exists open_releases (name text)`, { role: "postgres" });
	const holding = server.psql(`begin; lock table ${table} in access exclusive mode;
		do $$ begin for i in 1..3000 loop
			exit when exists (select from open_releases where name = '${release}');
			perform pg_sleep(0.01);
		end loop; end $$; commit`, { role: "postgres" });
	await until("the lock is held", async () => (await server.psql(
		`select count(*) from pg_locks where relation = '${table}'::regclass and mode = 'AccessExclusiveLock' and granted`, { role: "postgres" })) === "1");
	try {
		return await fn();
	} finally {
		await server.psql(`insert into open_releases values ('${release}')`, { role: "postgres" });
		await holding;
	}
}

const waiting = async (n) => until(`${n} statements wait for the lock`, async () => Number(await server.psql(
	"select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'open'", { role: "postgres" })) >= n);

test("requests that wait for the database live through a reload of the modules, also those that are not sent yet", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	const name = unique("dag");
	await client.create({ nodes: [{ name: "a" }] }, { name });
	const requests = [];
	await locked("open.dag_versions", async () => {
		// More than there are connections: some are sent, the others hold statements of a module in a queue.
		for (let i = 0; i < 60; i++) {
			requests.push(client.tryCreate({ nodes: [{ name: "a" }] }));
			requests.push(client.tryCreate({ nodes: [{ name: "a" }] }, { name }));
			requests.push(client.api("POST", `/api/v1/dags/${dag.id}/activate`));
			requests.push(client.tryStart(dag));
		}
		await waiting(8);
		await reload();
		await reload();
	});
	const answers = await Promise.all(requests);
	for (const [i, answer] of answers.entries()) {
		const expected = [201, 409, 200, 201][i % 4];
		assert.equal(answer.status, expected, `${i % 4}: ${answer.text}`);
		if (expected === 409) assert.deepEqual(answer.codes, ["name_taken"]);
	}
});

test("modules are reloaded again and again under load, and no request notices", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return context.i") }] });
	const big = { nodes: Array.from({ length: 2000 }, (_, i) => ({ name: `n${i}` })) };
	let over = false;
	const before = workers().map((w) => w.pid).sort();
	const load = Promise.all(Array.from({ length: 8 }, async (_, k) => {
		let n = 0;
		while (!over) {
			const answer = await [
				() => client.tryStart(dag, { i: n }),
				() => client.tryCreate({ ...big, description: undefined }),
				() => client.tryCreate({ nodes: [{ name: "" }] }),
				() => client.api("GET", "/api/v1/dags?page[size]=5"),
			][(n + k) % 4]();
			assert.ok([200, 201, 422].includes(answer.status), answer.text);
			n++;
		}
		return n;
	}));
	for (let i = 0; i < 10; i++) await reload();
	over = true;
	const counts = await load;
	assert.ok(counts.every((n) => n > 0), counts.join(" "));
	assert.deepEqual(workers().map((w) => w.pid).sort(), before, "no worker died");
});

test("clients that leave at any point of a waiting request disturb nobody", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	const text = JSON.stringify({ data: { type: "executions", relationships: { dag: { data: { type: "dags", id: dag.id } } } } });
	const leave = () => new Promise((resolve) => {
		const socket = net.connect(server.port, "127.0.0.1", () => {
			socket.write(`POST /api/v1/executions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client.token}\r\nContent-Type: ${JSONAPI}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
			setImmediate(() => socket.destroy());
		});
		socket.on("error", () => {});
		socket.on("close", resolve);
	});
	const before = workers().map((w) => w.pid).sort();
	let stayed = [];
	await locked("open.dag_versions", async () => {
		await Promise.all(Array.from({ length: 40 }, leave));
		const waits = Array.from({ length: 5 }, () => client.tryStart(dag));
		await Promise.all(Array.from({ length: 40 }, leave));
		await waiting(1);
		stayed = waits;
	});
	for (const answer of await Promise.all(stayed)) assert.equal(answer.status, 201, answer.text);
	const rows = () => server.rows(`select id, status from open.executions where dag_id = '${dag.id}'`);
	await until("whatever was started ends", async () => (await rows()).every((r) => r.status === "success"));
	assert.deepEqual(workers().map((w) => w.pid).sort(), before);
});

test("connections that PostgreSQL ends are replaced; what was prepared on them is prepared again", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	for (let i = 0; i < 5; i++) {
		await client.run(dag);
		await server.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'open'", { role: "postgres" });
		await until("it serves again", async () => (await client.tryStart(dag)).status === 201);
	}
	const rows = await server.rows(`select id from open.executions where dag_id = '${dag.id}'`);
	for (const { id } of rows) await client.finished(id);
});

test("starts whose connection breaks are either not there, or they end", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	for (let i = 0; i < 6; i++) {
		const starts = Array.from({ length: 20 }, () => client.tryStart(dag));
		await server.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'open' and state = 'active'", { role: "postgres" });
		for (const answer of await Promise.all(starts)) {
			assert.ok([201, 503].includes(answer.status), answer.text);
			if (answer.status === 201) await client.finished(answer.json.data.id);
		}
	}
	await until("no row is left alone", async () =>
		(await server.rows(`select count(*)::integer as n from open.executions where dag_id = '${dag.id}' and status in ('pending', 'running')`))[0].n === 0);
});

test("a changed schema under prepared statements is noticed, and nobody sees it", async () => {
	await client.get("/api/v1/dags");
	await server.psql("alter table open.dags alter column updated_at type timestamptz(3)");
	try {
		for (let i = 0; i < 20; i++) await client.get("/api/v1/dags");
	} finally {
		await server.psql("alter table open.dags alter column updated_at type timestamptz");
	}
	for (let i = 0; i < 20; i++) await client.get("/api/v1/dags");
});

test("a connection that was idle for long is not answered before it asks", async () => {
	const socket = net.connect(server.port, "127.0.0.1");
	let text = "";
	socket.on("data", (d) => (text += d));
	const ask = async (n) => {
		socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		await until("it is answered", () => text.split("HTTP/1.1 ").length === n + 1);
	};
	await ask(1);
	const begin = Date.now();
	await until("longer than a header may take", () => text.includes(" 408 ") || Date.now() - begin > 12000, { every: 250 });
	await ask(2);
	assert.doesNotMatch(text, /408/);
	socket.destroy();
});

test("answers of many megabytes come whole, also several at once", async () => {
	const size = 900 * 1000;
	const nodes = Array.from({ length: 12 }, (_, i) => ({ name: `n${i}`, ...lua(`return string.rep('${String.fromCharCode(97 + i)}', ${size})`) }));
	const dag = await client.active({ nodes });
	const e = await client.start(dag);
	await client.finished(e.id);
	const reads = Array.from({ length: 4 }, () => client.api("GET", `/api/v1/executions/${e.id}?include=node-executions`, { seconds: 60 }));
	for (const answer of await Promise.all(reads)) {
		assert.equal(answer.status, 200, answer.text.slice(0, 200));
		assert.ok(answer.text.length > 12 * size);
		for (const n of answer.json.included) {
			const i = n.attributes.node_index;
			assert.equal(n.attributes.result, String.fromCharCode(97 + i).repeat(size));
		}
	}
});

test("starts in an organization of 10,000 DAGs look up what they need, whatever was believed of the tables before", async () => {
	const own = await server.makeClient();
	const dag = await own.active({ nodes: [{ name: "a" }] });
	for (let i = 0; i < 40; i++) await own.start(dag); // The plans of the statement are made for a small organization.
	await server.psql(`
		insert into open.dags (organization_id, name) select '${own.org.id}', 'many-' || i from generate_series(1, 10000) i;
		insert into open.dag_versions (organization_id, dag_id, number, definition, definition_hash, node_names, plan, plan_hash)
		select d.organization_id, d.id, 1, v.definition, v.definition_hash, v.node_names, v.plan, v.plan_hash
		  from open.dags d, open.dag_versions v where v.dag_id = '${dag.id}' and d.organization_id = '${own.org.id}' and d.id <> '${dag.id}';
		update open.dags d set status = 'active', active_version_id = v.id from open.dag_versions v where v.dag_id = d.id and d.organization_id = '${own.org.id}'`);
	const many = await server.rows(`select id from open.dags where organization_id = '${own.org.id}' and name like 'many-77%'`);
	const read = async () => (await server.rows(`select sum(seq_tup_read)::bigint as rows, sum(idx_scan)::bigint as lookups
		from pg_stat_user_tables where schemaname = 'open' and relname in ('dags', 'dag_versions')`, { role: "postgres" }))[0];
	const before = await read();
	for (const { id } of many) assert.equal((await own.tryStart(id)).status, 201);
	const after = await until("the statistics are told", async () => {
		const now = await read();
		return now.lookups >= before.lookups + many.length * 2 && now;
	});
	assert.ok(after.rows - before.rows < many.length * 5000, `${after.rows - before.rows} rows were read one after another for ${many.length} starts`);
});
