// The engine of GraphQL seen from beside: its statements, as PostgreSQL counts and plans them; which operations are allowed at all.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before } from "node:test";
import { OPENCTL, ROOT, execute, lua, startServer, test, until } from "./harness.mjs";

const load = createRequire(path.join(ROOT, "build/clients/package.json"));
const { WebSocket } = load("ws");
const { createClient } = load("graphql-ws");
const { createClient: createStreams } = load("graphql-sse");

let server;
let us;
let them;
let dag;

const ask = async (client, query, { variables, extensions } = {}) =>
	(await server.api("POST", "/graphql", { token: client.token, type: "application/json", body: { query, variables, extensions } })).json;

const codes = (got) => (got.errors ?? []).map((e) => e.extensions.code);

before(async () => {
	server = await startServer({ env: { OPEN_GRAPHQL_EXPLAIN: "on" } });
	// PostgreSQL counts statements only from its next start on.
	await server.psql("alter system set shared_preload_libraries = 'pg_stat_statements'", { role: "postgres" });
	await server.interrupt();
	await server.start();
	await server.psql("create extension pg_stat_statements schema public", { role: "postgres" });
	[us, them] = [await server.makeClient(), await server.makeClient()];
	dag = await us.active({ nodes: [{ name: "a", ...lua("return 1") }] });
	await us.run(dag);
});
after(() => server?.stop());

test("where the setting is on, a request that asks is told the SQL and the plan of each root field", async () => {
	const query = "query ($id: ID!) { dag(id: $id) { name } all: dags { id creator { name } } __typename currentUser { id } }";
	const plain = await ask(us, query, { variables: { id: dag.id } });
	assert.deepEqual(Object.keys(plain), ["data"]);
	const told = await ask(us, query, { variables: { id: dag.id }, extensions: { explain: true } });
	assert.deepEqual(told.data, plain.data);
	const { explain } = told.extensions;
	assert.deepEqual(explain.map((e) => e.field), ["dag", "all", "currentUser"]);
	for (const { sql, plan } of explain) {
		assert.match(sql, /^\s*select /i);
		assert.ok(!sql.includes(dag.id), "values travel as parameters");
		assert.ok(plan.Plan["Node Type"] && plan["Execution Time"] >= 0, JSON.stringify(plan));
	}
	assert.equal(explain[1].plan.Plan["Actual Rows"], 1, "as the actor: other organizations' rows are in no result");
	for (const explain of [false, 1, "true", null, {}]) {
		assert.deepEqual(Object.keys(await ask(us, query, { variables: { id: dag.id }, extensions: { explain } })), ["data"]);
	}
});

test("a plan is of what the actor may see: another organization's has no rows, a field that is forbidden none at all", async () => {
	const other = await ask(them, "query ($id: ID!) { dag(id: $id) { name } }", { variables: { id: dag.id }, extensions: { explain: true } });
	assert.equal(other.data.dag, null);
	assert.equal(other.extensions.explain[0].plan.Plan["Actual Rows"], 0);
	const user = await server.makeUser(us.org, { role: "user" });
	const member = { token: await server.makeToken(user) };
	const refused = await ask(member, "{ auditLog { id } }", { extensions: { explain: true } });
	assert.equal(refused.errors[0].extensions.code, "forbidden");
	assert.deepEqual(refused.extensions.explain, []);
});

test("of a mutation's fields the reading statement is told; an event stream's events have none", async () => {
	const told = await ask(us, "mutation ($id: ID!) { a: executeDAG(dagId: $id) { id } b: activateDAG(id: $id) { name } }",
		{ variables: { id: dag.id }, extensions: { explain: true } });
	assert.equal(told.errors, undefined, JSON.stringify(told.errors));
	assert.deepEqual(told.extensions.explain.map((e) => [e.field, e.plan.Plan["Actual Rows"]]), [["a", 1], ["b", 1]]);
	const stream = await server.api("POST", "/graphql", { token: us.token, type: "application/json", headers: { accept: "text/event-stream" },
		body: { query: "subscription ($id: ID!) { executionUpdated(executionId: $id) { id dag { name } } }", variables: { id: told.data.a.id }, extensions: { explain: true } } });
	assert.match(stream.text, /event: complete/);
	assert.ok(!/select |Plan/.test(stream.text), stream.text);
});

