// for_each through the whole server: lists known only at run time, what the API and openctl tell of their elements,
// and that no element which ended durably runs again, whatever is killed.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import http from "node:http";
import { delay, kill, lua, shell, startServer, test, until, instant } from "./harness.mjs";

let server;
let client;
let peer;

// Holds requests until enough are there, and tells how many were there at once.
function makePeer() {
	const state = { now: 0, most: 0, seen: [] };
	const made = http.createServer((request, response) => {
		state.now++;
		state.most = Math.max(state.most, state.now);
		state.seen.push(request.url);
		setTimeout(() => {
			state.now--;
			response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ url: request.url }));
		}, 5);
	});
	return new Promise((resolve) => made.listen(0, "127.0.0.1", () => {
		resolve(Object.assign(made, { state, url: `http://127.0.0.1:${made.address().port}` }));
	}));
}

before(async () => {
	server = await startServer();
	client = await server.makeClient();
	await server.psql(`update open.organizations set settings = settings || '{"allow_private_addresses": true}' where slug = '${client.org.slug}'`);
	peer = await makePeer();
});
after(async () => {
	peer?.close();
	peer?.closeAllConnections();
	await server?.stop();
});

const one = (node) => ({ nodes: [{ name: "n", ...node }] });
const nodeOf = async (id) => (await client.get(`/api/v1/executions/${id}/node-executions`))[0];
// All elements of an execution's only node, page by page.
async function elementsOf(id, query = "") {
	const node = await nodeOf(id);
	const all = [];
	let next = `/api/v1/node-executions/${node.id}/elements?page[size]=1000&fields[elements]=element_index,status,retry_count,error,result,started_at,completed_at${query}`;
	while (next) {
		const answer = await client.api("GET", next);
		assert.equal(answer.status, 200, answer.text);
		all.push(...answer.json.data.map((e) => e.attributes));
		next = answer.json.links.next;
	}
	return all;
}
const range = (n) => Array.from({ length: n }, (_, i) => i);

test("a node runs once per element and its result is the list of theirs", async () => {
	const { execution, nodes } = await client.runDefinition(one({
		for_each: "${{ context.items }}", concurrency: 2, ...lua("return item.x * 2 + index"),
	}), { items: [{ x: 1 }, { x: 2 }, { x: 3 }] });
	assert.equal(execution.attributes.status, "success");
	assert.deepEqual(nodes.n.result, [2, 5, 8]);
	assert.deepEqual(execution.attributes.result, { n: [2, 5, 8] });
	const node = await nodeOf(execution.id);
	assert.deepEqual(node.attributes.elements, { total: 3, succeeded: 3, failed: 0, cancelled: 0, running: 0 });
	const elements = await elementsOf(execution.id);
	assert.deepEqual(elements.map((e) => [e.element_index, e.status, e.result]), [[0, "success", 2], [1, "success", 5], [2, "success", 8]]);
	assert.ok(elements.every((e) => e.started_at && e.completed_at));
});

test("what is no list fails the node and says what it was", async () => {
	for (const [items, what] of [[7, "a number"], ["x", "a text"], [{ a: 1 }, "an object"], [null, "null"]]) {
		const { execution, nodes } = await client.runDefinition(one({ for_each: "${{ context.items }}" }), { items });
		assert.equal(execution.attributes.status, "failed");
		assert.equal(nodes.n.error, `not_a_list: for_each is ${what}, not a list.`);
		assert.equal((await nodeOf(execution.id)).attributes.elements, null);
		assert.deepEqual(await elementsOf(execution.id), []);
	}
});

test("a list of no elements is a success", async () => {
	const { execution, nodes } = await client.runDefinition(one({ for_each: "${{ context.items }}", ...lua("return 1") }), { items: [] });
	assert.equal(execution.attributes.status, "success");
	assert.deepEqual(nodes.n.result, []);
	assert.deepEqual((await nodeOf(execution.id)).attributes.elements, { total: 0, succeeded: 0, failed: 0, cancelled: 0, running: 0 });
	assert.deepEqual(await elementsOf(execution.id), []);
});

test("100,000 elements run, in order, and 100,001 are refused", async () => {
	const make = (n) => ({
		nodes: [
			{ name: "list", ...lua(`local t = {} for i = 1, ${n} do t[i] = i % 10 end return t`) },
			{ name: "n", dependencies: ["list"], for_each: "${{ nodes.list.result }}", concurrency: 1000, },
		],
	});
	const { execution, nodes } = await client.runDefinition(make(100_000), undefined, { seconds: 120 });
	assert.equal(execution.attributes.status, "success", execution.attributes.error_message);
	assert.equal(nodes.n.result.length, 100_000);
	const [, node] = await client.get(`/api/v1/executions/${execution.id}/node-executions`);
	assert.deepEqual(node.attributes.elements, { total: 100_000, succeeded: 100_000, failed: 0, cancelled: 0, running: 0 });
	const answer = await client.api("GET", `/api/v1/node-executions/${node.id}/elements?page[size]=1000&sort=-element_index`);
	assert.deepEqual(answer.json.data.map((e) => e.attributes.element_index), range(1000).map((i) => 99_999 - i));

	const refused = await client.runDefinition(make(100_001), undefined, { seconds: 60 });
	assert.equal(refused.execution.attributes.status, "failed");
	assert.match(refused.nodes.n.error, /^too_many_elements: for_each has 100001 elements, more than the limit of 100000\.$/);
});

