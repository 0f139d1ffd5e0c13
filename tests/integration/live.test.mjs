// Subscriptions: what clients from npm are told of executions while they run, over WebSockets and event streams; what
// breaks the protocol, who is too slow, whose credentials end; other servers, reloads, killed workers.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before } from "node:test";
import { ROOT, Server, delay, freePort, kill, lua, startServer, temporary, test, until } from "./harness.mjs";

const load = createRequire(path.join(ROOT, "build/clients/package.json"));
const { WebSocket } = load("ws");
const { createClient } = load("graphql-ws");
const { createClient: createStreams } = load("graphql-sse");

const EXECUTION = `subscription ($id: ID!, $since: DateTime) { executionUpdated(executionId: $id, since: $since)
	{ id status completedAt succeededNodes result } }`;
const NODES = `subscription ($id: ID!, $since: DateTime) { nodeExecutionUpdated(executionId: $id, since: $since)
	{ nodeName status startedAt completedAt retryCount result error } }`;
// One field that no event tells: a statement for the group.
const JOINED = `subscription ($id: ID!) { n: nodeExecutionUpdated(executionId: $id)
	{ nodeName status execution { id dag { name } } } }`;

let server;
let client;
before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
	client = await server.makeClient();
});
after(() => server?.stop());

const waiting = { nodes: [{ name: "a" }, { name: "w", op: "wait_for", with: { signal: "go" }, dependencies: ["a"] },
	{ name: "b", ...lua("return {x = 7}"), dependencies: ["w"] }, { name: "z", dependencies: ["b"] }] };

async function begun(definition = waiting, who = client) {
	const execution = await who.start(await who.active(definition));
	await until("it waits", async () => (await who.withNodes(execution.id)).nodes.w?.status === "running");
	return execution.id;
}
const go = async (id) => assert.equal((await client.api("POST", `/api/v1/executions/${id}/signals`,
	{ body: { data: { type: "signals", attributes: { name: "go" } } } })).status, 201);

const address = (to = server) => to.url.replace("http", "ws") + "/graphql";
const connect = (more = {}, to = server) => createClient({ url: address(to), webSocketImpl: WebSocket, lazy: false, retryAttempts: 0,
	connectionParams: { Authorization: `Bearer ${client.token}` }, onNonLazyError: () => {}, ...more });

// Collects what a subscription tells; `ended` is kept when it completes or fails.
function listen(via, query, variables) {
	const heard = { answers: [], completed: false, failed: null };
	heard.stop = via.subscribe({ query, variables }, {
		next: (answer) => heard.answers.push(answer),
		error: (error) => { heard.failed = error; },
		complete: () => { heard.completed = true; },
	});
	// A node that ends at once may be told of only then.
	heard.ends = () => heard.nodes().filter((n) => n.endsWith("SUCCESS"));
	heard.nodes = () => heard.answers.map((a) => a.data.nodeExecutionUpdated).map((n) => `${n.nodeName} ${n.status}`);
	return heard;
}
const ready = (...heard) => until("they are told of the start", () => heard.every((h) => h.answers.length > 0));

// --- a client that says what it likes ----------------------------------------------------------------------------

async function socket({ protocol = "graphql-transport-ws", token = client.token, init = true, headers = {}, mask = true } = {}) {
	const ws = new WebSocket(address(), protocol, { headers, perMessageDeflate: false });
	const s = { ws, messages: [], closed: null };
	ws.on("message", (data) => s.messages.push(JSON.parse(data)));
	ws.on("close", (code, reason) => { s.closed = [code, String(reason)]; });
	ws.on("error", () => {});
	s.send = (message, options = { mask }) => ws.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message), options);
	s.ends = async (code) => {
		await until("it is closed", () => s.closed, { seconds: 30 });
		assert.equal(s.closed[0], code, s.closed[1]);
	};
	s.hears = (test, what = "a message") => until(what, () => s.messages.find(test));
	await until("it is open", () => ws.readyState === WebSocket.OPEN || s.closed);
	if (init) {
		s.send({ type: "connection_init", payload: { Authorization: `Bearer ${token}` } });
		await s.hears((m) => m.type === "connection_ack");
	}
	return s;
}
const subscribe = (id, query, variables) => ({ id, type: "subscribe", payload: { query, variables } });

