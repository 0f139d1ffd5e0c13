// Rerun: an execution again, whole or in part. Every node asks a server of ours, which counts: what is kept isn't asked again.
import assert from "node:assert/strict";
import http from "node:http";
import { before, after } from "node:test";
import { delay, instant, recordFaults, soundRecord, startServer, test, until } from "./harness.mjs";

let server;
let client;
let peer;
let hits = {};
let failing = new Set(); // Paths that are answered 500.
let hold = null; // A promise that answers wait for.

before(async () => {
	peer = http.createServer(async (request, response) => {
		const path = request.url.slice(1);
		hits[path] = (hits[path] ?? 0) + 1;
		await hold;
		response.writeHead(failing.has(path) ? 500 : 200, { "content-type": "application/json" });
		response.end(JSON.stringify({ path, hit: hits[path] }));
	});
	await new Promise((resolve) => peer.listen(0, "127.0.0.1", resolve));
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
	client = await server.makeClient();
	await server.ctl(["org", "set", "allow_private_addresses=true", "--slug", client.org.slug]);
});
after(async () => {
	peer?.close();
	await server?.stop();
});

const ask = (name, path, more = {}) => ({ name, op: "http", with: { url: `http://127.0.0.1:${peer.address().port}/${path}` }, ...more });
const rerun = (id, attributes, by = client) =>
	by.api("POST", `/api/v1/executions/${id}/rerun`, attributes === undefined ? {} : { body: { data: { type: "executions", attributes } } });
const statuses = (nodes) => Object.fromEntries(Object.entries(nodes).map(([name, n]) => [name, n.status]));
const times = (n) => [n.started_at, n.completed_at].map(instant);
// a → b → d, a → c → d, d → e (all_done), f alone and skipped.
const diamond = (p, more = {}) => ({
	...more,
	nodes: [ask("a", `${p}a`), ask("b", `${p}b`, { dependencies: ["a"] }), ask("c", `${p}c`, { dependencies: ["a"] }),
		{ ...ask("d", `${p}d`, { dependencies: ["b", "c"] }), with: { url: `http://127.0.0.1:${peer.address().port}/${p}d`, query: { b: "${{ nodes.b.result.body.hit }}", c: "${{ nodes.c.result.body.hit }}" } } },
		ask("e", `${p}e`, { dependencies: ["d"], trigger: "all_done" }), ask("f", `${p}f`, { when: "context.no" })],
});

async function done(answer) {
	assert.equal(answer.status, 201, answer.text);
	const { id } = answer.json.data;
	assert.match(answer.headers.get("location"), new RegExp(`/api/v1/executions/${id}$`));
	await client.finished(id);
	assert.deepEqual(await recordFaults(server, [id]).then(({ twice, undecided }) => ({ twice, undecided })), { twice: [], undecided: [] });
	return client.withNodes(id);
}

const history = async (id) => (await server.rows(`select n.node_name, n.status, n.started_at, n.completed_at, n.result, n.retry_count
	from open.node_executions n where execution_id = '${id}'`));

test("from the beginning all nodes run again, as a new execution of the same version that names its origin", async () => {
	hits = {};
	const dag = await client.active(diamond("w"));
	const { execution } = await client.run(dag, { word: "hello" });
	await client.update(dag.id, { definition: { nodes: [{ name: "other" }] } });
	await client.activate(dag.id);
	const again = await done(await rerun(execution.id));
	assert.notEqual(again.execution.id, execution.id);
	assert.deepEqual(again.execution.relationships.origin.data, { type: "executions", id: execution.id });
	assert.equal(execution.relationships.origin.data, null);
	assert.deepEqual(again.execution.relationships["dag-version"].data, execution.relationships["dag-version"].data);
	assert.deepEqual(again.execution.attributes.context, { word: "hello" });
	assert.equal(again.execution.attributes.status, "success");
	assert.deepEqual(hits, { wa: 2, wb: 2, wc: 2, "wd?b=1&c=1": 1, "wd?b=2&c=2": 1, we: 2 });
	const other = await done(await rerun(again.execution.id, { context: { no: true }, metadata: { by: "test" } }));
	assert.deepEqual(other.execution.attributes.context, { no: true });
	assert.deepEqual(other.execution.attributes.metadata, { by: "test" });
	assert.equal(hits.wf, 1);
});

