// Nodes that run other DAGs: results and failures up, context and cancels down, one child an attempt over every crash.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { kill, lua, startServer, test, unique, until } from "./harness.mjs";

let server;
let client;
before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2", OPEN_DAG_DEPTH_LIMIT: "4" } });
	client = await server.makeClient();
});
after(() => server?.stop());

const sub = (node, name, context, more = {}) => ({ name: node, op: "dag", with: context === undefined ? { name } : { name, context }, ...more });
const childrenOf = (id) => client.get(`/api/v1/executions/${id}/children`);
const waiting = (signal) => ({ nodes: [{ name: "wait", op: "wait_for", with: { signal } }] });
const send = async (id, name, value = null) => {
	const once = () => client.api("POST", `/api/v1/executions/${id}/signals`, {
		headers: { "idempotency-key": name }, body: { data: { type: "signals", attributes: { name, value } } } });
	const answer = await once().catch(once); // It may have met a worker that dies.
	assert.equal(answer.status, 201, answer.text);
};
const child = (id, count = 1) => until(`${count} children of ${id} run`, async () => {
	const all = await childrenOf(id);
	return all.length >= count && all.every((c) => c.attributes.status !== "pending") && all;
});
async function named(definition) {
	const name = unique("child");
	const dag = await client.active(definition, { name });
	return { name, dag };
}

test("a DAG in a DAG in a DAG: context goes down, results come up, rows tell whose they are", async () => {
	const inner = await named({ nodes: [{ name: "twice", ...lua("return {n = context.n * 2}") }] });
	const middle = await named({ nodes: [sub("inner", inner.name, { n: "${{ context.n + 1 }}" })] });
	const outer = await client.active({ nodes: [
		sub("middle", "${{ context.which }}", { n: 20 }),
		{ name: "read", ...lua("return nodes.middle.result.inner.twice.n", { dependencies: ["middle"] }) }] });
	const { execution, nodes } = await client.run(outer, { which: middle.name });
	assert.equal(execution.attributes.status, "success", JSON.stringify(nodes));
	assert.deepEqual(nodes.middle.result, { inner: { twice: { n: 42 } } });
	assert.equal(nodes.read.result, 42);
	const [one] = await childrenOf(execution.id);
	assert.equal(one.attributes.parent_node, "middle");
	assert.equal(one.attributes.depth, 1);
	assert.equal(one.relationships.parent.data.id, execution.id);
	assert.deepEqual(one.relationships["triggered-by"], execution.relationships["triggered-by"]);
	assert.deepEqual((await client.execution(one.id)).attributes.context, { n: 20 });
	const [two] = await client.get(`/api/v1/executions?filter[parent]=${one.id}&include=parent`);
	assert.equal(two.attributes.depth, 2);
	assert.deepEqual((await client.execution(two.id)).attributes.context, { n: 21 });
	assert.deepEqual(await childrenOf(two.id), []);
	assert.equal(execution.relationships.parent.data, null);
});

test("the version that is active when the node starts is run, and stays the child's", async () => {
	const inner = await named(waiting("go"));
	const outer = await client.active({ nodes: [sub("inner", inner.name)] });
	const { id } = await client.start(outer, {});
	const [one] = await child(id);
	await client.update(inner.dag.id, { definition: { nodes: [{ name: "other", ...lua("return 2") }] } });
	await client.activate(inner.dag.id);
	await send(one.id, "go", 1);
	assert.equal((await client.finished(id)).attributes.result.inner.wait.value, 1);
	const again = await client.run(outer, {});
	assert.deepEqual(again.nodes.inner.result, { other: 2 });
});

test("a child's failure is its node's, and a retry makes a new child", async () => {
	const inner = await named({ nodes: [{ name: "stop", op: "fail", with: { message: "no more" } }] });
	const { execution, nodes } = await client.runDefinition({ nodes: [sub("inner", inner.name, {}, { retry: { limit: 2 } })] }, {});
	assert.equal(execution.attributes.status, "failed");
	const all = await childrenOf(execution.id);
	assert.equal(all.length, 3);
	assert.equal(nodes.inner.retry_count, 2);
	assert.match(nodes.inner.error, /^Execution [0-9a-f-]{36} of DAG "child-.*" failed: Node "stop" failed: no more/);
	assert.ok(all.some((c) => nodes.inner.error.includes(c.id)));
});