// --- what is told ------------------------------------------------------------------------------------------------

test("whoever subscribes is told of each change, in order, with what a query shows after it", async () => {
	const id = await begun();
	const via = connect();
	const [execution, nodes, joined, twin] = [[EXECUTION, { id, since: "2020-01-01T00:00:00Z" }],
		[NODES, { id, since: "2020-01-01T00:00:00Z" }], [JOINED, { id }], [NODES, { id, since: "2020-01-01T00:00:00Z" }]]
		.map(([query, variables]) => listen(via, query, variables));
	await ready(execution, nodes, twin);
	assert.deepEqual(nodes.nodes(), ["a SUCCESS", "w RUNNING"]);
	await go(id);
	await until("all complete", () => [execution, nodes, joined, twin].every((h) => h.completed));
	assert.deepEqual(nodes.ends(), ["a SUCCESS", "w SUCCESS", "b SUCCESS", "z SUCCESS"]);
	assert.deepEqual(twin.answers, nodes.answers);
	const { data } = (await client.api("POST", "/graphql", { type: "application/json", body: {
		query: `query ($id: ID!) { execution(id: $id) { id status completedAt succeededNodes result
			nodeExecutions { nodeName status startedAt completedAt retryCount result error } dag { name } } }`, variables: { id } } })).json;
	const { nodeExecutions, dag, ...itself } = data.execution;
	assert.deepEqual(execution.answers.at(-1).data.executionUpdated, itself);
	assert.equal(itself.status, "SUCCESS");
	for (const name of ["w", "b", "z"]) {
		const last = nodes.answers.map((a) => a.data.nodeExecutionUpdated).findLast((n) => n.nodeName === name);
		assert.deepEqual(last, nodeExecutions.find((n) => n.nodeName === name));
	}
	assert.deepEqual(joined.answers.at(-1).data, { n: { nodeName: "z", status: "SUCCESS", execution: { id, dag } } });
	await via.dispose();
});

test("an event stream tells the same", async () => {
	const id = await begun();
	const via = createStreams({ url: `${server.url}/graphql`, headers: { Authorization: `Bearer ${client.token}` } });
	const heard = listen(via, NODES, { id, since: "2020-01-01T00:00:00Z" });
	await ready(heard);
	await go(id);
	await until("it completes", () => heard.completed);
	assert.deepEqual(heard.ends(), ["a SUCCESS", "w SUCCESS", "b SUCCESS", "z SUCCESS"]);
	const query = listen(via, "{ currentUser { id } }");
	await until("a query completes", () => query.completed);
	assert.equal(query.answers[0].data.currentUser.id, client.user.id ?? query.answers[0].data.currentUser.id);
	const wrong = listen(via, "subscription { nodeExecutionUpdated(executionId: \"none\") { id } }");
	await until("errors come as an answer", () => wrong.completed);
	assert.equal(wrong.answers[0].errors[0].extensions.code, "execution_not_found");
	const stranger = await server.api("POST", "/graphql", { type: "application/json", headers: { accept: "text/event-stream" }, body: { query: "{ __typename }" } });
	assert.equal(stranger.status, 401);
	via.dispose();
});

test("pause, its end and cancel are told; one that has ended tells its last state and completes", async () => {
	const id = await begun();
	const via = connect();
	const heard = listen(via, EXECUTION, { id, since: "2020-01-01T00:00:00Z" });
	await ready(heard);
	await client.pause(id);
	await until("pause", () => heard.answers.length === 2);
	await client.resume(id);
	await until("its end", () => heard.answers.length === 3);
	await client.cancel(id);
	await until("cancel", () => heard.completed);
	assert.equal(heard.answers.at(-1).data.executionUpdated.status, "CANCELLED");
	const late = listen(via, EXECUTION, { id });
	await until("it completes", () => late.completed);
	assert.deepEqual(late.answers[0].data, heard.answers.at(-1).data);
	await via.dispose();
});

