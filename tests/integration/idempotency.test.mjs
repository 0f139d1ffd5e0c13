// Idempotency-Key: a start that is asked for again with the same key is the same start, whatever happened to its answer.
import assert from "node:assert/strict";
import net from "node:net";
import { before, after } from "node:test";
import { delay, JSONAPI, startServer, test, unique, until } from "./harness.mjs";

let server;
let client;
let dag;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
	client = await server.makeClient();
	dag = await client.active({ nodes: [{ name: "a" }] });
});
after(() => server?.stop());

const start = (key, { context, by = client, what = dag } = {}) => by.tryStart(what, context, { headers: { "idempotency-key": key } });
const count = async (what = dag) => (await server.rows(`select count(*)::integer as n from open.executions where dag_id = '${what.id}'`))[0].n;
const fresh = () => client.active({ nodes: [{ name: "a" }] });
const replayed = (answer) => answer.headers.get("idempotency-replayed");

test("the same request with the same key is answered with the same execution", async () => {
	const key = unique("key");
	const what = await fresh();
	const first = await start(key, { what, context: { day: 1, word: "x" } });
	assert.equal(first.status, 201, first.text);
	assert.equal(replayed(first), null);
	const { id } = first.json.data;
	assert.match(first.headers.get("location"), new RegExp(`/api/v1/executions/${id}$`));
	for (let i = 0; i < 4; i++) {
		if (i === 2) await client.finished(id);
		const again = await start(key, { what, context: { word: "x", day: 1 } }); // The order of members is no difference.
		assert.equal(again.status, 200, again.text);
		assert.equal(replayed(again), "true");
		assert.equal(again.json.data.id, id);
	}
	assert.equal((await start(key, { what, context: { word: "x", day: 1 } })).json.data.attributes.status, "success");
	assert.equal(await count(what), 1);
	assert.notEqual((await start(unique("key"), { what })).json.data.id, id);
	assert.equal(await count(what), 2);
});

test("another request with the same key is refused and starts nothing", async () => {
	const key = unique("key");
	const other = await fresh();
	assert.equal((await start(key, { context: { a: 1 } })).status, 201);
	const before = await count();
	const post = (attributes) => client.api("POST", "/api/v1/executions", { headers: { "idempotency-key": key },
		body: { data: { type: "executions", attributes, relationships: { dag: { data: { type: "dags", id: dag.id } } } } } });
	for (const answer of [await start(key, { context: { a: 2 } }), await start(key), await start(key, { what: other, context: { a: 1 } }),
		await post({ context: { a: 1 }, metadata: { b: 1 } }), await post({ context: { a: 1 }, priority: 5 })]) {
		assert.equal(answer.status, 422, answer.text);
		assert.deepEqual(answer.codes, ["idempotency_key_reused"]);
	}
	assert.equal(await count(), before);
	assert.equal(await count(other), 0);
});

test("fifty requests at once with one key, on all workers, start one execution", async () => {
	for (let round = 0; round < 3; round++) {
		const what = await fresh();
		const key = unique("key");
		const answers = await Promise.all(Array.from({ length: 50 }, () => start(key, { what })));
		assert.ok(answers.every((a) => a.status === 201 || a.status === 200), answers.find((a) => a.status > 201)?.text);
		assert.equal(answers.filter((a) => a.status === 201).length, 1);
		assert.ok(answers.every((a) => (a.status === 200) === (replayed(a) === "true")));
		assert.equal(new Set(answers.map((a) => a.json.data.id)).size, 1);
		assert.equal(await count(what), 1);
		assert.equal((await client.finished(answers[0].json.data.id)).attributes.status, "success");
	}
});

test("a key outlives a restart", async () => {
	const key = unique("key");
	const first = await start(key);
	await server.crash();
	await server.start();
	const again = await start(key);
	assert.equal(again.status, 200, again.text);
	assert.equal(again.json.data.id, first.json.data.id);
	assert.equal((await client.finished(first.json.data.id)).attributes.status, "success");
});

