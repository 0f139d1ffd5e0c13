// Nodes that wait for signals and times: approvals over REST, signals early, twice, late and lost, and every death in
// between.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { kill, startServer, test, until } from "./harness.mjs";

let server;
let client;
before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
	client = await server.makeClient();
});
after(() => server?.stop());

const wait = (name, params, more = {}) => ({ name, op: "wait_for", with: params, ...more });
const definition = (...nodes) => ({ nodes });

const send = (id, name, value, { as = client, headers } = {}) => as.api("POST", `/api/v1/executions/${id}/signals`, {
	headers,
	body: { data: { type: "signals", attributes: value === undefined ? { name } : { name, value } } },
});

async function sent(...args) {
	const answer = await send(...args);
	assert.equal(answer.status, 201, answer.text);
	return answer.json.data;
}

// Once the node waits, as far as everybody knows.
const waits = (id, count = 1) => until("it waits", async () =>
	(await server.rows(`select from open.waits where execution_id = '${id}'`)).length === count);

test("an approval: the node waits, a member sends it, the result tells what and who", async () => {
	const dag = await client.active(definition(
		wait("approval", { signal: "approved" }),
		{ name: "after", op: "lua", dependencies: ["approval"], with: { script: "return nodes.approval.result.value.amount * 2" } }));
	const { id } = await client.start(dag, {});
	await waits(id);
	const signal = await sent(id, "approved", { amount: 21, note: "f\u00fcr \"Zoë\"" });
	assert.equal(signal.attributes.delivered, true);
	assert.equal(signal.attributes.name, "approved");
	assert.deepEqual(signal.attributes.value, { amount: 21, note: "f\u00fcr \"Zoë\"" });
	await client.finished(id);
	const { execution, nodes } = await client.withNodes(id);
	assert.equal(execution.attributes.status, "success");
	assert.equal(nodes.after.result, 42);
	const { result } = nodes.approval;
	assert.deepEqual(result.value, { amount: 21, note: "f\u00fcr \"Zoë\"" });
	assert.equal(result.signal, "approved");
	assert.equal(result.by.email, client.user.email);
	assert.match(result.sent_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
	const list = await client.get(`/api/v1/executions/${id}/signals?fields[signals]=name,value,taken_node,taken_attempt,delivered,sent-by`);
	assert.equal(list.length, 1);
	assert.equal(list[0].attributes.taken_node, "approval");
	assert.equal(list[0].attributes.taken_attempt, 1);
	assert.deepEqual(list[0].attributes.value, { amount: 21, note: "f\u00fcr \"Zoë\"" });
	assert.deepEqual(await client.get(`/api/v1/signals/${list[0].id}?fields[signals]=taken_node`).then((s) => s.attributes), { taken_node: "approval" });
	assert.deepEqual(await server.rows(`select from open.waits where execution_id = '${id}'`), []);
});

test("a signal that comes before the node waits is kept for it", async () => {
	const dag = await client.active(definition(wait("first", { signal: "go" }), wait("second", { signal: "early" }, { dependencies: ["first"] })));
	const { id } = await client.start(dag, {});
	await waits(id);
	assert.equal((await sent(id, "early", 5)).attributes.delivered, false);
	assert.equal((await sent(id, "go")).attributes.delivered, true);
	await client.finished(id);
	const { nodes } = await client.withNodes(id);
	assert.equal(nodes.second.result.value, 5);
	assert.equal(nodes.first.result.value, null);
});

test("each signal wakes one node, in the order in which they were sent", async () => {
	const dag = await client.active(definition(wait("a", { signal: "next" }), wait("b", { signal: "next" })));
	const { id } = await client.start(dag, {});
	await waits(id, 2);
	await sent(id, "next", 1);
	await until("one is awake", async () => (await client.get(`/api/v1/executions/${id}/signals`))[0].attributes.taken_node !== null);
	assert.equal((await client.execution(id)).attributes.status, "running");
	assert.equal((await server.rows(`select from open.waits where execution_id = '${id}'`)).length, 1);
	await sent(id, "next", 2);
	assert.equal((await sent(id, "next", 3).catch(() => null))?.attributes.delivered ?? false, false, "a third finds nobody");
	await client.finished(id);
	const { nodes } = await client.withNodes(id);
	assert.deepEqual([nodes.a.result.value, nodes.b.result.value].sort(), [1, 2]);
});

test("with the same Idempotency-Key it is one signal; another one with that key is refused", async () => {
	const dag = await client.active(definition(wait("a", { signal: "x" }), wait("b", { signal: "end" })));
	const { id } = await client.start(dag, {});
	await waits(id, 2);
	const headers = { "idempotency-key": "k1" };
	const one = await sent(id, "x", { a: 1 }, { headers });
	assert.equal((await sent(id, "x", { a: 1 }, { headers })).id, one.id);
	assert.deepEqual((await send(id, "x", { a: 2 }, { headers })).codes, ["idempotency_key_reused"]);
	assert.deepEqual((await send(id, "x", 1, { headers: { "idempotency-key": "k 1" } })).codes, ["invalid_idempotency_key"]);
	assert.equal((await client.get(`/api/v1/executions/${id}/signals`)).length, 1);
	await sent(id, "end");
	await client.finished(id);
	assert.equal((await sent(id, "x", { a: 1 }, { headers })).id, one.id, "also after the end");
});

test("to an execution that has ended, that there isn't, or with a bad body: refused", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	const { execution: { id } } = await client.run(dag, {});
	const late = await send(id, "x");
	assert.equal(late.status, 409);
	assert.deepEqual(late.codes, ["execution_ended"]);
	const none = await send("0199a1b2-0000-7000-8000-000000000000", "x");
	assert.equal(none.status, 404);
	assert.equal((await send("nonsense", "x")).status, 404);
	for (const name of ["", "a b", "ä", "x".repeat(65), "a/b"]) {
		const answer = await send(id, name);
		assert.equal(answer.status, 422, name);
		assert.deepEqual(answer.codes, ["invalid_name"]);
	}
	assert.deepEqual((await send(id, "x", "y".repeat(1 << 20))).codes, ["value_too_large"]);
	const missing = await client.api("POST", `/api/v1/executions/${id}/signals`, { body: { data: { type: "signals", attributes: {} } } });
	assert.equal(missing.status, 422);
});