test("what can't be run fails with a reason", async () => {
	const draft = unique("draft");
	await client.create({ nodes: [{ name: "a" }] }, { name: draft });
	const other = await server.makeClient();
	const foreign = unique("foreign");
	await other.active({ nodes: [{ name: "a" }] }, { name: foreign });
	const commands = await named({ nodes: [{ name: "a", op: "command", with: { shell: "true" } }] });
	const run = async (name) => (await client.runDefinition({ nodes: [sub("a", name)] }, {})).nodes.a.error;
	assert.match(await run(draft), /is not active/);
	assert.match(await run(foreign), /There is no DAG/);
	assert.match(await run("${{ 'x' }}"), /There is no DAG "x"/);
	await server.allowCommands(client.org.slug, false);
	const refused = await run(commands.name);
	await server.allowCommands(client.org.slug, true);
	assert.match(refused, /settings don't allow an op/);
});

test("a DAG may run itself, down to a limit", async () => {
	const name = unique("self");
	const dag = await client.active({ nodes: [
		{ name: "again", op: "dag", when: "context.n > 0", with: { name, context: { n: "${{ context.n - 1 }}" } } }] }, { name });
	const good = await client.run(dag, { n: 4 });
	assert.equal(good.execution.attributes.status, "success");
	const deep = await client.run(dag, { n: 5 });
	assert.equal(deep.execution.attributes.status, "failed");
	assert.match(deep.execution.attributes.error_message, /There are 4 executions above DAG/);
});

test("cancel goes down to all below, and a child that someone cancels fails its node", async () => {
	const inner = await named(waiting("never"));
	const middle = await named({ nodes: [sub("inner", inner.name)] });
	const outer = await client.active({ nodes: [sub("a", middle.name), sub("b", middle.name)] });
	const { id } = await client.start(outer, {});
	const middles = await child(id, 2);
	const inners = (await Promise.all(middles.map((m) => child(m.id)))).flat();
	assert.equal(inners.length, 2);
	assert.equal((await client.cancel(id)).status, 202);
	for (const one of [{ id }, ...middles, ...inners]) {
		assert.equal((await client.finished(one.id)).attributes.status, "cancelled");
	}
	const other = await client.start(outer, {});
	const [first] = await child(other.id, 2);
	assert.equal((await client.cancel(first.id)).status, 202);
	await until("the node has failed", async () =>
		(await client.withNodes(other.id)).nodes[first.attributes.parent_node].status === "failed");
	assert.match((await client.withNodes(other.id)).nodes[first.attributes.parent_node].error, /was cancelled/);
	await client.cancel(other.id);
	await client.finished(other.id);
});

test("pause and resume go down to all below", async () => {
	const inner = await named({ nodes: [...waiting("go").nodes, { name: "last", ...lua("return 3", { dependencies: ["wait"] }) }] });
	const middle = await named({ nodes: [sub("inner", inner.name)] });
	const outer = await client.active({ nodes: [sub("a", middle.name)] });
	const { id } = await client.start(outer, {});
	const [under] = await child(id);
	const [lowest] = await child(under.id);
	const since = async () => Promise.all([id, under.id, lowest.id].map(async (one) => (await client.execution(one)).attributes.paused_at));
	assert.equal((await client.pause(id)).status, 202);
	assert.ok((await since()).every((at) => at !== null));
	await send(lowest.id, "go");
	await until("the node that ran has ended", async () => (await client.withNodes(lowest.id)).nodes.wait.status === "success");
	assert.equal((await client.withNodes(lowest.id)).nodes.last.status, "pending");
	assert.equal((await client.execution(lowest.id)).attributes.status, "running");
	assert.equal((await client.resume(id)).status, 202);
	assert.equal((await client.finished(id)).attributes.result.a.inner.last, 3);
	assert.deepEqual(await since(), [null, null, null]);

	const other = (await client.start(outer, {})).id;
	const [below] = await child(other);
	const [bottom] = await child(below.id);
	const pausedOf = async () => Promise.all([other, below.id, bottom.id].map(async (one) => (await client.execution(one)).attributes.paused_at !== null));
	await server.openctl(["execution", "pause", other]);
	assert.deepEqual(await pausedOf(), [true, true, true]);
	assert.equal((await client.resume(bottom.id)).status, 202, "one below goes on alone");
	assert.deepEqual(await pausedOf(), [true, true, false]);
	await server.openctl(["execution", "resume", other]);
	assert.deepEqual(await pausedOf(), [false, false, false]);
	await send(bottom.id, "go");
	assert.equal((await client.finished(other)).attributes.status, "success");
});

test("a node's timeout cancels its child; its retry gets a new one", async () => {
	const inner = await named(waiting("x"));
	const outer = await client.active({ nodes: [sub("a", inner.name, {}, { timeout: "300ms", retry: { limit: 1 } })] });
	const { execution, nodes } = await client.run(outer, {});
	assert.equal(execution.attributes.status, "failed");
	assert.match(nodes.a.error, /timeout/);
	const all = await childrenOf(execution.id);
	assert.equal(all.length, 2);
	for (const one of all) assert.equal((await client.finished(one.id)).attributes.status, "cancelled");
});

test("a hundred children at once", async () => {
	const inner = await named({ nodes: [{ name: "n", ...lua("return context.n") }] });
	const nodes = Array.from({ length: 100 }, (_, n) => sub(`n${n}`, inner.name, { n }));
	const { execution, nodes: ended } = await client.runDefinition({ nodes }, {}, { seconds: 60 });
	assert.equal(execution.attributes.status, "success");
	for (let n = 0; n < 100; n++) assert.deepEqual(ended[`n${n}`].result, { n });
	assert.equal((await server.rows(`select from open.executions where parent_id = '${execution.id}'`)).length, 100);
});

test("for_each runs a child for each element, and retries only those that fail", async () => {
	const inner = await named({ nodes: [{ name: "n", ...lua("if context.n == 3 then error('three') end return context.n * 2") }] });
	const each = (more) => ({ nodes: [{ name: "all", op: "dag", for_each: "${{ context.list }}", concurrency: 8,
		with: { name: inner.name, context: { n: "${{ item }}" } }, ...more }] });
	const good = await client.runDefinition(each(), { list: [1, 2, 4, 5, 6, 7, 8, 9, 10, 11] });
	assert.equal(good.execution.attributes.status, "success", JSON.stringify(good.execution));
	assert.deepEqual(good.nodes.all.result.map((r) => r.n), [2, 4, 8, 10, 12, 14, 16, 18, 20, 22]);
	assert.equal((await childrenOf(good.execution.id)).length, 10);
	const bad = await client.runDefinition(each({ retry: { limit: 1 } }), { list: [1, 3] });
	assert.equal(bad.execution.attributes.status, "failed");
	assert.equal((await childrenOf(bad.execution.id)).length, 3);
});

test("children of results too long for one turn come up whole", async () => {
	const inner = await named({ nodes: [{ name: "long", ...lua("return string.rep('x', 100000)") }] });
	const { nodes } = await client.runDefinition({ nodes: [sub("a", inner.name)] }, {});
	assert.equal(nodes.a.result.long.length, 100000);
});

test("workers die between all of it: still one child an attempt", async () => {
	const inner = await named(waiting("go"));
	const outer = await client.active({ nodes: [sub("a", inner.name), sub("b", inner.name)] });
	const ids = await Promise.all(Array.from({ length: 10 }, async () => (await client.start(outer, {})).id));
	kill(server.workers()[0]);
	const children = (await Promise.all(ids.map((id) => child(id, 2)))).flat();
	assert.equal(children.length, 20);
	kill(server.workers().at(-1));
	for (const one of children) await send(one.id, "go", one.id);
	for (const id of ids) assert.equal((await client.finished(id)).attributes.status, "success");
	for (const id of ids) assert.equal((await childrenOf(id)).length, 2);
});

test("the whole server dies while children run, and after they ended", async () => {
	const inner = await named(waiting("go"));
	const outer = await client.active({ nodes: [sub("a", inner.name), sub("b", inner.name)] });
	const ids = await Promise.all(Array.from({ length: 5 }, async () => (await client.start(outer, {})).id));
	const children = (await Promise.all(ids.map((id) => child(id, 2)))).flat();
	await server.crash();
	await server.start();
	for (const one of children.slice(0, 5)) await send(one.id, "go", one.id);
	await Promise.all(children.slice(0, 5).map((one) => client.finished(one.id)));
	await server.crash(); // Some parents know of their children's ends, some don't.
	await server.start();
	for (const one of children.slice(5)) await send(one.id, "go", one.id);
	for (const id of ids) {
		const execution = await client.finished(id);
		assert.equal(execution.attributes.status, "success", JSON.stringify(execution));
		assert.equal((await childrenOf(id)).length, 2);
		const { nodes } = await client.withNodes(id);
		for (const name of ["a", "b"]) {
			const one = children.find((c) => c.relationships.parent.data.id === id && c.attributes.parent_node === name);
			assert.equal(nodes[name].result.wait.value, one.id);
		}
	}
});

test("children whose parent ended without them are cancelled", async () => {
	const inner = await named(waiting("never"));
	const outer = await client.active({ nodes: [sub("a", inner.name)] });
	const { id } = await client.start(outer, {});
	const [one] = await child(id);
	await server.crash();
	await server.database("start");
	await server.psql(`update open.executions set finished = true, status = 'failed', started_at = now(), completed_at = now() where id = '${id}'`);
	await server.start();
	assert.equal((await client.finished(one.id)).attributes.status, "cancelled");
});
