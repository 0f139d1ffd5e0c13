// What the history says of attempts: those that failed, that run, that were interrupted; and what follows from it after
// kill -9 of the workers and of everything.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import http from "node:http";
import { SLOW, delay, kill, lua, recordFaults, shell, soundRecord, startServer, test, until } from "./harness.mjs";

let server;
let client;
let peer; // Counts requests by path; /hang… are answered from the second one on, /no… with 500.

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
	client = await server.makeClient();
	await server.psql(`update open.organizations set settings = settings || '{"allow_private_addresses": true}' where slug = '${client.org.slug}'`);
	peer = http.createServer((request, response) => {
		const count = (peer.count[request.url] ?? 0) + 1;
		peer.count[request.url] = count;
		if (request.url.startsWith("/no")) response.writeHead(500).end();
		else if (count > 1) response.end("late");
	});
	peer.count = {};
	await new Promise((resolve) => peer.listen(0, "127.0.0.1", resolve));
});
after(async () => {
	peer?.closeAllConnections();
	peer?.close();
	await server?.stop();
});

const node = async (id, name) => (await client.withNodes(id)).nodes[name];
const running = (id, name) => until(`${name} is shown as running`, async () => {
	const n = await node(id, name);
	return n.status === "running" && n;
});
const statuses = (n) => n.attempts.map((a) => a.status).join(" ");
const ms = Date.parse;
const ask = (to, more = {}) => ({ op: "http", with: { url: `http://127.0.0.1:${peer.address().port}${to}` }, timeout: "600s", ...more });

test("attempts that failed are listed with their errors and times", async () => {
	const { id } = await client.runDefinition({ nodes: [
		{ name: "a", ...lua("error('no luck')"), retry: { limit: 2, backoff: "20ms", factor: 1 } },
		{ name: "b", dependencies: ["a"], trigger: "all_done" },
		{ name: "c", dependencies: ["a"] },
	] }).then((r) => r.execution);
	const { nodes } = await client.withNodes(id);
	assert.equal(nodes.a.status, "failed");
	assert.equal(nodes.a.retry_count, 2);
	assert.deepEqual(nodes.a.attempts.map((a) => [a.number, a.status]), [[1, "failed"], [2, "failed"], [3, "failed"]]);
	for (const [i, a] of nodes.a.attempts.entries()) {
		assert.match(a.error, /no luck/);
		assert.ok(ms(a.started_at) <= ms(a.completed_at));
		if (i > 0) assert.ok(ms(a.started_at) - ms(nodes.a.attempts[i - 1].completed_at) >= 20);
	}
	assert.equal(ms(nodes.a.attempts[0].started_at), ms(nodes.a.started_at));
	assert.equal(ms(nodes.a.attempts[2].completed_at), ms(nodes.a.completed_at));
	assert.equal(statuses(nodes.b), "success");
	assert.deepEqual(nodes.c.attempts, []);

	const list = (await client.api("GET", `/api/v1/executions/${id}/node-executions`)).json.data;
	assert.equal(list[0].attributes.attempts, undefined); // Long: only where it is asked for.
	const asked = (await client.api("GET", `/api/v1/executions/${id}/node-executions?fields[node-executions]=node_name,attempts`)).json.data;
	assert.deepEqual(asked.map((n) => n.attributes.attempts.length), [3, 1, 0]);
	const one = (await client.api("GET", `/api/v1/node-executions/${list[0].id}`)).json.data.attributes;
	assert.deepEqual(one.attempts, nodes.a.attempts);

	assert.match(await server.ctl(["execution", "show", id]), /attempt 1 failed after \d+ ms: .*no luck/);
	const json = JSON.parse(await server.ctl(["execution", "show", id, "--json"]));
	assert.deepEqual(json.nodes.map((n) => n.attempts.length), [3, 1, 0]);
});

test("a node is shown as running while it runs, with its start; and one of many retries counts on", async () => {
	const { id } = await client.start(await client.active({ nodes: [
		{ name: "wait", ...delay("600s") },
		{ name: "try", ...lua("error('not yet')"), retry: { limit: 1, backoff: "600s", max: "600s" } },
		{ name: "next", dependencies: ["wait"] },
	] }));
	const wait = await running(id, "wait");
	assert.ok(Date.now() - ms(wait.started_at) < 60000);
	assert.equal(wait.completed_at, null);
	assert.equal(statuses(wait), "running");
	assert.equal(wait.attempts[0].completed_at, null);
	assert.equal((await node(id, "next")).status, "pending");
	const tried = await running(id, "try");
	assert.equal(statuses(tried), "failed");
	assert.equal(tried.retry_count, 0);
	const page = (await client.api("GET", `/api/v1/executions/${id}/node-executions?filter[status]=running`)).json.data;
	assert.deepEqual(page.map((n) => n.attributes.node_name), ["wait", "try"]);
	assert.match(await server.ctl(["execution", "show", id]), /^running .* wait$/m);
	await client.cancel(id);
	const { nodes } = await client.finished(id).then(() => client.withNodes(id));
	assert.equal(nodes.wait.status, "cancelled");
	assert.equal(nodes.try.status, "cancelled");
});