test("executions of others and those that don't exist can't be told apart", async () => {
	const other = await server.makeClient();
	const foreign = await begun(waiting, other);
	const via = connect();
	for (const id of [foreign, "01940000-0000-7000-8000-000000000000", "nope"]) {
		const heard = listen(via, EXECUTION, { id });
		await until("it is refused", () => heard.failed);
		assert.deepEqual(heard.failed.map((e) => e.extensions.code), ["execution_not_found"]);
	}
	const heard = listen(via, "subscription { executionUpdated { id } }");
	await until("it is refused", () => heard.failed);
	assert.equal(heard.failed[0].extensions.code, "graphql_validation");
	await other.cancel(foreign);
	await via.dispose();
});

// --- the protocol ------------------------------------------------------------------------------------------------

test("what breaks the protocol closes with its code", async () => {
	const cases = [
		[4400, {}, (s) => s.send("{")],
		[4400, {}, (s) => s.send("[]")],
		[4400, {}, (s) => s.send({ type: "unknown" })],
		[4400, {}, (s) => s.send({ id: "1", type: "next", payload: {} })],
		[4400, {}, (s) => s.send({ type: "subscribe", payload: { query: "{a}" } })],
		[4400, {}, (s) => s.send({ id: "", type: "subscribe", payload: { query: "{a}" } })],
		[4400, {}, (s) => s.send({ id: "1", type: "subscribe", payload: { variables: {} } })],
		[4400, {}, (s) => s.send({ type: "ping", payload: 1 })],
		[4400, {}, (s) => s.send({ type: "complete" })],
		[4400, {}, (s) => s.send(Buffer.from(JSON.stringify({ type: "ping" })), { binary: true, mask: true })],
		[4401, { init: false }, (s) => s.send(subscribe("1", "{__typename}"))],
		[4403, { init: false }, (s) => s.send({ type: "connection_init" })],
		[4403, { init: false }, (s) => s.send({ type: "connection_init", payload: { Authorization: "Bearer open_t_nothing" } })],
		[4406, { init: false, protocol: [] }, () => {}],
		[4429, {}, (s) => s.send({ type: "connection_init" })],
		[4429, { init: false }, (s) => { s.send({ type: "connection_init", payload: { Authorization: `Bearer ${client.token}` } }); s.send({ type: "connection_init" }); }],
		[1002, {}, (s) => s.send({ type: "ping" }, { mask: false })],
		[1002, {}, (s) => { s.ws._sender.frame = undefined; s.ws._socket.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0])); }],
		[1007, {}, (s) => s.ws._socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]))],
		[1009, {}, (s) => s.send("x".repeat((1 << 20) + 1))],
	];
	for (const [code, options, act] of cases) {
		const s = await socket(options);
		act(s);
		await s.ends(code);
	}
});

test("who says nothing is asked to go, 10 s after it came", async () => {
	const s = await socket({ init: false });
	await s.ends(4408);
});

test("a message in pieces is one; pings of both kinds are answered at any time", async () => {
	const s = await socket({ init: false });
	s.send({ type: "ping", payload: { n: 1 } });
	assert.deepEqual(await s.hears((m) => m.type === "pong"), { type: "pong", payload: { n: 1 } });
	const text = JSON.stringify({ type: "connection_init", payload: { Authorization: `Bearer ${client.token}` } });
	s.ws.send(text.slice(0, 10), { fin: false });
	s.ws.ping("in between");
	s.ws.send(text.slice(10), { fin: true });
	const pong = new Promise((resolve) => s.ws.once("pong", resolve));
	await s.hears((m) => m.type === "connection_ack");
	assert.equal(String(await pong), "in between");
	s.ws.close(1000);
	await s.ends(1000);
});