test("named nodes and their descendants run again, with the results of the others, which keep their times", async () => {
	hits = {};
	const { execution, nodes } = await client.runDefinition(diamond("n"));
	const again = await done(await rerun(execution.id, { nodes: ["c"] }));
	assert.deepEqual(hits, { na: 1, nb: 1, nc: 2, "nd?b=1&c=1": 1, "nd?b=1&c=2": 1, ne: 2 });
	for (const kept of ["a", "b", "f"]) assert.deepEqual(again.nodes[kept], nodes[kept], kept);
	for (const run of ["c", "d", "e"]) assert.ok(times(again.nodes[run])[0] > times(nodes[run])[1], run);
	const { attributes } = again.execution;
	assert.deepEqual([attributes.status, attributes.succeeded_nodes, attributes.failed_nodes, attributes.total_nodes], ["success", 5, 0, 6]);
	assert.ok(instant(attributes.started_at) > instant(execution.attributes.completed_at));
	assert.ok(attributes.duration_ms > 0);
	// And again, from the rerun; all at once.
	const both = await done(await rerun(again.execution.id, { nodes: ["e", "f", "e"] }));
	assert.equal(hits.ne, 3);
	assert.equal(hits.nc, 2);
	assert.equal(both.execution.relationships.origin.data.id, again.execution.id);
	assert.deepEqual(both.nodes.c, again.nodes.c);
});

test("from failed: what failed, was cancelled or was skipped because of it runs again, the rest is kept", async () => {
	hits = {};
	failing = new Set(["xb"]);
	const dag = await client.active({ nodes: [ask("a", "xa"), ask("b", "xb", { dependencies: ["a"], retry: { limit: 2, backoff: "1ms" } }), ask("c", "xc", { dependencies: ["b"] }),
		ask("cleanup", "xcleanup", { dependencies: ["c"], trigger: "all_done" }), ask("flaky", "xflaky", { retry: { limit: 1, backoff: "1ms" } })] });
	failing.add("xflaky");
	const { id } = await client.start(dag);
	await until("flaky was tried", () => hits.xflaky > 0);
	failing.delete("xflaky");
	await client.finished(id);
	const first = await client.withNodes(id);
	assert.deepEqual(statuses(first.nodes), { a: "success", b: "failed", c: "skipped", cleanup: "success", flaky: first.nodes.flaky.status });
	const flaky = hits.xflaky;
	// It fails again: then the rerun is the origin of another one.
	const second = await done(await rerun(id, { from: "failed" }));
	assert.equal(second.execution.attributes.status, "failed");
	failing.clear();
	const third = await done(await rerun(second.execution.id, { from: "failed" }));
	assert.deepEqual(statuses(third.nodes), { a: "success", b: "success", c: "success", cleanup: "success", flaky: "success" });
	assert.equal(third.execution.attributes.status, "success");
	assert.equal(third.execution.attributes.succeeded_nodes, 5);
	assert.equal(third.execution.attributes.failed_nodes, 0);
	assert.deepEqual([hits.xa, hits.xb, hits.xc, hits.xcleanup], [1, 7, 1, 3]);
	if (first.nodes.flaky.status === "success") assert.equal(hits.xflaky, flaky);
	assert.deepEqual(third.nodes.a, first.nodes.a);
	const nothing = await rerun(third.execution.id, { from: "failed" });
	assert.equal(nothing.status, 409);
	assert.deepEqual(nothing.codes, ["nothing_to_rerun"]);
});

test("a cancelled execution is run on from where it was stopped", async () => {
	hits = {};
	const dag = await client.active({ nodes: [ask("a", "ca"), { name: "long", dependencies: ["a"], ...delay("1s") }, ask("after", "cafter", { dependencies: ["long"] })] });
	const { id } = await client.start(dag);
	await until("a is recorded", async () => (await client.withNodes(id)).nodes.a.status === "success");
	await client.cancel(id);
	assert.equal((await client.finished(id)).attributes.status, "cancelled");
	const again = await done(await rerun(id, { from: "failed" }));
	assert.deepEqual(statuses(again.nodes), { a: "success", long: "success", after: "success" });
	assert.deepEqual(hits, { ca: 1, cafter: 1 });
});

test("what the database copies is what was there, attempts and all, and is never run again, through a crash too", async () => {
	hits = {};
	failing = new Set(["ka"]);
	const dag = await client.active({ nodes: [ask("a", "ka", { retry: { limit: 50, backoff: "20ms", factor: 1 } }), ask("b", "kb", { dependencies: ["a"] }), ask("c", "kc", { dependencies: ["b"] })] });
	const { id } = await client.start(dag);
	await until("a was tried again", () => hits.ka >= 3);
	failing.clear();
	await client.finished(id);
	const before = (await history(id)).filter((n) => n.node_name !== "c");
	assert.ok(before.find((n) => n.node_name === "a").retry_count >= 2);
	let answer;
	hold = new Promise((resolve) => (answer = resolve));
	const tried = hits.ka;
	const posted = await rerun(id, { nodes: ["c"] });
	assert.equal(posted.status, 201, posted.text);
	const again = posted.json.data.id;
	await until("c is asked again", () => hits.kc === 2);
	assert.deepEqual((await history(again)).filter((n) => n.node_name !== "c"), before);
	const rows = (x) => server.rows(`select u.node, u.state, u.attempt, u.result, u.error, r.base_at + u.started * interval '1 microsecond' as started
		from open.node_history r cross join lateral unnest(r.nodes, r.states, r.attempts, r.results, r.errors, r.started) as u(node, state, attempt, result, error, started)
		where r.execution_id = '${x}' and u.node < 2 order by r.first`);
	assert.deepEqual(await rows(again), await rows(id));
	await server.crash();
	answer();
	hold = null;
	await server.start();
	assert.equal((await client.finished(again)).attributes.status, "success");
	assert.deepEqual([hits.ka, hits.kb], [tried, 1]);
	assert.deepEqual(await recordFaults(server, [again]), soundRecord);
});

