// Durability as a choice: what a version says of it, and what the database holds after a run.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { delay, layered, lua, recordFaults, soundRecord, startServer, test, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

const chain = (length) => ({
	nodes: Array.from({ length }, (_, i) => ({ name: `n${i}`, ...(i ? { dependencies: [`n${i - 1}`] } : {}) })),
});
const rowsOf = async (id) => {
	const [{ rows }] = await server.rows(`select count(*)::integer as rows from open.node_history where execution_id = '${id}'`);
	return rows;
};

test("a version shows its durability, batch where the definition says nothing", async () => {
	for (const durability of ["sync", "batch", "memory", undefined]) {
		const dag = await client.create({ ...chain(1), ...(durability ? { durability } : {}) });
		const [version] = await client.get(`/api/v1/dags/${dag.id}/versions`);
		assert.equal(version.attributes.durability, durability ?? "batch");
		const { attributes } = await client.get(`/api/v1/dag-versions/${version.id}`);
		assert.equal(attributes.definition.durability, durability === "batch" ? undefined : durability);
	}
});

test("another durability than these is refused at its place", async () => {
	const answer = await client.tryCreate({ ...chain(1), durability: "eventually" });
	assert.equal(answer.status, 422, answer.text);
	assert.deepEqual(answer.codes, ["invalid_durability"]);
	assert.match(answer.json.errors[0].source.pointer, /\/definition\/durability$/);
});

test("sync commits each frontier by itself", async () => {
	const { execution } = await client.runDefinition({ ...chain(20), durability: "sync" });
	assert.equal(execution.attributes.status, "success");
	assert.equal(await rowsOf(execution.id), 20);
	assert.deepEqual(await recordFaults(server, [execution.id]), soundRecord);
});

test("sync runs of nodes that compute and wait are recorded in order, many at once", async () => {
	const dag = await client.active({
		durability: "sync",
		...layered(5, 8, { op: (layer, i) => [{}, delay("2ms"), lua(`return ${layer}`)][i % 3] }),
	});
	const started = await Promise.all(Array.from({ length: 10 }, () => client.start(dag)));
	for (const { id } of started) assert.equal((await client.finished(id)).attributes.status, "success");
	assert.deepEqual(await recordFaults(server, started.map((e) => e.id)), soundRecord);
});

test("memory keeps only the execution's end, and no rows that would call its nodes pending", async () => {
	const { execution, included } = await client.runDefinition({
		durability: "memory",
		nodes: [{ name: "a" }, { name: "b", dependencies: ["a"], ...lua("return 7") }],
	});
	assert.equal(execution.attributes.status, "success");
	assert.equal(execution.attributes.succeeded_nodes, 2);
	assert.deepEqual(execution.attributes.result, { b: 7 });
	assert.deepEqual(included, []);
	assert.equal(await rowsOf(execution.id), 0);
});

test("a memory run that takes time is seen to run", async () => {
	const dag = await client.active({ durability: "memory", nodes: [{ name: "a", ...delay("1h") }] });
	const { id } = await client.start(dag);
	await until("it runs", async () => (await client.execution(id)).attributes.status === "running");
	await client.cancel(id);
	assert.equal((await client.finished(id)).attributes.status, "cancelled");
});