test("an execution keeps only so many signals that nobody takes", async () => {
	const dag = await client.active(definition(wait("a", { signal: "x" })));
	const { id } = await client.start(dag, {});
	await waits(id);
	await server.psql(`insert into open.signals (id, organization_id, execution_id, name, value, delivered)
		select open.uuid_v7(), '${client.org.id}', '${id}', 'y', 'null', false from generate_series(1, 10000)`);
	const refused = await send(id, "x");
	assert.equal(refused.status, 409);
	assert.deepEqual(refused.codes, ["too_many_signals"]);
	await server.psql(`delete from open.signals where execution_id = '${id}' and name = 'y' and position % 2 = 0`);
	await sent(id, "x");
	await client.finished(id);
});

test("another organization finds neither the execution nor its signals", async () => {
	const other = await server.makeClient();
	const dag = await client.active(definition(wait("a", { signal: "x" })));
	const { id } = await client.start(dag, {});
	await waits(id);
	const refused = await send(id, "x", 1, { as: other });
	assert.equal(refused.status, 404);
	assert.deepEqual(refused.codes, ["execution_not_found"]);
	const mine = await sent(id, "x", 1);
	await client.finished(id);
	assert.equal((await other.api("GET", `/api/v1/executions/${id}/signals`)).status, 404);
	assert.equal((await other.api("GET", `/api/v1/signals/${mine.id}`)).status, 404);
	assert.deepEqual(await other.get(`/api/v1/signals?filter[execution]=${id}`), []);
});

test("each element of a for_each takes a signal of its own", async () => {
	const dag = await client.active({ nodes: [{ ...wait("all", { signal: "${{ item }}" }), for_each: "${{ context.names }}" }] });
	const { id } = await client.start(dag, { names: ["x", "y", "x"] });
	await waits(id, 3);
	for (const [name, value] of [["x", 1], ["y", 2], ["x", 3]]) await sent(id, name, value);
	const { attributes } = await client.finished(id);
	assert.equal(attributes.result.all[1].value, 2);
	assert.deepEqual([attributes.result.all[0].value, attributes.result.all[2].value].sort(), [1, 3]);
	const list = await client.get(`/api/v1/executions/${id}/signals`);
	assert.deepEqual(list.map((s) => s.attributes.taken_element).sort(), [0, 1, 2]);
});

