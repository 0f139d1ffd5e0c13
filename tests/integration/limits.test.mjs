// Who goes first, how much an organization may use at once, what it has used and when it is refused.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { lua, startServer, test } from "./harness.mjs";

let server;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
});
after(() => server?.stop());

const start = (client, dag, attributes = {}) => client.api("POST", "/api/v1/executions", {
	body: { data: { type: "executions", attributes, relationships: { dag: { data: { type: "dags", id: dag.id } } } } },
});

test("an execution's priority is what its start asks for, else its DAG's", async () => {
	const client = await server.makeClient();
	const dag = await client.active({ priority: -20, nodes: [{ name: "a" }] });
	const [version] = (await client.api("GET", `/api/v1/dag-versions?filter[dag]=${dag.id}`)).json.data;
	assert.equal(version.attributes.priority, -20);
	for (const [attributes, priority] of [[{}, -20], [{ priority: 100 }, 100], [{ priority: 0 }, 0]]) {
		const answer = await start(client, dag, attributes);
		assert.equal(answer.status, 201, answer.text);
		assert.equal(answer.json.data.attributes.priority, priority);
		assert.equal((await client.finished(answer.json.data.id)).attributes.priority, priority);
	}
	for (const priority of [101, -101, 1.5, "high"]) {
		const answer = await start(client, dag, { priority });
		assert.equal(answer.status, 422, answer.text);
		assert.equal(answer.json.errors[0].source.pointer, "/data/attributes/priority");
	}
	const run = (...more) => server.openctl(["run", dag.attributes.name, "--org", client.org.slug, "--wait", "--json", ...more]);
	assert.equal(JSON.parse((await run("--priority", "-7")).stdout).priority, -7);
	assert.equal(JSON.parse((await run()).stdout).priority, -20);
	const refused = await run("--priority", "300");
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /--priority is an integer from -100 to 100, not '300'/);
});

test("an organization's single execution does not wait for another's 5,000", { timeout: 240000 }, async () => {
	const flooded = await startServer({ env: { OPEN_WORKERS: "2" } });
	try {
		const [noisy, quiet] = [await flooded.makeClient(), await flooded.makeClient()];
		const work = lua("local n = 0 for i = 1, 2000000 do n = n + i end return n");
		const [flood, single] = [await noisy.active({ nodes: [{ name: "a", ...work }] }), await quiet.active({ nodes: [{ name: "a", ...work }] })];
		let sent = 0;
		const sender = async () => {
			while (sent++ < 5000) await noisy.start(flood);
		};
		await Promise.all(Array.from({ length: 32 }, sender));
		const { id } = await quiet.start(single);
		await quiet.finished(id, { seconds: 60 });
		const [{ waiting, ahead }] = await flooded.rows(`select count(*) filter (where f.completed_at is null) as waiting,
			count(*) filter (where f.completed_at between q.inserted_at and q.completed_at) as ahead
			from open.executions f, open.executions q where q.id = '${id}' and f.dag_id = '${flood.id}'`);
		assert.ok(waiting > 1000, `only ${waiting} of the flood were waiting`);
		// Those that computed when it came, and one turn of the organization on each worker.
		assert.ok(ahead <= 16, `${ahead} of the flood ended first`);
	} finally {
		await flooded.stop();
	}
});
