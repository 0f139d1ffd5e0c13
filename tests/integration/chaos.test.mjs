// A hundred executions while workers are killed at random: all end, nothing is lost, nothing twice.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { SLOW, delay, ended, kill, layered, lua, pause, recordFaults, shell, soundRecord, startServer, test, until } from "./harness.mjs";

const EXECUTIONS = 100;
const KILLS = 10;

let server;
let client;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "3" } });
	client = await server.makeClient();
});
after(() => server?.stop());

// 100 nodes in ten layers: no-ops, waits, scripts, conditions, a failing node with its handler, a few commands.
function mixed() {
	const definition = layered(10, 10, {
		op: (layer, i) => {
			if (i === 1) return delay(`${50 + layer * 20}ms`);
			if (i === 2) return lua(`local s = 0 for k = 1, 20000 do s = s + k end return {layer = ${layer}, sum = s, who = context.who}`);
			if (i === 3) return delay("${{ context.wait }}");
			if (i === 4 && layer % 5 === 0) return shell("cat; echo noted >&2", { retry: { limit: 100, backoff: "50ms" } });
			if (i === 5 && layer > 0) return { when: `nodes['n${layer - 1}-5'].status ~= 'failed'`, trigger: "all_done" };
			if (i === 6) return { retry: { limit: 3, backoff: "10ms" } };
			return {};
		},
	});
	return definition;
}

test(`${EXECUTIONS} executions of 100 nodes end while workers are killed ${KILLS} times, and the database agrees with the API`, async (t) => {
	const definition = mixed();
	assert.equal(definition.nodes.length, 100);
	const dag = await client.active(definition);
	const accepted = [];
	let starting = true;
	const starter = (async () => {
		for (let i = 0; i < EXECUTIONS; i++) {
			const who = `execution ${i}`;
			// A worker that dies takes its connections with it: whoever wasn't told "started" asks again.
			const { id } = await until("an execution is accepted", async () => {
				const answer = await client.tryStart(dag, { who, wait: `${100 + (i % 7) * 60}ms` }).catch(() => undefined);
				return answer?.status === 201 && answer.json.data;
			});
			accepted.push({ id, who });
		}
		starting = false;
	})();

	const killed = [];
	while (killed.length < KILLS) {
		const workers = await until("workers run", () => {
			const now = server.workers();
			return now.length > 0 && now;
		});
		const victim = workers[Math.floor(Math.random() * workers.length)];
		kill(victim);
		killed.push(victim.pid);
		// The next kill comes while there are runs to take over, some in quick succession.
		await pause(killed.length % 3 === 0 ? 50 : 400);
	}
	await starter;
	assert.equal(starting, false);
	assert.equal(accepted.length, EXECUTIONS);

	const list = accepted.map((e) => `'${e.id}'`).join(",");
	await until("all executions end", async () => {
		const [{ open }] = await server.rows(`select count(*) filter (where status not in ('success', 'failed', 'cancelled'))::integer as open
			from open.executions where id in (${list})`);
		return open === 0;
	}, { seconds: 90 });

	assert.deepEqual(await recordFaults(server, accepted.map((e) => e.id)), soundRecord);
	const stored = new Map((await server.rows(`select e.*, (select json_object_agg(n.node_name, n.status) from open.node_executions n where n.execution_id = e.id) as nodes
		from open.executions e where e.id in (${list})`)).map((e) => [e.id, e]));
	for (const { id, who } of accepted) {
		const { execution, nodes } = await until("the API answers", () => client.withNodes(id).catch(() => undefined));
		const row = stored.get(id);
		assert.equal(execution.attributes.status, "success", `${id}: ${execution.attributes.error_message}`);
		assert.ok(ended(row.status));
		assert.equal(execution.attributes.status, row.status);
		assert.equal(execution.attributes.succeeded_nodes, row.succeeded_nodes);
		assert.equal(execution.attributes.total_nodes, 100);
		assert.deepEqual(Object.fromEntries(Object.entries(nodes).map(([n, a]) => [n, a.status])), row.nodes);
		for (let layer = 0; layer < 10; layer++) {
			assert.deepEqual(nodes[`n${layer}-2`].result, { layer, sum: 200010000, who });
		}
	}
	await until("every worker is there again", () => server.workers().length === 3);
	assert.ok(!server.workers().some((p) => killed.includes(p.pid)));
	t.diagnostic(`killed ${killed.join(", ")}; slow factor ${SLOW}`);
});