test("an id serves again once its operation has ended, and never twice at once", async () => {
	const id = await begun();
	const s = await socket();
	for (let i = 0; i < 50; i++) {
		s.send(subscribe("same", NODES, { id }));
		s.send({ id: "same", type: "complete" });
	}
	s.send(subscribe("same", "{ __typename }"));
	await s.hears((m) => m.type === "complete" && m.id === "same");
	assert.deepEqual(s.messages.map((m) => m.type), ["connection_ack", "next", "complete"]);
	s.send({ id: "unknown", type: "complete" });
	for (let i = 0; i < 1000; i++) s.send(subscribe("many", NODES, { id }));
	await s.ends(4409);
	assert.match(s.closed[1], /^Subscriber for many already exists$/);
	await client.cancel(id);
});

test("nothing comes for an operation that the client completed, and the others go on", async () => {
	const id = await begun();
	const s = await socket();
	s.send(subscribe("gone", NODES, { id, since: "2020-01-01T00:00:00Z" }));
	s.send(subscribe("stays", NODES, { id, since: "2020-01-01T00:00:00Z" }));
	s.send(subscribe("error", "{ nothing }"));
	await s.hears((m) => m.id === "error" && m.type === "error");
	await s.hears((m) => m.id === "gone");
	await s.hears((m) => m.id === "stays");
	s.send({ id: "gone", type: "complete" });
	s.send(subscribe("after", "{ __typename }"));
	await s.hears((m) => m.id === "after" && m.type === "complete");
	const before = s.messages.filter((m) => m.id === "gone").length;
	await go(id);
	await s.hears((m) => m.id === "stays" && m.type === "complete");
	assert.equal(s.messages.filter((m) => m.id === "gone").length, before);
	s.ws.close();
});

test("a handshake that is none is refused as a request", async () => {
	const raw = async (headers) => {
		const response = await new Promise((resolve, reject) => {
			const c = net.connect(Number(new URL(server.url).port), "127.0.0.1", () => c.write(`GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`));
			c.once("data", (d) => { resolve(String(d)); c.destroy(); });
			c.once("error", reject);
		});
		return Number(response.split(" ")[1]);
	};
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
	assert.equal(await raw(`${key}Sec-WebSocket-Version: 8\r\n`), 426);
	assert.equal(await raw("Sec-WebSocket-Version: 13\r\n"), 400);
	assert.equal(await raw(`${key}Sec-WebSocket-Version: 13\r\n`), 101);
});

// --- who may, and who is too slow --------------------------------------------------------------------------------

test("credentials that stop counting end the connection", async () => {
	const id = await begun();
	const user = await server.makeUser(client.org, { role: "user" });
	const revoked = await socket({ token: await server.makeToken(user) });
	const removed = await server.makeUser(client.org, { role: "user" });
	const member = await socket({ token: await server.makeToken(removed) });
	for (const s of [revoked, member]) {
		s.send(subscribe("1", NODES, { id, since: "2020-01-01T00:00:00Z" }));
		await s.hears((m) => m.type === "next");
	}
	await server.psql(`update open.api_tokens set revoked_at = now() where user_id = (select id from open.users where email = '${user.email}')`);
	await revoked.ends(4403);
	assert.equal(member.closed, null);
	await server.psql(`delete from open.memberships where user_id = (select id from open.users where email = '${removed.email}')`);
	await member.ends(4403);
	await client.cancel(id);
});

test("a reader that is too slow is dropped, and holds up nobody", async () => {
	const nodes = [{ name: "w", op: "wait_for", with: { signal: "go" } }];
	for (let i = 0; i < 80; i++) nodes.push({ name: `d${i}`, ...delay(`${25 * i}ms`), dependencies: ["w"] },
		{ name: `n${i}`, ...lua("return string.rep('x', 300000)"), dependencies: [`d${i}`] });
	const id = await begun({ nodes });
	const slow = await socket();
	const via = connect();
	const fast = listen(via, NODES, { id, since: "2020-01-01T00:00:00Z" });
	slow.send(subscribe("1", NODES, { id, since: "2020-01-01T00:00:00Z" }));
	await ready(fast);
	await slow.hears((m) => m.type === "next");
	slow.ws._socket.pause();
	await go(id);
	await until("the fast one is told of all", () => fast.completed, { seconds: 60 });
	assert.equal(fast.ends().length, 161);
	slow.ws._socket.resume();
	await until("the slow one is dropped", () => slow.closed);
	assert.equal(slow.messages.some((m) => m.type === "complete"), false);
	await via.dispose();
});