test("openctl sends signals, and says what is wrong", async () => {
	const dag = await client.active(definition(wait("a", { signal: "x" })));
	const { id } = await client.start(dag, {});
	await waits(id);
	const none = await server.openctl(["execution", "signal", "0199a1b2-0000-7000-8000-000000000000", "x"]);
	assert.equal(none.code, 1);
	assert.match(none.stderr, /there is no execution/);
	assert.equal((await server.openctl(["execution", "signal", id, "a b"])).code, 2);
	assert.match((await server.openctl(["execution", "signal", id, "x", "--value", "{"])).stderr, /the value, 1:/);
	const early = await server.ctl(["execution", "signal", id, "other", "--json"]);
	assert.equal(JSON.parse(early).delivered, false);
	assert.match(await server.ctl(["execution", "signal", id, "x", "--value", "-"], { stdin: "{\"n\": 1}" }), /^[0-9a-f-]{36}$/);
	const { attributes } = await client.finished(id);
	assert.deepEqual(attributes.result.a.value, { n: 1 });
	assert.equal(attributes.result.a.by, null);
	assert.match((await server.openctl(["execution", "signal", id, "x"])).stderr, /has already ended: success/);
});

test("a deadline fails the node, or gives the default", async () => {
	const { execution, nodes } = await client.runDefinition(definition(
		wait("fails", { signal: "x", timeout: "50ms" }),
		wait("given", { signal: "x", timeout: "50ms", default: { approved: false } }),
		wait("dated", { signal: "x", until: "2020-01-01T00:00:00Z", default: null }),
		wait("after", { signal: "y", timeout: "10s" }, { dependencies: ["fails"], trigger: "all_done", retry: { limit: 3 } }),
		wait("time", { until: "2020-01-01T00:00:00+01:00" })), {}, { seconds: 40 });
	assert.equal(execution.attributes.status, "failed");
	assert.equal(nodes.fails.status, "failed");
	assert.match(nodes.fails.error, /signal "x" did not come in time/);
	assert.deepEqual(nodes.given.result, { by: null, sent_at: null, signal: "x", value: { approved: false } });
	assert.deepEqual(nodes.dated.result, { by: null, sent_at: null, signal: "x", value: null });
	assert.equal(nodes.time.result, "2019-12-31T23:00:00.000000Z");
	assert.equal(nodes.after.status, "failed");
	assert.equal(nodes.after.retry_count, 0, "it is not retried");
});

test("a node that is stopped waits no longer, and leaves its signal to others", async () => {
	const dag = await client.active(definition(
		wait("gives-up", { signal: "x" }, { timeout: "100ms" }),
		wait("later", { signal: "x" }, { dependencies: ["gives-up"], trigger: "all_done" })));
	const { id } = await client.start(dag, {});
	await until("the second waits", async () => (await server.rows(`select node from open.waits where execution_id = '${id}'`))[0]?.node === 1);
	await sent(id, "x", "late");
	await client.finished(id);
	const { nodes } = await client.withNodes(id);
	assert.equal(nodes["gives-up"].status, "failed");
	assert.equal(nodes.later.result.value, "late");
	const two = await client.start(await client.active(definition(wait("a", { signal: "x" }))), {});
	await waits(two.id);
	assert.equal((await client.cancel(two.id)).status, 202);
	assert.equal((await client.finished(two.id)).attributes.status, "cancelled");
	await until("nobody waits", async () => (await server.rows(`select from open.waits where execution_id = '${two.id}'`)).length === 0);
});