test("an answer that was lost with its connection is found again by the key", async () => {
	const what = await client.active({ nodes: [{ name: "a", ...delay("1ms") }] });
	const body = JSON.stringify({ data: { type: "executions", attributes: {}, relationships: { dag: { data: { type: "dags", id: what.id } } } } });
	const keys = Array.from({ length: 30 }, () => unique("key"));
	await Promise.all(keys.map((key, i) => new Promise((resolve) => {
		const socket = net.connect(server.port, "127.0.0.1", () => {
			socket.write(`POST /api/v1/executions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${client.token}\r\naccept: ${JSONAPI}\r\n`
				+ `content-type: ${JSONAPI}\r\nidempotency-key: ${key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
			setTimeout(() => socket.destroy(), i % 6);
		});
		socket.on("close", resolve);
		socket.on("error", () => {});
	})));
	const answers = await Promise.all(keys.map((key) => start(key, { what })));
	assert.ok(answers.every((a) => a.status === 200 || a.status === 201), answers.find((a) => a.status > 201)?.text);
	assert.equal(await count(what), keys.length);
	for (const a of answers) await client.finished(a.json.data.id);
});

test("keys are a user's own: another one of the organization, or of another, has others", async () => {
	const key = unique("key");
	const user = await server.makeUser(client.org, { role: "user" });
	const token = await server.makeToken(user);
	const mine = await start(key);
	const body = { data: { type: "executions", attributes: {}, relationships: { dag: { data: { type: "dags", id: dag.id } } } } };
	const other = await server.api("POST", "/api/v1/executions", { token, body, headers: { "idempotency-key": key } });
	assert.equal(other.status, 201, other.text);
	assert.notEqual(other.json.data.id, mine.json.data.id);
	const stranger = await server.makeClient();
	const answer = await start(key, { by: stranger });
	assert.equal(answer.status, 404, answer.text);
	assert.deepEqual(answer.codes, ["dag_not_found"]);
	// Another token of the same user is the same user.
	const second = await server.makeToken(client.user);
	assert.equal((await server.api("POST", "/api/v1/executions", { token: second, body, headers: { "idempotency-key": key } })).json.data.id, mine.json.data.id);
});

test("what refuses a start leaves no key behind; a DAG that was archived since is no obstacle to the answer", async () => {
	const key = unique("key");
	const draft = await client.create({ nodes: [{ name: "a" }] });
	const refused = await start(key, { what: draft });
	assert.equal(refused.status, 409);
	assert.deepEqual(refused.codes, ["dag_not_active"]);
	await client.activate(draft.id);
	const first = await start(key, { what: draft });
	assert.equal(first.status, 201, first.text);
	await client.api("POST", `/api/v1/dags/${draft.id}/archive`);
	const again = await start(key, { what: draft });
	assert.equal(again.status, 200, again.text);
	assert.equal(again.json.data.id, first.json.data.id);
	assert.deepEqual((await start(unique("key"), { what: draft })).codes, ["dag_not_active"]);
	const forbidden = await client.active({ nodes: [{ name: "a", op: "command", with: { shell: "true" } }] });
	await server.allowCommands(client.org.slug, false);
	assert.deepEqual((await start(key + "x", { what: forbidden })).codes, ["op_not_allowed"]);
	await server.allowCommands(client.org.slug, true);
	assert.equal((await start(key + "x", { what: forbidden })).status, 201);
});

test("a key has 1 to 255 printable characters", async () => {
	assert.equal((await start("k".repeat(255))).status, 201);
	assert.equal((await start('"with quotes, and spaces"')).status, 201);
	for (const key of ["k".repeat(256), "é", "a\tb"]) {
		const answer = await start(key);
		assert.equal(answer.status, 400, answer.text);
		if (key.length > 1 && !key.includes("\t")) assert.deepEqual(answer.codes, ["invalid_idempotency_key"]);
	}
});

test("after 24 hours a key is free again, and is forgotten in the background", async () => {
	const [key, left] = [unique("key"), unique("key")];
	const first = await start(key);
	await start(left);
	await server.psql(`update open.idempotency_keys set inserted_at = now() - interval '25 hours' where key = '${left}';
		insert into open.idempotency_keys (organization_id, actor_id, key, request_hash, execution_id, inserted_at)
		select '${client.org.id}', '${client.org.id}', 'old-' || i, sha256('x'), open.uuid_v7(), now() - interval '2 days' from generate_series(1, 2500) i`);
	await until("old keys are gone", async () => (await server.rows(`select count(*)::integer as n from open.idempotency_keys where key = '${left}' or key like 'old-%'`))[0].n === 0, { seconds: 40 });
	assert.equal((await start(key)).json.data.id, first.json.data.id, "a young one stays");
	const again = await start(left);
	assert.equal(again.status, 201, again.text);
	// Old, but not yet forgotten: free as well, for another request too.
	await server.psql(`update open.idempotency_keys set inserted_at = now() - interval '25 hours' where key = '${key}'`);
	const next = await start(key, { context: { other: true } });
	assert.equal(next.status, 201, next.text);
	assert.notEqual(next.json.data.id, first.json.data.id);
	assert.equal((await start(key, { context: { other: true } })).json.data.id, next.json.data.id);
});

test("a rerun takes a key, too", async () => {
	const { execution } = await client.run(dag);
	const key = unique("key");
	const rerun = (attributes, k = key) => client.api("POST", `/api/v1/executions/${execution.id}/rerun`, {
		headers: { "idempotency-key": k }, ...(attributes ? { body: { data: { type: "executions", attributes } } } : {}) });
	const answers = await Promise.all(Array.from({ length: 20 }, () => rerun({ nodes: ["a"] })));
	assert.deepEqual([...new Set(answers.map((a) => a.status))].sort(), [200, 201], answers.map((a) => a.text).join());
	assert.equal(answers.filter((a) => a.status === 201).length, 1);
	const [id] = new Set(answers.map((a) => a.json.data.id));
	assert.ok(answers.every((a) => a.json.data.id === id));
	for (const attributes of [undefined, { metadata: { x: 1 } }]) assert.deepEqual((await rerun(attributes)).codes, ["idempotency_key_reused"]);
	assert.deepEqual((await start(key)).codes, ["idempotency_key_reused"]);
	assert.equal((await server.rows(`select count(*)::integer as n from open.executions where origin_id = '${execution.id}'`))[0].n, 1);
	const long = await client.start(await client.active({ nodes: [{ name: "a", ...delay("1h") }] }));
	const other = unique("key");
	const early = () => client.api("POST", `/api/v1/executions/${long.id}/rerun`, { headers: { "idempotency-key": other } });
	assert.deepEqual((await early()).codes, ["execution_not_ended"]);
	await client.cancel(long.id);
	await client.finished(long.id);
	const later = await early();
	assert.equal(later.status, 201, later.text);
	await client.cancel(later.json.data.id);
	await client.finished(id);
});

test("openctl run takes a key", async () => {
	const what = await fresh();
	const key = unique("key");
	const run = (...more) => server.openctl(["run", what.attributes.name, "--org", client.org.slug, "--idempotency-key", key, ...more]);
	const first = await run();
	assert.equal(first.code, 0, first.stderr);
	const again = await run("--wait");
	assert.equal(again.code, 0, again.stderr);
	assert.match(again.stdout, new RegExp(first.stdout.trim()));
	assert.equal(await count(what), 1);
	const other = await run("--context", '{"a": 1}');
	assert.equal(other.code, 1);
	assert.match(other.stderr, /another execution was asked for/);
	assert.match((await server.openctl(["run", what.attributes.name, "--org", client.org.slug, "--idempotency-key", ""])).stderr, /1 to 255/);
	assert.equal(await count(what), 1);
});