// --- reloads, workers, servers -----------------------------------------------------------------------------------

test("modules are reloaded under open sockets, which go on", async () => {
	const id = await begun();
	const via = connect();
	const [nodes, joined] = [listen(via, NODES, { id, since: "2020-01-01T00:00:00Z" }), listen(via, JOINED, { id })];
	await ready(nodes);
	const reloads = () => server.log().split("reloaded '").length - 1;
	const seen = reloads();
	process.kill(Number(fs.readFileSync(path.join(server.data, "run/kore.pid"), "utf8")), "SIGHUP");
	await until("all have reloaded", () => reloads() >= seen + 3 * (server.workers().length + 1));
	await go(id);
	await until("both complete", () => nodes.completed && joined.completed);
	assert.deepEqual(nodes.ends(), ["a SUCCESS", "w SUCCESS", "b SUCCESS", "z SUCCESS"]);
	assert.equal(joined.answers.at(-1).data.n.execution.id, id);
	await via.dispose();
});

test("a worker is killed: clients come again with since, and miss nothing", async () => {
	const many = { nodes: [{ name: "w", op: "wait_for", with: { signal: "go" } }] };
	for (let i = 0; i < 40; i++) many.nodes.push({ name: `n${i}`, ...delay(`${50 + 25 * i}ms`), dependencies: ["w"] });
	const id = await begun(many);
	const ended = new Set();
	let since = "2020-01-01T00:00:00Z", completed = false, connections = 0;
	const again = () => {
		const via = connect();
		connections++;
		via.on("closed", () => { if (!completed) setTimeout(again, 50); });
		via.subscribe({ query: NODES, variables: { id, since } }, {
			next: ({ data, extensions }) => {
				const { nodeName, status } = data.nodeExecutionUpdated;
				if (status === "SUCCESS") ended.add(nodeName);
				since = extensions.since;
			},
			error: () => {},
			complete: () => { completed = true; },
		});
	};
	again();
	await until("it is told of", () => since > "2021");
	await go(id);
	await until("some have ended", () => ended.size > 5);
	for (const worker of server.workers()) kill(worker);
	await until("it completes", () => completed, { seconds: 60 });
	assert.equal(ended.size, 41);
	assert.ok(connections > 1);
});

test("whoever listens at another server is told within a second of the commit", async () => {
	const url = await server.database("url");
	const other = new Server({ data: temporary(), port: await freePort(), env: {
		OPEN_WORKERS: "2", OPEN_DATABASE_URL: url, OPEN_DATABASE_OWNER_URL: url.replace("open_login", "open_owner"),
		OPEN_SECRET_KEY_FILE: path.join(server.data, "secret-key") } });
	other.socketFolder = server.sockets();
	await other.start();
	try {
		const id = await begun();
		const via = connect({}, other);
		const [nodes, execution] = [listen(via, NODES, { id, since: "2020-01-01T00:00:00Z" }), listen(via, EXECUTION, { id, since: "2020-01-01T00:00:00Z" })];
		await ready(nodes, execution);
		await client.pause(id);
		await until("the pause is told", () => execution.answers.length === 2);
		await client.resume(id);
		await until("its end is told", () => execution.answers.length === 3);
		await go(id);
		await until("all complete", () => nodes.completed && execution.completed, { seconds: 5 });
		assert.deepEqual(nodes.ends(), ["a SUCCESS", "w SUCCESS", "b SUCCESS", "z SUCCESS"]);
		assert.equal(execution.answers.at(-1).data.executionUpdated.status, "SUCCESS");
		await via.dispose();
	} finally {
		await other.stop();
	}
});
