// Who goes first, how much an organization may use at once, what it has used and when it is refused.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { delay, kill, lua, startServer, test, until } from "./harness.mjs";

let server;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
});
after(() => server?.stop());

const start = (client, dag, attributes = {}) => client.api("POST", "/api/v1/executions", {
	body: { data: { type: "executions", attributes, relationships: { dag: { data: { type: "dags", id: dag.id } } } } },
});

test("an execution's priority is what its start asks for, else its DAG's", async () => {
	const client = await server.makeClient();
	const dag = await client.active({ priority: -20, nodes: [{ name: "a" }] });
	const [version] = (await client.api("GET", `/api/v1/dag-versions?filter[dag]=${dag.id}`)).json.data;
	assert.equal(version.attributes.priority, -20);
	for (const [attributes, priority] of [[{}, -20], [{ priority: 100 }, 100], [{ priority: 0 }, 0]]) {
		const answer = await start(client, dag, attributes);
		assert.equal(answer.status, 201, answer.text);
		assert.equal(answer.json.data.attributes.priority, priority);
		assert.equal((await client.finished(answer.json.data.id)).attributes.priority, priority);
	}
	for (const priority of [101, -101, 1.5, "high"]) {
		const answer = await start(client, dag, { priority });
		assert.equal(answer.status, 422, answer.text);
		assert.equal(answer.json.errors[0].source.pointer, "/data/attributes/priority");
	}
	const run = (...more) => server.openctl(["run", dag.attributes.name, "--org", client.org.slug, "--wait", "--json", ...more]);
	assert.equal(JSON.parse((await run("--priority", "-7")).stdout).priority, -7);
	assert.equal(JSON.parse((await run()).stdout).priority, -20);
	const refused = await run("--priority", "300");
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /--priority is an integer from -100 to 100, not '300'/);
});

test("an organization's single execution does not wait for another's 5,000", { timeout: 240000 }, async () => {
	const flooded = await startServer({ env: { OPEN_WORKERS: "2" } });
	try {
		const [noisy, quiet] = [await flooded.makeClient(), await flooded.makeClient()];
		const work = lua("local n = 0 for i = 1, 2000000 do n = n + i end return n");
		const [flood, single] = [await noisy.active({ nodes: [{ name: "a", ...work }] }), await quiet.active({ nodes: [{ name: "a", ...work }] })];
		let sent = 0;
		const sender = async () => {
			while (sent++ < 5000) await noisy.start(flood);
		};
		await Promise.all(Array.from({ length: 32 }, sender));
		const { id } = await quiet.start(single);
		await quiet.finished(id, { seconds: 60 });
		const [{ waiting, ahead }] = await flooded.rows(`select count(*) filter (where f.completed_at is null) as waiting,
			count(*) filter (where f.completed_at between q.inserted_at and q.completed_at) as ahead
			from open.executions f, open.executions q where q.id = '${id}' and f.dag_id = '${flood.id}'`);
		assert.ok(waiting > 1000, `only ${waiting} of the flood were waiting`);
		// Those that computed when it came, and one turn of the organization on each worker.
		assert.ok(ahead <= 50, `${ahead} of the flood ended first`);
	} finally {
		await flooded.stop();
	}
});

const set = (client, ...settings) => server.ctl(["org", "set", ...settings, "--slug", client.org.slug]);
const statusOf = async (client, id) => (await client.execution(id)).attributes.status;