test("the setting and an address that others reach don't go together", async () => {
	const { code, stderr } = await execute(OPENCTL, ["graphql", "schema"], { env: { ...server.env, OPEN_LISTEN: "0.0.0.0:8080" } });
	assert.notEqual(code, 0);
	assert.match(stderr, /graphql_explain is for development/);
});

// --- statements ------------------------------------------------------------------------------------------------

// What a request made PostgreSQL do, but for saying who acts.
async function statements(fn) {
	await fn(); // Whose token it is, is known from here on.
	await server.psql("select public.pg_stat_statements_reset()", { role: "postgres" });
	const got = await fn();
	const all = await server.rows(`select s.calls, s.query from public.pg_stat_statements s join pg_roles r on r.oid = s.userid
		where r.rolname = 'open_server' and s.query not like 'select pg_catalog.set_config(%'`, { role: "postgres" });
	return { got, all };
}
const calls = (all) => all.reduce((n, s) => n + s.calls, 0);

test("a list of 1,000 DAGs with creator and last execution is one statement; so are an execution and its 1,000 nodes", async () => {
	const client = await server.makeClient();
	const wide = await client.active({ nodes: Array.from({ length: 1000 }, (_, i) => ({ name: `n${i}` })) });
	const { execution } = await client.run(wide);
	await server.psql(`insert into open.dags (organization_id, name, created_by)
		select organization_id, 'many-' || i, created_by from open.dags, generate_series(1, 999) i where id = '${wide.id}'`);
	const cases = [
		["{ dags(limit: 1000) { id name creator { name } executions(first: 1, sort: [{field: INSERTED_AT, order: DESC}]) { id status } } }", (d) => d.dags.length === 1000 && d.dags.every((x) => x.creator), 1],
		["query ($id: ID!) { execution(id: $id) { id nodeExecutions { nodeName status execution { id } } } }", (d) => d.execution.nodeExecutions.length === 1000, 1],
		["query ($id: ID!) { execution(id: $id) { id } dags(limit: 1) { id } dagsConnection(first: 1) { totalCount } }", (d) => d.dagsConnection.totalCount === 1000, 3],
	];
	for (const [query, holds, count] of cases) {
		const { got, all } = await statements(() => ask(client, query, { variables: { id: execution.id } }));
		assert.ok(holds(got.data), JSON.stringify(got).slice(0, 300));
		assert.equal(calls(all), count, JSON.stringify(all));
	}
});

test("a mutation's field reads its selection by one statement, whatever is nested in it", async () => {
	const nested = "{ id name creator { name } versions { number creator { name } } executions { nodeExecutions { nodeName } } }";
	const plain = await statements(() => ask(us, "mutation ($id: ID!) { activateDAG(id: $id) { id } }", { variables: { id: dag.id } }));
	const deep = await statements(() => ask(us, `mutation ($id: ID!) { activateDAG(id: $id) ${nested} }`, { variables: { id: dag.id } }));
	assert.equal(deep.got.data.activateDAG.versions.length, 1, JSON.stringify(deep.got));
	assert.equal(calls(deep.all), calls(plain.all));
	assert.equal(calls(deep.all.filter((s) => / as c0\b/.test(s.query))), 1, "the route's own have no such columns");
	const two = await statements(() => ask(us, `mutation ($id: ID!) { a: activateDAG(id: $id) ${nested} b: activateDAG(id: $id) { name } }`, { variables: { id: dag.id } }));
	assert.equal(calls(two.all), 2 * calls(plain.all));
});

