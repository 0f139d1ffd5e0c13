// GraphQL's mutations: each is a route of REST under another name, and answers with the row it wrote.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Client, startServer, test, unique, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server.stop());

async function ask(query, variables, { token = client.token } = {}) {
	const answer = await server.api("POST", "/graphql", { token, type: "application/json", body: { query, variables },
		headers: { accept: "application/json" } });
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
}

async function data(query, variables, options) {
	const answer = await ask(query, variables, options);
	assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
	return answer.data;
}

// As the specification prints it; its name is in use after the first time.
const CREATE = `mutation CreateDAG {
  createDAG(input: {
    name: "Data Pipeline"
    description: "ETL workflow"
    definition: {
      nodes: [
        {name: "extract", dependencies: []}
        {name: "transform", dependencies: ["extract"]}
        {name: "load", dependencies: ["transform"]}
      ]
    }
  }) {
    id
    name
    status
  }
}`;

const EXECUTE = `mutation ExecuteDAG($dag: ID!) {
  executeDAG(
    dagId: $dag
    context: {input_path: "/data/raw"}
  ) {
    id
    status
    startedAt
  }
}`;

async function makeDag(nodes = [{ name: "a" }]) {
	const { createDAG } = await data(`mutation($input: CreateDAGInput!) { createDAG(input: $input) { id } }`,
		{ input: { name: unique("dag"), definition: { nodes } } });
	await data(`mutation($id: ID!) { activateDAG(id: $id) { status } }`, { id: createDAG.id });
	return createDAG.id;
}

test("the specification's documents create a DAG and run it", async () => {
	const { createDAG } = await data(CREATE);
	assert.deepEqual({ ...createDAG, id: null }, { id: null, name: "Data Pipeline", status: "DRAFT" });
	const { activateDAG } = await data(`mutation { activateDAG(id: "${createDAG.id}") { status activeVersion { number } } }`);
	assert.deepEqual(activateDAG, { status: "ACTIVE", activeVersion: { number: 1 } });
	const { executeDAG } = await data(EXECUTE, { dag: createDAG.id });
	assert.match(executeDAG.status, /^(PENDING|RUNNING|SUCCESS)$/);
	await until("it has succeeded", async () => (await data(`{ execution(id: "${executeDAG.id}") { status } }`)).execution.status === "SUCCESS");
	const { execution } = await data(`{ execution(id: "${executeDAG.id}") { context dag { name } } }`);
	assert.deepEqual(execution, { context: { input_path: "/data/raw" }, dag: { name: "Data Pipeline" } });
});

test("fields of a mutation run one after the other, and each shows what was there when it ended", async () => {
	const id = await makeDag();
	const answer = await data(`mutation($id: ID!) {
		first: updateDAG(id: $id, input: {description: "one"}) { description }
		__typename
		second: updateDAG(id: $id, input: {description: "two"}) { description version }
		archiveDAG(id: $id) { status description }
		deleteDAG(id: $id)
	}`, { id });
	assert.deepEqual(answer, { first: { description: "one" }, __typename: "Mutation", second: { description: "two", version: 1 },
		archiveDAG: { status: "ARCHIVED", description: "two" }, deleteDAG: true });
	assert.deepEqual(Object.keys(answer), ["first", "__typename", "second", "archiveDAG", "deleteDAG"]);
	assert.equal((await data(`{ dag(id: "${id}") { id } }`)).dag, null);
});

test("what REST refuses is told at the field, with REST's code and the argument; what follows is done", async () => {
	const id = await makeDag();
	const answer = await ask(`mutation($id: ID!) {
		bad: updateDAG(id: $id, input: {definition: {nodes: [{name: "a", dependencies: ["b"]}]}}) { id }
		good: updateDAG(id: $id, input: {description: "still"}) { description }
		none: cancelExecution(id: "${id}") { id }
	}`, { id });
	assert.deepEqual(answer.data, { bad: null, good: { description: "still" }, none: null });
	const [bad, none] = answer.errors;
	assert.deepEqual(bad.path, ["bad"]);
	assert.equal(bad.extensions.code, "unknown_dependency");
	assert.equal(bad.extensions.argument, "/input/definition/nodes/0/dependencies/0");
	assert.deepEqual(bad.locations, [{ line: 2, column: 3 }]);
	assert.deepEqual([none.path, none.extensions.code], [["none"], "execution_not_found"]);
});