test("bad parameters are refused where they are known, and fail the node where they are not", async () => {
	for (const [params, pointer] of [
		[{}, "/data/attributes/definition/nodes/0/with"],
		[{ signal: "a b" }, "/data/attributes/definition/nodes/0/with/signal"],
		[{ until: "tomorrow" }, "/data/attributes/definition/nodes/0/with/until"],
		[{ until: "2030-01-01T00:00:00Z", timeout: "1s" }, "/data/attributes/definition/nodes/0/with/timeout"],
		[{ until: "2030-01-01T00:00:00Z", default: 1 }, "/data/attributes/definition/nodes/0/with/default"],
		[{ signal: "${{ secrets.X }}" }, "/data/attributes/definition/nodes/0/with/signal"],
	]) {
		const answer = await client.tryCreate(definition(wait("a", params)));
		assert.equal(answer.status, 422, JSON.stringify(params));
		assert.equal(answer.json.errors[0].source.pointer, pointer);
	}
	const { nodes } = await client.runDefinition(definition(wait("a", { signal: "${{ context.name }}" })), { name: "no name" });
	assert.match(nodes.a.error, /1 to 64 letters/);
});

test("a thousand nodes wait at once, and hold no thread", async () => {
	const nodes = Array.from({ length: 1000 }, (_, i) => wait(`n${i}`, { signal: `s${i % 10}` }));
	const dag = await client.active({ nodes });
	const { id } = await client.start(dag, {});
	await waits(id, 1000);
	const quick = await client.runDefinition({ nodes: [{ name: "a", op: "lua", with: { script: "return 1" } }] }, {});
	assert.equal(quick.execution.attributes.status, "success");
	for (let begin = 0; begin < 1000; begin += 50) {
		await Promise.all(Array.from({ length: 50 }, (_, i) => sent(id, `s${(begin + i) % 10}`, begin + i)));
	}
	const execution = await client.finished(id, { seconds: 60 });
	assert.equal(execution.attributes.status, "success");
	const values = Object.values(execution.attributes.result).map((r) => r.value).sort((a, b) => a - b);
	assert.deepEqual(values, Array.from({ length: 1000 }, (_, i) => i), "each signal was taken once");
});

test("a worker dies while nodes wait: the others ask again, and hear the signal", async () => {
	const dag = await client.active(definition(wait("a", { signal: "x" }), wait("b", { signal: "y" })));
	const ids = [];
	for (let i = 0; i < 8; i++) ids.push((await client.start(dag, {})).id);
	for (const id of ids) await waits(id, 2);
	for (const id of ids) await sent(id, "y", 0);
	kill(server.workers()[0]);
	await until("two workers are there", () => server.workers().length === 2);
	// A request may have met the dead one: with its key it is sent again.
	for (const id of ids) {
		const once = () => send(id, "x", id, { headers: { "idempotency-key": id } });
		assert.equal((await once().catch(once)).status, 201);
	}
	for (const id of ids) {
		const execution = await client.finished(id);
		assert.equal(execution.attributes.status, "success");
		assert.equal(execution.attributes.result.a.value, id);
	}
});

test("the whole server dies: signals, times and deadlines outlive it", async () => {
	const dag = await client.active(definition(
		wait("signal", { signal: "x" }),
		wait("kept", { signal: "kept" }),
		wait("time", { until: "${{ context.at }}" }),
		wait("deadline", { signal: "late", timeout: "3s", default: "none" })));
	const at = new Date(Date.now() + 1500).toISOString();
	const { id } = await client.start(dag, { at });
	await waits(id, 3);
	await until("it is known that they run", async () =>
		(await client.withNodes(id)).included.every((n) => n.attributes.status === "running"));
	const { nodes: { deadline: { started_at: began } } } = await client.withNodes(id);
	await sent(id, "kept", "before");
	await until("it is taken", async () => (await client.get(`/api/v1/executions/${id}/signals`))[0].attributes.taken_node === "kept");
	await server.crash();
	await until("the deadline is over", () => Date.now() > Date.parse(began) + 3000);
	await server.start();
	assert.equal((await sent(id, "late", "too late")).attributes.taken_node, null);
	await sent(id, "x", "after");
	const execution = await client.finished(id);
	assert.equal(execution.attributes.status, "success", JSON.stringify(execution));
	const { nodes } = await client.withNodes(id);
	assert.equal(nodes.signal.result.value, "after");
	assert.equal(nodes.kept.result.value, "before");
	assert.equal(nodes.deadline.result.value, "none");
	assert.ok(Date.parse(nodes.time.completed_at) >= Date.parse(at), "never before its time");
	assert.equal(nodes.deadline.started_at, began, "it counts from the first start");
	for (const node of Object.values(nodes)) assert.equal(node.retry_count, 0);
});