test("a cursor that was made up is refused before the database is asked, whatever its values are", async () => {
	const made = async (sort, values) => {
		const page = await ask(us, `{ dagsConnection(first: 1, sort: [${sort}]) { edges { cursor } } }`);
		const order = Buffer.from(page.data.dagsConnection.edges[0].cursor, "base64url").toString().slice(0, 8);
		const text = order + values.map((v) => (v === null ? "-" : `${v.length}:${v}`)).join("");
		const answer = await ask(us, `query ($c: String) { dagsConnection(after: $c, sort: [${sort}]) { edges { node { id } } } }`, { variables: { c: Buffer.from(text, "latin1").toString("base64url") } });
		return answer.errors === undefined ? "fine" : codes(answer)[0];
	};
	for (const version of ["99999999999999999999", "1.5", "x", "", "-", "--1", "0x1"]) {
		assert.equal(await made("{field: VERSION}", [version, dag.id]), "invalid_cursor", version);
	}
	assert.equal(await made("{field: VERSION}", ["1", "no id"]), "invalid_cursor");
	for (const version of ["0", "5000000000", null]) assert.equal(await made("{field: VERSION}", [version, dag.id]), "fine");
	for (const at of ["x", "99999999999999999999", "-9999999999999999999", "infinity"]) assert.equal(await made("{field: UPDATED_AT}", [at, dag.id]), "invalid_cursor", at);
	for (const name of ["a\0b", "\xff"]) assert.equal(await made("{field: NAME}", [name, dag.id]), "invalid_cursor", JSON.stringify(name));
});

// --- bombs ---------------------------------------------------------------------------------------------------

const many = (n, one) => Array.from({ length: n }, (_, i) => one(i)).join(" ");
const doubled = (levels, leaf) => `{ ...f0 } ${many(levels, (i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`)} fragment f${levels} on Query { ${leaf} }`;
const NAMED = "query ($f: DAGFilters) { dags(filters: $f) { id } }";
// [what, document, variables, codes that tell it; none: it is answered]
const BOMBS = [
	["100,000 aliases", `{${many(100000, () => "a:b")}}`, undefined, ["too_many_aliases"]],
	["100,000 fields", `{${many(100000, () => "dags{id}")}}`, undefined, ["too_many_fields"]],
	["depth 10,000", "{a".repeat(10000), undefined, ["too_deep"]],
	["depth 10,000 of a list", `{dags(filters:{and:${"[".repeat(10000)}`, undefined, ["too_deep"]],
	["nearly 1 MB of {", "{".repeat(1000000), undefined, ["graphql_syntax"]],
	["nearly 1 MB of a comment", `{ __typename } #${"x".repeat(900000)}`, undefined, []],
	["fragments in a circle", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...c } fragment c on Query { ...a }", undefined, ["graphql_validation"]],
	["a spiral of fragments", doubled(14, "__typename"), undefined, ["too_many_root_fields"]],
	["a spiral that asks much", doubled(20, "dags { executions { nodeExecutions { id } } }"), undefined, ["query_too_costly", "too_many_root_fields", "query_too_deep"]],
	["20 lists in one another", `{ dags { executions ${"{ dag { executions ".repeat(6)}{ id }${"} }".repeat(6)} } }`, undefined, ["query_too_costly"]],
	["a list of 100,000", NAMED, { f: { name: { in: Array.from({ length: 100000 }, (_, i) => `${i}`) } } }, ["too_many_items"]],
	["a list of 5,000 objects", NAMED, { f: { or: Array.from({ length: 5000 }, () => ({ name: { eq: "x" } })) } }, ["query_too_costly"]],
	["variables of depth 90", NAMED, JSON.parse(`{"f":${'{"not":'.repeat(90)}{}${"}".repeat(90)}}`), []],
	["an integer of 33 bits", "{ dags(limit: 2147483648) { id } }", undefined, ["graphql_validation"]],
	["an integer of 33 bits as a variable", "query ($n: Int) { dags(limit: $n) { id } }", { n: 2147483648 }, ["invalid_variable"]],
	["an integer of 400 digits", `{ dags(limit: ${"9".repeat(400)}) { id } }`, undefined, ["graphql_validation"]],
	["a float that is infinite", "{ executions(filters: {successRate: {gt: 1e999}}) { id } }", undefined, ["graphql_validation"]],
	["a lone surrogate, escaped in the document", '{ dags(filters: {name: {eq: "\\ud800"}}) { id } }', undefined, ["graphql_syntax"]],
	["NUL escaped in a value", '{ dags(filters: {name: {eq: "a\\u0000b"}}) { id } }', undefined, ["invalid_argument", "graphql_validation"]],
];

test("bombs are refused with what is wrong, over HTTP, WebSocket and event stream, and the server goes on", async () => {
	const headers = { Authorization: `Bearer ${us.token}` };
	const url = `${server.url}/graphql`;
	const sockets = createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: headers });
	const streams = createStreams({ url, headers, retryAttempts: 0 });
	const pids = server.workers().map((p) => p.pid);
	const wrong = [];
	for (const [what, document, variables, expected] of BOMBS) {
		for (const [way, answered] of [["POST", () => ask(us, document, { variables })], ["WebSocket", () => answer(sockets, document, variables)], ["event stream", () => answer(streams, document, variables)]]) {
			const got = await answered();
			const told = Array.isArray(got?.errors) ? codes(got)[0] : got?.errors ? `${got.errors.code} ${got.errors.message ?? got.errors.reason}` : undefined;
			if (expected.length === 0 ? told !== undefined : !expected.includes(told)) wrong.push([what, way, told, JSON.stringify(got)?.slice(0, 200)]);
			assert.deepEqual((await ask(us, "{ __typename }")).data, { __typename: "Query" });
		}
	}
	assert.deepEqual(wrong, []);
	assert.deepEqual(server.workers().map((p) => p.pid), pids);
	await sockets.dispose();
	streams.dispose();
});