test("concurrency bounds requests and commands that run at once", async () => {
	peer.state.most = 0;
	const { execution, nodes } = await client.runDefinition(one({
		for_each: range(40), concurrency: 7, op: "http", with: { url: `${peer.url}/\${{ item }}` },
	}));
	assert.equal(execution.attributes.status, "success", execution.attributes.error_message);
	assert.ok(peer.state.most <= 7 && peer.state.most > 1, `${peer.state.most} at once`);
	assert.deepEqual(nodes.n.result.map((r) => r.body.url), range(40).map((i) => `/${i}`));

	const commands = await client.runDefinition(one({ for_each: range(12), concurrency: 3, op: "command", with: { argv: ["sleep", "0.05"] } }));
	assert.equal(commands.execution.attributes.status, "success", commands.execution.attributes.error_message);
	const times = (await elementsOf(commands.execution.id)).map((t) => ({ started_at: instant(t.started_at), completed_at: instant(t.completed_at) }));
	const most = Math.max(...times.map((t) => times.filter((u) => u.started_at <= t.started_at && u.completed_at > t.started_at).length));
	assert.ok(most <= 3, `${most} at once`);
});

test("an element is tried again alone, and the first that fails for good ends the node", async () => {
	const { execution, nodes } = await client.runDefinition(one({
		for_each: [0, 1, 2, 3, 4, 5], concurrency: 2, retry: { limit: 1, backoff: "1ms" },
		...lua("if item == 3 then error('no', 0) end return item"),
	}));
	assert.equal(execution.attributes.status, "failed");
	assert.equal(nodes.n.error, "Element 4 of 6: no");
	const elements = await elementsOf(execution.id);
	assert.equal(elements.length, 6);
	assert.deepEqual([elements[3].status, elements[3].retry_count, elements[3].error], ["failed", 1, "no"]);
	assert.deepEqual([elements[0].status, elements[0].retry_count], ["success", 0]);
	assert.ok(elements.every((e) => ["success", "failed", "cancelled"].includes(e.status)));
	const { attributes } = await nodeOf(execution.id);
	assert.equal(attributes.elements.succeeded + attributes.elements.failed + attributes.elements.cancelled, 6);
	assert.deepEqual((await elementsOf(execution.id, "&filter[status]=failed")).map((e) => e.element_index), [3]);
});

test("cancelling in the middle stops what runs and cancels the others", async () => {
	const dag = await client.active(one({ for_each: range(20), concurrency: 4, ...shell("echo $$; exec sleep 60") }));
	const { id } = await client.start(dag);
	await until("commands run", async () => {
		const node = await nodeOf(id);
		return node.attributes.elements?.total === 20;
	});
	assert.equal((await client.cancel(id)).status, 202);
	const execution = await client.finished(id);
	assert.equal(execution.attributes.status, "cancelled");
	assert.deepEqual((await nodeOf(id)).attributes.elements, { total: 20, succeeded: 0, failed: 0, cancelled: 20, running: 0 });
	assert.ok((await elementsOf(id)).every((e) => e.status === "cancelled"));
});

test("each element may be an execution of another DAG, or wait for a signal of its own", async () => {
	const child = await client.active(one(lua("return context.x * 10")));
	const { attributes } = await client.get(`/api/v1/dags/${child.id}`);
	const { execution, nodes } = await client.runDefinition(one({
		for_each: [1, 2, 3], op: "dag", with: { name: attributes.name, context: { x: "${{ item }}" } },
	}));
	assert.equal(execution.attributes.status, "success", execution.attributes.error_message);
	assert.deepEqual(nodes.n.result, [{ n: 10 }, { n: 20 }, { n: 30 }]);

	const dag = await client.active(one({ for_each: ["a", "b"], op: "wait_for", with: { signal: "${{ 'go-' .. item }}" } }));
	const { id } = await client.start(dag);
	for (const name of ["go-b", "go-a"]) {
		const sent = await client.api("POST", `/api/v1/executions/${id}/signals`, { body: { data: { type: "signals", attributes: { name, value: name } } } });
		assert.ok(sent.status < 300, sent.text);
	}
	assert.equal((await client.finished(id)).attributes.status, "success");
	const waited = await client.withNodes(id);
	assert.deepEqual(waited.nodes.n.result.map((r) => r.value ?? r), ["go-a", "go-b"]);
});