test("what can't be run again is refused, with its reason and place", async () => {
	hits = {};
	const dag = await client.active({ nodes: [ask("a", "ra"), { name: "long", dependencies: ["a"], ...delay("1h") }] });
	const { id } = await client.start(dag);
	for (const attributes of [undefined, { nodes: ["a"] }, { from: "failed" }]) {
		const answer = await rerun(id, attributes);
		assert.equal(answer.status, 409, answer.text);
		assert.deepEqual(answer.codes, ["execution_not_ended"]);
	}
	await client.cancel(id);
	await client.finished(id);
	for (const [attributes, code, pointer] of [
		[{ nodes: ["a", "nobody"] }, "unknown_node", "/data/attributes/nodes/1"], [{ nodes: [] }, "missing_nodes", "/data/attributes/nodes"],
		[{ nodes: ["a", 7] }, "invalid_type", "/data/attributes/nodes/1"], [{ nodes: "a" }, "invalid_type", "/data/attributes/nodes"],
		[{ from: "here" }, "invalid_value", "/data/attributes/from"], [{ from: "failed", nodes: ["a"] }, "ambiguous_rerun", "/data/attributes/from"],
		[{ from: "failed", context: {} }, "context_not_allowed", "/data/attributes/context"], [{ colour: "red" }, "unknown_attribute", "/data/attributes/colour"],
		[{ context: [] }, "invalid_type", "/data/attributes/context"], [{ context: { x: "x".repeat(1 << 20) } }, "context_too_large", "/data/attributes/context"],
	]) {
		const answer = await rerun(id, attributes);
		assert.equal(answer.status, 422, `${JSON.stringify(attributes).slice(0, 100)}: ${answer.text}`);
		assert.deepEqual(answer.codes, [code]);
		assert.equal(answer.json.errors[0].source.pointer, pointer);
	}
	assert.equal((await rerun("0197f000-0000-7000-8000-000000000000")).status, 404);
	assert.equal((await rerun("0197f000-0000-7000-8000-000000000000", { from: "failed" })).status, 404);
	const stranger = await server.makeClient();
	for (const attributes of [undefined, { nodes: ["a"] }]) assert.equal((await rerun(id, attributes, stranger)).status, 404);
	await client.api("POST", `/api/v1/dags/${dag.id}/archive`);
	assert.deepEqual((await rerun(id)).codes, ["dag_not_active"]);
	const [{ n }] = await server.rows(`select count(*)::integer as n from open.executions where origin_id = '${id}'`);
	assert.equal(n, 0);
});

test("an op that the organization has forbidden since isn't run again", async () => {
	const { execution } = await client.runDefinition({ nodes: [{ name: "a", op: "command", with: { shell: "true" } }, { name: "b" }] });
	await server.allowCommands(client.org.slug, false);
	for (const attributes of [undefined, { nodes: ["b"] }]) {
		const answer = await rerun(execution.id, attributes);
		assert.equal(answer.status, 403, answer.text);
		assert.deepEqual(answer.codes, ["op_not_allowed"]);
	}
	await server.allowCommands(client.org.slug, true);
});

test("an execution without history is only run again from the beginning", async () => {
	hits = {};
	const { execution } = await client.runDefinition(diamond("m", { durability: "memory" }));
	for (const attributes of [{ nodes: ["a"] }, { from: "failed" }]) {
		const answer = await rerun(execution.id, attributes);
		assert.equal(answer.status, 409);
		assert.deepEqual(answer.codes, ["no_history"]);
	}
	const answer = await rerun(execution.id);
	assert.equal(answer.status, 201, answer.text);
	assert.equal((await client.finished(answer.json.data.id)).attributes.status, "success");
	assert.equal(hits.ma, 2);
});