test("bodies that are no JSON in UTF-8 are refused before anything is read of them", async () => {
	const send = (bytes) => server.api("POST", "/graphql", { token: us.token, type: "application/json", body: Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes) });
	const quoted = (bytes) => Buffer.concat([Buffer.from('{"query":"{ __typename } #'), Buffer.from(bytes), Buffer.from('"}')]);
	for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80], [0], [0x1f]]) {
		assert.equal((await send(quoted(bytes))).status, 400, String(bytes));
	}
	for (const text of ['{"query":"\\ud800"}', '{"query":"\\udc00\\ud800"}', '{"query":"{ __typename }"', `${"[".repeat(100000)}`, '{"query":"{ __typename }","variables":{"a":1e999999}}']) {
		assert.ok([400].includes((await send(text)).status), text.slice(0, 30));
	}
	for (const text of ['{"query":"{ __typename \\u0000 }"}', '{"query":"{ __typename }","variables":{"a":"b\\u0000"}}']) assert.deepEqual((await send(text)).codes, ["nul_byte"]);
	assert.equal((await send("x".repeat(6 << 20))).status, 413);
	assert.equal((await send(quoted(Buffer.from("é😀")))).status, 200);
});

test("what follows a close is not read, and a client that leaves in the middle takes its operations along", async () => {
	const open = () => new Promise((resolve) => {
		const ws = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", { headers: { Authorization: `Bearer ${us.token}` }, perMessageDeflate: false });
		const heard = [];
		ws.on("message", (m) => { heard.push(JSON.parse(m)); if (heard.length === 1) resolve({ ws, heard }); });
		ws.on("open", () => ws.send(JSON.stringify({ type: "connection_init" })));
	});
	const { ws, heard } = await open();
	const closed = new Promise((resolve) => ws.on("close", resolve));
	const frame = (opcode, text) => Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
	const text = JSON.stringify({ id: "1", type: "subscribe", payload: { query: "{__typename}" } });
	ws._socket.write(Buffer.concat([frame(8, "\x03\xe8"), frame(1, text), frame(1, "{"), frame(9, "")]));
	await closed;
	assert.deepEqual(heard.map((m) => m.type), ["connection_ack"]);
	const gone = await open();
	for (let i = 0; i < 100; i++) gone.ws.send(JSON.stringify({ id: `${i}`, type: "subscribe", payload: { query: "{ dags { executions { nodeExecutions { id } } } }" } }));
	gone.ws.terminate();
	assert.deepEqual((await ask(us, "{ __typename }")).data, { __typename: "Query" });
});