test("retry.on names the failures that are tried again", async () => {
	const { nodes } = await client.runDefinition({ nodes: [
		{ name: "other", ...lua("error('no')"), retry: { limit: 3, backoff: "1ms", on: ["timeout"] } },
		{ name: "named", ...lua("error('no')"), retry: { limit: 1, backoff: "1ms", on: ["timeout", "lua_error"] } },
		{ name: "late", ...shell("sleep 60"), timeout: "100ms", retry: { limit: 1, backoff: "1ms", on: ["timeout"] } },
	] });
	assert.equal(nodes.other.retry_count, 0);
	assert.equal(nodes.named.retry_count, 1);
	assert.equal(nodes.late.retry_count, 1);
	assert.equal(statuses(nodes.late), "failed failed");
	assert.match(nodes.late.attempts[0].error, /timeout of 100ms/);
	const refused = await client.tryCreate({ nodes: [{ name: "a", retry: { limit: 1, on: ["Timeout"] } }] });
	assert.equal(refused.status, 422, refused.text);
	assert.equal(refused.codes[0], "invalid_retry");
	assert.equal(refused.json.errors[0].source.pointer, "/data/attributes/definition/nodes/0/retry/on/0");
});

test("an attempt that is interrupted by the death of its worker is shown and starts over; a wait goes on; at most once stays so", async () => {
	const { id } = await client.start(await client.active({ nodes: [
		{ name: "wait", ...delay("3s") },
		{ name: "again", ...ask("/hang-a-again") },
		{ name: "once", ...ask("/hang-a-once", { retry: { limit: 5, backoff: "1ms", on: ["timeout"] } }) },
	] }));
	const wait = await running(id, "wait");
	await until("both are asked", () => peer.count["/hang-a-once"] === 1 && peer.count["/hang-a-again"] === 1);
	await running(id, "again");
	for (const worker of server.workers()) kill(worker);
	await client.finished(id);
	const { nodes } = await client.withNodes(id);
	assert.equal(nodes.again.status, "success");
	assert.equal(statuses(nodes.again), "interrupted success");
	assert.equal(nodes.again.retry_count, 0);
	assert.equal(peer.count["/hang-a-again"], 2);
	assert.equal(nodes.once.status, "failed");
	assert.match(nodes.once.error, /interrupted/);
	assert.equal(peer.count["/hang-a-once"], 1);
	assert.equal(nodes.wait.status, "success");
	assert.equal(ms(nodes.wait.started_at), ms(wait.started_at));
	assert.equal(statuses(nodes.wait), "success");
	assert.ok(ms(nodes.wait.completed_at) - ms(wait.started_at) < 3900, "it went on, it didn't start over");
	assert.deepEqual(await recordFaults(server, [id]), soundRecord);
});

test("the same after everything was killed; a retry counts on", async () => {
	const { id } = await client.start(await client.active({ nodes: [
		{ name: "wait", ...delay("20s") },
		{ name: "again", ...ask("/hang-b-again") },
		{ name: "once", ...ask("/hang-b-once", { retry: { limit: 5, backoff: "1ms", on: ["timeout"] } }) },
		{ name: "tries", ...ask("/no-b-tries", { retry: { limit: 2, backoff: "3s", factor: 1 } }) },
	] }));
	const wait = await running(id, "wait");
	await running(id, "again");
	await running(id, "once");
	await until("one try is recorded", async () => (await node(id, "tries")).attempts.length === 1);
	await server.crash();
	await server.start();
	await client.finished(id, { seconds: 60 });
	const { nodes } = await client.withNodes(id);
	assert.equal(statuses(nodes.again), "interrupted success");
	assert.equal(peer.count["/hang-b-again"], 2);
	assert.equal(nodes.once.status, "failed");
	assert.match(nodes.once.error, /interrupted/);
	assert.equal(peer.count["/hang-b-once"], 1);
	assert.equal(statuses(nodes.tries), "failed failed failed");
	assert.equal(nodes.tries.retry_count, 2);
	assert.equal(peer.count["/no-b-tries"], 3);
	assert.equal(nodes.wait.status, "success");
	assert.equal(ms(nodes.wait.started_at), ms(wait.started_at));
	const took = ms(nodes.wait.completed_at) - ms(wait.started_at);
	assert.ok(took >= 20000 && took < 35000, `it went on: ${took} ms`);
	assert.deepEqual(await recordFaults(server, [id]), soundRecord);
});