// How many of these intervals overlap at most. One that ends when another begins does not overlap it.
function most(intervals) {
	const steps = intervals.flatMap(([begin, end]) => [[begin, 1], [end, -1]]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
	let now = 0;
	return steps.reduce((best, [, step]) => Math.max(best, now += step), 0);
}

// Of all nodes of these executions that ran, or (nodes false) of the executions: how many at once.
async function atOnce(ids, { nodes = true, name = "%" } = {}) {
	const list = ids.map((id) => `'${id}'`).join(",");
	const us = (column) => `(extract(epoch from ${column}) * 1000000)::bigint`;
	const rows = await server.rows(nodes
		? `select ${us("started_at")} as begin, ${us("completed_at")} as end from open.node_executions where execution_id in (${list}) and node_name like '${name}'`
		: `select ${us("started_at")} as begin, ${us("completed_at")} as end from open.executions where id in (${list})`);
	return most(rows.map((r) => [r.begin, r.end]));
}

test("max_executions lets so many run at once over all workers, the others stay pending", async () => {
	const client = await server.makeClient();
	await set(client, "max_executions=3");
	const dag = await client.active({ nodes: [{ name: "a", ...delay("150ms") }] });
	const ids = await Promise.all(Array.from({ length: 12 }, async () => (await client.start(dag)).id));
	assert.ok((await Promise.all(ids.map((id) => statusOf(client, id)))).includes("pending"));
	for (const id of ids) assert.equal((await client.finished(id)).attributes.status, "success");
	assert.equal(await atOnce(ids, { nodes: false }), 3);
});

test("max_nodes and pools limit nodes across DAGs, executions and workers, the others stay pending", async () => {
	const client = await server.makeClient();
	await set(client, "max_nodes=4", 'pools={"gpu": 2}');
	const wide = (extra) => ({ nodes: Array.from({ length: 6 }, (_, i) => ({ name: `n${i}`, ...delay("40ms"), ...extra })) });
	const [pooled, free] = [await client.active(wide({ pool: "gpu" })), await client.active(wide({}))];
	const start = async (dag) => (await client.start(dag)).id;
	const ids = { pooled: await Promise.all([1, 2, 3].map(() => start(pooled))), free: await Promise.all([1, 2, 3].map(() => start(free))) };
	const all = [...ids.pooled, ...ids.free];
	for (const id of all) assert.equal((await client.finished(id)).attributes.status, "success");
	assert.equal(await atOnce(ids.pooled), 2);
	assert.equal(await atOnce(all), 4);
	const [elements] = [await client.active({ nodes: [{ name: "e", for_each: [1, 2, 3, 4, 5, 6, 7], concurrency: 7, pool: "gpu", ...lua("return item") }] })];
	const { nodes } = await client.run(elements);
	assert.deepEqual(nodes.e.result, [1, 2, 3, 4, 5, 6, 7]);
});

test("what waits for a place can be cancelled, and goes on when the limit is raised", async () => {
	const client = await server.makeClient();
	await set(client, "max_executions=1", 'pools={"one": 1}');
	const [long, short] = [await client.active({ nodes: [{ name: "a", pool: "one", ...delay("1h") }] }), await client.active({ nodes: [{ name: "a" }] })];
	const holder = await client.start(long);
	// What another worker starts meanwhile may take the place first.
	await until("the first runs", async () => await statusOf(client, holder.id) === "running");
	const [cancelled, waiting] = [await client.start(short), await client.start(short)];
	assert.equal(await statusOf(client, cancelled.id), "pending");
	await client.cancel(cancelled.id);
	assert.equal((await client.finished(cancelled.id)).attributes.status, "cancelled");
	assert.equal(await statusOf(client, waiting.id), "pending");
	await set(client, "max_executions=null");
	assert.equal((await client.finished(waiting.id)).attributes.status, "success");
	// A node that waits for its pool goes on when that is larger, and fails when there is none any more.
	const brief = await client.active({ nodes: [{ name: "a", pool: "one", ...delay("20ms") }] });
	const [second, third] = [await client.start(brief), await client.start(brief)];
	await until("it runs", async () => await statusOf(client, third.id) === "running");
	assert.equal((await client.withNodes(second.id)).nodes.a.status, "pending");
	await set(client, 'pools={"one": 2}');
	for (const { id } of [second, third]) assert.equal((await client.finished(id)).attributes.status, "success");
	const other = await client.start(long);
	await until("it runs", async () => await statusOf(client, other.id) === "running");
	const last = await client.start(brief);
	await until("it runs", async () => await statusOf(client, last.id) === "running");
	await set(client, "pools=null");
	const { attributes } = await client.finished(last.id);
	assert.equal(attributes.status, "failed");
	assert.match(attributes.error_message, /no pool "one"/);
	const refused = await client.tryStart(long);
	assert.deepEqual([refused.status, ...refused.codes], [409, "unknown_pool"]);
	for (const { id } of [holder, other]) await client.cancel(id);
});

test("what waits for its child or for a signal holds no place", async () => {
	const client = await server.makeClient();
	await set(client, "max_executions=1", "max_nodes=1", 'pools={"p": 1}');
	await client.active({ nodes: [{ name: "a", pool: "p", ...lua("return 7") }] }, { name: "leaf" });
	await client.active({ nodes: [{ name: "b", pool: "p", op: "dag", with: { name: "leaf" } }] }, { name: "middle" });
	const top = await client.active({ nodes: [{ name: "c", pool: "p", op: "dag", with: { name: "middle" } }] }, { name: "top" });
	const { execution } = await client.run(top);
	assert.equal(execution.attributes.status, "success", JSON.stringify(execution.attributes));
});

test("a worker that is killed takes no place with it", async () => {
	const client = await server.makeClient();
	await set(client, "max_executions=6", "max_nodes=3", 'pools={"p": 2}');
	const dag = await client.active({ nodes: Array.from({ length: 8 }, (_, i) => ({ name: `n${i}`, ...delay("30ms"), ...(i % 2 ? { pool: "p" } : {}) })) });
	for (let round = 0; round < 3; round++) {
		const ids = await Promise.all(Array.from({ length: 12 }, async () => (await client.start(dag)).id));
		const workers = await server.workers();
		kill(workers[round % workers.length]);
		for (const id of ids) assert.equal((await client.finished(id, { seconds: 60 })).attributes.status, "success");
		await server.ready?.();
	}
	const ids = await Promise.all(Array.from({ length: 12 }, async () => (await client.start(dag)).id));
	for (const id of ids) assert.equal((await client.finished(id, { seconds: 60 })).attributes.status, "success");
	assert.equal(await atOnce(ids), 3); // all of them are back, and no more
	assert.equal(await atOnce(ids, { name: "n_" }), 3);
	assert.ok(await atOnce(ids, { nodes: false }) <= 6);
});

test("a pool that was just made is there for the execution that is started next", async () => {
	const client = await server.makeClient();
	const run = async (name) => {
		const file = server.write(`${name}.yaml`, `name: ${name}\nnodes:\n  - {name: a, pool: ${name}, op: lua, with: {script: "return 1"}}\n`);
		await server.ctl(["dag", "import", file, "--org", client.org.slug, "--activate"]);
		return server.openctl(["run", name, "--org", client.org.slug, "--wait"]);
	};
	for (let i = 0; i < 10; i++) {
		await server.ctl(["org", "set", `pools={"p${i}": 1}`, "--slug", client.org.slug]);
		const { code, stdout, stderr } = await run(`p${i}`);
		assert.equal(code, 0, `${i}: ${stdout}${stderr}`);
	}
});

test("limits and quotas that make no sense are refused with their word", async () => {
	const client = await server.makeClient();
	for (const word of ["max_executions=0", 'max_nodes="many"', 'pools={"a b": 1}', 'pools={"a": 0}', "pools=[1]", "compute_quota=-1", "storage_quota=1.5"]) {
		const { code, stderr } = await server.openctl(["org", "set", word, "--slug", client.org.slug]);
		assert.equal(code, 1, word);
		assert.ok(stderr.includes(word), stderr);
	}
	const refused = await client.tryCreate({ nodes: [{ name: "a", pool: "nowhere" }] });
	assert.deepEqual([refused.status, ...refused.codes], [422, "unknown_pool"]);
	assert.equal(refused.json.errors[0].source.pointer, "/data/attributes/definition/nodes/0/pool");
});

test("CPU time is metered for what computes, also where it fails, and charged to the organization", async () => {
	const client = await server.makeClient();
	const script = "local n = 0 for i = 1, 20000000 do n = n + i end ";
	const spent = async (nodes) => (await client.runDefinition({ nodes })).execution.attributes.compute_ms;
	const idle = await spent([{ name: "a", ...delay("300ms") }]);
	const one = await spent([{ name: "a", ...lua(`${script} return n`) }]);
	const three = await spent([0, 1, 2].map((i) => ({ name: `a${i}`, ...lua(`${script} return n`) })));
	const failing = await spent([{ name: "a", retry: { limit: 2, backoff: "1ms" }, ...lua(`${script} error("no")`) }]);
	const command = (line) => spent([{ name: "a", op: "command", with: { shell: line } }]);
	const [resting, busy] = [await command("sleep 0.3"), await command("(i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; :); :")];
	assert.ok(idle < one / 4, `${idle} ${one}`);
	assert.ok(busy > resting * 4, `${busy} ${resting}`);
	assert.ok(three > one * 1.5 && three < one * 8, `${one} ${three}`);
	assert.ok(failing > one * 0.5, `${one} ${failing}`);
	const all = idle + one + three + failing + resting + busy;
	const { attributes } = await client.get(`/api/v1/organizations/${client.org.id}`);
	assert.ok(Math.abs(attributes.compute_used_ms - all) < 0.01 * all + 1, `${attributes.compute_used_ms} ${all}`);
	assert.equal(attributes.month_executions, 6);
	assert.equal(attributes.total_executions, 6);
	assert.ok(attributes.storage_used_bytes > 0);
});

test("over a quota new executions are refused before any row, and start again when it is raised", async () => {
	const client = await server.makeClient();
	const other = await server.makeClient();
	const dag = await client.active({ nodes: [{ name: "a" }] });
	for (const quota of ["compute_quota", "storage_quota"]) {
		await set(client, `${quota}=0`);
		const refused = await until("it is refused", async () => {
			const answer = await client.tryStart(dag);
			return answer.status !== 201 && answer;
		});
		assert.deepEqual([refused.status, ...refused.codes], [429, `${quota}_exceeded`]);
		assert.match(refused.json.errors[0].detail, /when .*the quota is raised/);
		const before = await server.psql(`select count(*) from open.executions where dag_id = '${dag.id}'`);
		assert.equal((await client.tryStart(dag)).status, 429);
		assert.equal(await server.psql(`select count(*) from open.executions where dag_id = '${dag.id}'`), before);
		const run = await server.openctl(["run", dag.attributes.name, "--org", client.org.slug]);
		assert.equal(run.code, 1);
		assert.match(run.stderr, new RegExp(`used up its ${quota}`));
		await set(client, `${quota}=null`);
		await until("it starts again", async () => (await client.tryStart(dag)).status === 201);
	}
	assert.match(await server.ctl(["org", "usage", client.org.slug]), /EXCEEDED/);
	const foreign = await other.api("GET", `/api/v1/organizations/${client.org.id}`);
	assert.deepEqual([foreign.status, ...foreign.codes], [404, "organization_not_found"]);
	assert.deepEqual((await other.api("GET", "/api/v1/organizations")).json.data.map((o) => o.id), [other.org.id]);
});