// --- registered operations -------------------------------------------------------------------------------------

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const register = (client, document, name = "an operation") =>
	client.api("POST", "/api/v1/graphql-operations", { body: { data: { type: "graphql-operations", attributes: { name, document } } } });
const only = async (client, value) => {
	const answer = await client.api("PATCH", `/api/v1/organizations/${client.org.id}`,
		{ body: { data: { type: "organizations", id: client.org.id, attributes: { settings: { registered_operations_only: value } } } } });
	assert.equal(answer.status, 200, answer.text);
};
const answer = (via, query, variables) => new Promise((resolve) => {
	let got;
	via.subscribe({ query, variables }, { next: (a) => { got ??= a; }, error: (e) => resolve({ errors: e }), complete: () => resolve(got) });
});

test("operations are registered, listed and removed by admins; a document that would be refused is not registered", async () => {
	const document = "query Names { dags { name } }";
	const made = await register(us, document, "names");
	assert.equal(made.status, 201, made.text);
	assert.deepEqual([made.json.data.attributes.sha256, made.json.data.attributes.document], [sha256(document), document]);
	assert.deepEqual((await register(us, document)).codes, ["already_registered"]);
	const found = await us.get(`/api/v1/graphql-operations?filter[sha256]=${sha256(document)}`);
	assert.deepEqual(found.map((o) => [o.id, o.attributes.name]), [[made.json.data.id, "names"]]);
	assert.equal((await them.get("/api/v1/graphql-operations")).length, 0);
	for (const [wrong, status] of [["{ nothing }", 422], ["{", 422], ["", 422], [7, 422], ["#".repeat(256 * 1024 + 1), 422]]) {
		assert.equal((await register(us, wrong)).status, status, String(wrong).slice(0, 20));
	}
	assert.match((await register(us, "{\n dags { wrong } }")).json.errors[0].detail, /"wrong".*line 2, column 9/);
	const member = { token: await server.makeToken(await server.makeUser(us.org, { role: "user" })) };
	const refused = await server.api("POST", "/api/v1/graphql-operations", { token: member.token,
		body: { data: { type: "graphql-operations", attributes: { name: "x", document: "{ __typename }" } } } });
	assert.deepEqual([refused.status, refused.codes], [403, ["forbidden"]]);
	assert.equal((await them.api("DELETE", `/api/v1/graphql-operations/${made.json.data.id}`)).status, 404);
	// By its hash alone it is found, from the first request on.
	const alone = await ask(us, undefined, { extensions: { persistedQuery: { version: 1, sha256Hash: sha256(document) } } });
	assert.ok(Array.isArray(alone.data.dags), JSON.stringify(alone));
	assert.equal((await us.api("DELETE", `/api/v1/graphql-operations/${made.json.data.id}`)).status, 204);
	const [entry] = await us.get("/api/v1/audit-log?filter[action]=operation.delete");
	assert.equal(entry.attributes.subject_id, made.json.data.id);
});

