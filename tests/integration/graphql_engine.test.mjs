// The engine of GraphQL seen from beside: its statements, as PostgreSQL counts and plans them.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { OPENCTL, execute, lua, startServer, test } from "./harness.mjs";

let server;
let us;
let them;
let dag;

const ask = async (client, query, { variables, extensions } = {}) =>
	(await server.api("POST", "/graphql", { token: client.token, type: "application/json", body: { query, variables, extensions } })).json;

before(async () => {
	server = await startServer({ env: { OPEN_GRAPHQL_EXPLAIN: "on" } });
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