test("executions are cancelled, paused, resumed, signalled and run again", async () => {
	const id = await makeDag([{ name: "w", op: "wait_for", with: { signal: "go" } }]);
	const start = async () => (await data(EXECUTE, { dag: id })).executeDAG.id;
	const [one, two] = [await start(), await start()];
	await data(`mutation { cancelExecution(id: "${one}") { cancelRequestedAt } }`);
	const { pauseExecution } = await data(`mutation { pauseExecution(id: "${two}") { pausedAt } }`);
	assert.ok(pauseExecution.pausedAt);
	assert.equal((await data(`mutation { resumeExecution(id: "${two}") { pausedAt } }`)).resumeExecution.pausedAt, null);
	const { sendSignal } = await data(`mutation { sendSignal(executionId: "${two}", name: "go", value: {by: ["hand", 1.5, null, true]}) { name value } }`);
	assert.deepEqual(sendSignal, { name: "go", value: { by: ["hand", 1.5, null, true] } });
	const status = async (e) => (await data(`{ execution(id: "${e}") { status result } }`)).execution;
	await until("one is cancelled", async () => (await status(one)).status === "CANCELLED");
	await until("two has succeeded", async () => (await status(two)).status === "SUCCESS");
	const { rerunExecution } = await data(`mutation { rerunExecution(id: "${one}", from: FAILED) { id origin { id } } }`);
	assert.equal(rerunExecution.origin.id, one);
	await data(`mutation { cancelExecution(id: "${rerunExecution.id}") { id } }`);
});

test("a start that is sent twice with one idempotency key gives one execution", async () => {
	const id = await makeDag();
	const query = `mutation($dag: ID!, $key: String) { executeDAG(dagId: $dag, idempotencyKey: $key) { id } }`;
	const [a, b] = [await data(query, { dag: id, key: "k-1" }), await data(query, { dag: id, key: "k-1" })];
	assert.equal(a.executeDAG.id, b.executeDAG.id);
	assert.notEqual((await data(query, { dag: id })).executeDAG.id, a.executeDAG.id);
});

test("an id is never more than an id", async () => {
	for (const id of ["../../secrets", "x/activate", "%2e%2e", "a?b", "a\\nb", ""]) {
		const answer = await ask(`mutation($id: ID!) { archiveDAG(id: $id) { id } }`, { id });
		assert.deepEqual(answer.data, { archiveDAG: null });
		assert.match(answer.errors[0].extensions.code, /not_found$/);
	}
});

test("another organization's things are not found; a scope that doesn't reach is told; secrets' values are never shown", async () => {
	const id = await makeDag();
	const theirs = await server.makeClient();
	const answer = await ask(`mutation { updateDAG(id: "${id}", input: {description: "stolen"}) { id } executeDAG(dagId: "${id}") { id } }`,
		undefined, { token: theirs.token });
	assert.deepEqual(answer.data, { updateDAG: null, executeDAG: null });
	assert.deepEqual(answer.errors.map((e) => e.extensions.code), ["dag_not_found", "dag_not_found"]);
	const reader = await server.makeToken(client.user, "--scope", "read");
	const refused = await ask(`mutation { archiveDAG(id: "${id}") { id } }`, undefined, { token: reader });
	assert.equal(refused.errors[0].extensions.code, "insufficient_scope");
	const name = unique("S").replace(/-/g, "_");
	const made = await ask(`mutation { createSecret(name: "${name}", value: "hidden-value") { id name } }`);
	assert.equal(made.data.createSecret.name, name);
	assert.ok(!JSON.stringify(made).includes("hidden-value"));
	assert.equal((await data(`mutation { deleteSecret(id: "${made.data.createSecret.id}") }`)).deleteSecret, true);
});