test("openctl registers files, tells what is wrong in them, lists and removes", async () => {
	const org = ["--org", us.org.slug];
	const text = "query Mine($id: ID!) {\n\tdag(id: $id) { name }\n}\n";
	const good = server.write("mine.graphql", text);
	assert.equal(await server.ctl(["operation", "register", good, ...org]), sha256(text));
	assert.equal(await server.ctl(["operation", "register", good, ...org]), sha256(text), "again changes nothing");
	assert.match(await server.ctl(["operation", "list", ...org]), new RegExp(`mine.graphql\\s+${sha256(text)}`));
	const bad = await server.openctl(["operation", "register", server.write("bad.graphql", "{ dags {\n wrong } }"), ...org]);
	assert.equal(bad.code, 1);
	assert.match(bad.stderr, /bad\.graphql:2:2: .*"wrong"/);
	assert.equal(await server.ctl(["operation", "remove", sha256(text), ...org]), `removed ${sha256(text)}`);
	assert.equal((await server.openctl(["operation", "remove", sha256(text), ...org])).code, 1);
});

test("where only registered ones are allowed nothing else is executed: by POST, GET, WebSocket or event stream", async () => {
	const client = await server.makeClient();
	const id = (await client.active({ nodes: [{ name: "a", ...lua("return 1") }] })).id;
	const query = "query Dags { dags { id } }";
	const mutation = "mutation Start($id: ID!) { executeDAG(dagId: $id) { id } }";
	const subscription = "subscription Told($id: ID!) { executionUpdated(executionId: $id) { id status } }";
	for (const document of [query, mutation, subscription]) assert.equal((await register(client, document)).status, 201);
	await only(client, true);
	const url = `${server.url}/graphql`;
	const headers = { Authorization: `Bearer ${client.token}` };
	const sockets = createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: headers });
	const streams = createStreams({ url, headers, retryAttempts: 0 });
	const get = async (q) => (await server.api("GET", `/graphql?query=${encodeURIComponent(q)}`, { token: client.token })).json;
	const ways = [(q, v) => ask(client, q, { variables: v }), (q, v) => answer(sockets, q, v), (q, v) => answer(streams, q, v)];
	await until("the setting is known", async () => codes(await ask(client, "{ __typename }"))[0] === "operation_not_registered");
	for (const way of ways) {
		assert.deepEqual((await way(query)).data.dags, [{ id }]);
		for (const other of ["{ __typename }", `${query} `, "{ dags { id } }", "subscription { executionUpdated(executionId: \"x\") { id } }"]) {
			assert.deepEqual(codes(await way(other)), ["operation_not_registered"], other);
		}
		const run = (await way(mutation, { id })).data.executeDAG.id;
		if (way !== ways[0]) assert.equal((await way(subscription, { id: run })).data.executionUpdated.id, run);
	}
	assert.deepEqual((await get(query)).data.dags, [{ id }]);
	assert.deepEqual(codes(await get("{ __typename }")), ["operation_not_registered"]);
	const status = await server.api("POST", "/graphql", { token: client.token, type: "application/json", body: { query: "{ __typename }" } });
	assert.equal(status.status, 403);
	// Neither the worker's memory of texts nor another organization's list helps.
	const text = "{ dags { name } }";
	const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(text) } };
	for (let i = 0; i < 6; i++) await ask(us, text, { extensions });
	assert.equal((await register(us, text)).status, 201);
	assert.deepEqual(codes(await ask(client, undefined, { extensions })), ["operation_not_registered"]);
	assert.deepEqual(codes(await ask(client, text, { extensions })), ["operation_not_registered"]);
	// What is removed is refused from the next request on.
	const [row] = await client.get(`/api/v1/graphql-operations?filter[sha256]=${sha256(query)}`);
	assert.equal((await client.api("DELETE", `/api/v1/graphql-operations/${row.id}`)).status, 204);
	assert.deepEqual(codes(await ask(client, query)), ["operation_not_registered"]);
	await only(client, false);
	await until("all are allowed again", async () => (await ask(client, "{ __typename }")).data);
	await sockets.dispose();
	streams.dispose();
});
