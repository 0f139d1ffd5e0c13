// Whole workflows of hundreds of nodes: every node recorded once, none before its dependencies.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { ROOT, delay, layered, lua, recordFaults, soundRecord, startServer, test } from "./harness.mjs";

// Recorded scientific workflows, which lie beside a checkout where it is developed.
const SHARED = path.resolve(ROOT, "../shared/workflows");
const recorded = fs.existsSync(SHARED) ? fs.readdirSync(SHARED).filter((f) => f.endsWith(".yaml")) : [];

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

for (const file of recorded) {
	test(`the recorded workflow ${file} imports, activates and runs to success`, async () => {
		const text = fs.readFileSync(path.join(SHARED, file), "utf8");
		const name = text.match(/^name: (\S+)$/m)[1];
		const count = text.match(/^ {2}- name: /gm).length;
		await server.ctl(["dag", "import", path.join(SHARED, file), "--org", client.org.slug, "--activate"]);
		const { code, stdout, stderr } = await server.openctl(["run", name, "--org", client.org.slug, "--wait"]);
		assert.equal(code, 0, stderr + stdout.slice(-2000));

		const [dag] = await client.get(`/api/v1/dags?filter[name]=${name}`);
		const [{ id }] = await client.get(`/api/v1/executions?filter[dag]=${dag.id}`);
		const { execution, included } = await client.withNodes(id);
		assert.equal(execution.attributes.status, "success");
		assert.equal(execution.attributes.total_nodes, count);
		assert.equal(execution.attributes.succeeded_nodes, count);
		assert.equal(included.length, count);
		assert.ok(included.every((n) => n.attributes.status === "success"));
		assert.deepEqual(await recordFaults(server, [id]), soundRecord);
		assert.deepEqual(await hurried(id), []);
	});
}

// Delays that took less than they should.
const hurried = (id) => server.rows(`
	select n.node_name, n.completed_at - n.started_at as took, x.node -> 'with' ->> 'duration' as asked
	  from open.node_executions n
	  join open.executions e on e.id = n.execution_id
	  join open.dag_versions v on v.id = e.dag_version_id
	 cross join lateral (select v.definition -> 'nodes' -> n.node_index as node) x
	 where n.execution_id = '${id}' and x.node ->> 'op' = 'delay'
	   and n.completed_at - n.started_at < (replace(x.node -> 'with' ->> 'duration', 'ms', ' milliseconds'))::interval`);

test("a thousand nodes of mixed ops in ten layers run in the order of their dependencies", async () => {
	const definition = layered(10, 100, {
		op: (layer, i) => {
			if (i % 10 === 1) return delay("3ms");
			if (i % 10 === 2) return lua(`return {layer = ${layer}, i = ${i}}`);
			return {};
		},
	});
	const { execution, nodes, included } = await client.runDefinition(definition);
	assert.equal(execution.attributes.status, "success");
	assert.equal(included.length, 1000);
	assert.deepEqual(nodes["n4-52"].result, { layer: 4, i: 52 });
	assert.deepEqual(await recordFaults(server, [execution.id]), soundRecord);
	assert.deepEqual(await hurried(execution.id), []);
});

test("thirty executions of a thousand no-op nodes at once are all recorded whole", async () => {
	const dag = await client.active(layered(10, 100));
	const started = await Promise.all(Array.from({ length: 30 }, () => client.start(dag)));
	const finished = await Promise.all(started.map(({ id }) => client.finished(id)));
	assert.ok(finished.every((e) => e.attributes.status === "success" && e.attributes.succeeded_nodes === 1000));
	assert.deepEqual(await recordFaults(server, started.slice(0, 5).map((e) => e.id)), soundRecord);
	const [{ rows }] = await server.rows(`select sum(cardinality(nodes)) as rows from open.node_history
		where execution_id in (select id from open.executions where dag_id = '${dag.id}')`);
	assert.equal(rows, 30_000);
});

test("a chain of a thousand nodes runs one after the other", async () => {
	const nodes = Array.from({ length: 1000 }, (_, i) => ({ name: `n${i}`, ...(i ? { dependencies: [`n${i - 1}`] } : {}) }));
	const { execution } = await client.runDefinition({ nodes });
	assert.equal(execution.attributes.status, "success");
	assert.deepEqual(await recordFaults(server, [execution.id]), soundRecord);
});

test("nodes that wait don't hold each other up: two thousand delays of 300 ms end together", async () => {
	const nodes = Array.from({ length: 2000 }, (_, i) => ({ name: `n${i}`, ...delay("300ms") }));
	const { execution } = await client.runDefinition({ nodes });
	assert.equal(execution.attributes.status, "success");
	const [{ seconds }] = await server.rows(`select extract(epoch from max(completed_at) - min(started_at)) as seconds
		from open.node_executions where execution_id = '${execution.id}'`);
	assert.ok(seconds < 2, `they took ${seconds} s`); // One after the other: ten minutes.
});