test("a rerun of a sync execution keeps the frontiers that are committed", async () => {
	hits = {};
	const { execution } = await client.runDefinition(diamond("s", { durability: "sync" }));
	const again = await done(await rerun(execution.id, { nodes: ["b"] }));
	assert.equal(again.execution.attributes.status, "success");
	assert.deepEqual([hits.sa, hits.sb, hits.sc, hits.se], [1, 2, 1, 2]);
});

test("a fan-out that is kept keeps its elements, one that runs again makes new ones", async () => {
	hits = {};
	failing = new Set(["gb1"]);
	const each = (name, more = {}) => ({ name, for_each: "${{ context.items }}", op: "http",
		with: { url: `http://127.0.0.1:${peer.address().port}/g${name}\${{ item }}` }, ...more });
	const { execution, nodes } = await client.runDefinition({
		nodes: [each("a"), each("b", { dependencies: ["a"], concurrency: 1 }), { name: "sum", dependencies: ["b"], op: "lua", with: { script: "return #nodes.a.result + #nodes.b.result" } }] }, { items: [0, 1, 2] });
	assert.deepEqual([nodes.a.status, nodes.b.status], ["success", "failed"]);
	failing.clear();
	const again = await client.api("POST", `/api/v1/executions/${execution.id}/rerun`, { body: { data: { type: "executions", attributes: { from: "failed" } } } });
	assert.equal(again.status, 201, again.text);
	const { id } = again.json.data;
	assert.equal((await client.finished(id)).attributes.status, "success");
	assert.equal((await client.withNodes(id)).nodes.sum.result, 6);
	assert.deepEqual([hits.ga0, hits.ga1, hits.ga2, hits.gb0, hits.gb1, hits.gb2 ?? 0], [1, 1, 1, 2, 2, 1]);
	const rows = (x) => server.rows(`select u.state, u.element, u.attempt, u.result, r.base_at + u.completed * interval '1 microsecond' as completed
		from open.node_history r cross join lateral unnest(r.nodes, r.states, r.elements, r.attempts, r.results, r.completed) as u(node, state, element, attempt, result, completed)
		where r.execution_id = '${x}' and u.node = 0 order by u.element nulls last, u.state`);
	const kept = await rows(execution.id);
	assert.ok(kept.filter((r) => r.element !== null).length >= 3);
	assert.deepEqual(await rows(id), kept);
});

test("twenty reruns of a large execution at once keep what is kept", async () => {
	const width = 500;
	const nodes = [{ name: "root" }, ...Array.from({ length: width }, (_, i) => ({ name: `n${i}`, dependencies: ["root"], op: "lua", with: { script: `return ${i}` } })),
		{ name: "last", dependencies: Array.from({ length: width }, (_, i) => `n${i}`), op: "lua", with: { script: `return nodes.n7.result + nodes.n499.result` } }];
	const { execution } = await client.runDefinition({ nodes });
	const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => rerun(execution.id, { nodes: [`n${i}`] })));
	for (const answer of answers) {
		const again = await done(answer);
		assert.equal(again.execution.attributes.status, "success");
		assert.equal(again.execution.attributes.succeeded_nodes, width + 2);
		assert.equal(again.nodes.last.result, 506);
	}
});

test("openctl runs an execution again, whole, in part, and from what failed", async () => {
	hits = {};
	failing = new Set(["ob"]);
	const { execution } = await client.runDefinition(diamond("o"));
	failing.clear();
	const some = JSON.parse(await server.ctl(["execution", "rerun", execution.id, "--nodes", "e,f", "--wait", "--json"]).catch(async () =>
		JSON.stringify((await server.rows(`select id, status from open.executions where origin_id = '${execution.id}'`))[0])));
	assert.equal(some.status, "failed"); // b's failure is kept.
	assert.deepEqual([hits.oa, hits.ob, hits.oe], [1, 1, 2]);
	const shown = JSON.parse(await server.ctl(["execution", "rerun", execution.id, "--failed", "--wait", "--json"]));
	assert.equal(shown.status, "success");
	assert.equal(shown.origin, execution.id);
	assert.deepEqual([hits.oa, hits.ob, hits.oc], [1, 2, 1]);
	const id = await server.ctl(["execution", "rerun", execution.id]);
	assert.equal((await client.finished(id)).attributes.status, "success");
	assert.equal(hits.oa, 2);
	for (const [args, text] of [[[id, "--failed"], /no node of the execution failed/], [[id, "--nodes", "a,nobody"], /no node 'nobody'/]]) {
		const { code, stderr } = await server.openctl(["execution", "rerun", ...args]);
		assert.equal(code, 1);
		assert.match(stderr, text);
	}
	assert.equal((await server.openctl(["execution", "rerun", id, "--failed", "--nodes", "a"])).code, 2);
	assert.equal((await server.openctl(["execution", "rerun", "x"])).code, 2);
	assert.equal((await server.openctl(["execution", "rerun"])).code, 2);
});