test("openctl shows the counts and lists the elements", async () => {
	const { execution } = await client.runDefinition(one({ for_each: ["a", "b"], ...lua("if index == 1 then error('oh', 0) end") }));
	const shown = await server.ctl(["execution", "show", execution.id]);
	assert.match(shown, /n {2}\(1 of 2 elements\) {2}Element 2 of 2: oh/);
	const listed = await server.ctl(["execution", "show", execution.id, "--elements", "n"]);
	assert.match(listed, /ELEMENT {2}STATE/);
	assert.match(listed, /\n {6}0 {2}success/);
	assert.match(listed, /\n {6}1 {2}failed .* oh/);
	const json = JSON.parse(await server.ctl(["execution", "show", execution.id, "--elements", "n", "--json"]));
	assert.deepEqual(json.map((e) => [e.index, e.status, e.error]), [[0, "success", null], [1, "failed", "oh"]]);
	const { code, stderr } = await server.openctl(["execution", "show", execution.id, "--elements", "zz"]);
	assert.equal(code, 1);
	assert.match(stderr, /has no node 'zz'/);
});

test("an exported document with for_each imports to the same definition", async () => {
	const definition = one({ for_each: [1, { a: "${{ context.x }}" }], concurrency: 5, ...lua("return item") });
	const dag = await client.create(definition);
	const { attributes } = await client.get(`/api/v1/dags/${dag.id}`);
	const yaml = await server.ctl(["dag", "export", dag.attributes.name, "--org", client.org.slug]);
	assert.match(yaml, /for_each:/);
	const file = server.write("fan.yaml", yaml.replace(/^name: .*$/m, "name: fan-again"));
	await server.ctl(["dag", "import", file, "--org", client.org.slug]);
	const [again] = await client.get("/api/v1/dags?filter[name]=fan-again&fields[dags]=definition");
	assert.deepEqual(again.attributes.definition, attributes.definition);
});

test("faults of for_each are told at their places", async () => {
	const answer = await client.tryCreate({ nodes: [{ name: "a", for_each: "${{ secrets.x }}" }, { name: "b", concurrency: 3 }] });
	assert.equal(answer.status, 422);
	assert.deepEqual(answer.codes.sort(), ["invalid_concurrency", "secret_not_allowed"]);
	assert.match(answer.json.errors[0].source.pointer, /\/definition\/nodes\/0\/for_each$/);
});

// Each run of an element is a request; those whose end was durable before the kill must have one only.
const marked = {
	nodes: [{
		name: "n", for_each: "${{ (function() local t = {} for i = 1, 400 do t[i] = math.random(1 << 30) end return t end)() }}",
		concurrency: 4, op: "http", with: { url: "${{ context.url }}/${{ index }}", query: { item: "${{ item }}" } },
	}],
};
// Durable ends of elements, by index.
const durable = async (id) => (await server.rows(`
	select c.element from open.node_history r cross join lateral unnest(r.elements, r.states) as c(element, state)
	 where r.execution_id = '${id}' and c.state = 's' and c.element is not null`)).map((r) => r.element);

// again: how many elements may run twice besides; with durability batch the ends of the last moment die with a server.
async function killedInTheMiddle(dies, again) {
	peer.state.seen = [];
	const dag = await client.active(marked);
	const { id } = await client.start(dag, { url: peer.url });
	await until("some elements are durable", async () => (await durable(id)).length > 20);
	const before = await durable(id);
	await dies();
	const execution = await client.finished(id, { seconds: 60 });
	assert.equal(execution.attributes.status, "success", execution.attributes.error_message);
	const runs = new Map();
	const items = new Map();
	for (const url of peer.state.seen) {
		const [, index, item] = /^\/(\d+)\?item=(\d+)$/.exec(url);
		runs.set(Number(index), (runs.get(Number(index)) ?? 0) + 1);
		items.set(Number(index), (items.get(Number(index)) ?? new Set()).add(item));
	}
	for (const index of before) assert.equal(runs.get(index), 1, `element ${index} ran again`);
	assert.equal(runs.size, 400);
	for (const [index, values] of items) assert.equal(values.size, 1, `element ${index} had two values`);
	const twice = [...runs.values()].filter((n) => n > 1).length;
	assert.ok(twice <= again, `${twice} elements ran again`);
	assert.deepEqual((await nodeOf(id)).attributes.elements, { total: 400, succeeded: 400, failed: 0, cancelled: 0, running: 0 });
	const all = await durable(id);
	assert.equal(new Set(all).size, all.length);
}

test("workers killed in the middle: no element that had ended runs again", async () => {
	await killedInTheMiddle(async () => {
		for (const worker of server.workers()) kill(worker);
	}, marked.nodes[0].concurrency);
});

test("everything killed in the middle: no element whose end was durable runs again", async () => {
	await killedInTheMiddle(async () => {
		await server.crash();
		await server.start();
	}, 380);
});

test("a delay's element pauses and goes on", async () => {
	const dag = await client.active(one({ for_each: range(30), concurrency: 1, ...delay("10ms") }));
	const { id } = await client.start(dag);
	await until("it has begun", async () => (await durable(id)).length > 0);
	assert.equal((await client.pause(id)).status, 202);
	await client.resume(id);
	assert.equal((await client.finished(id)).attributes.status, "success");
});
