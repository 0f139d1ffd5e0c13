// A server with little room: what doesn't fit is refused or waits, nothing acknowledged is lost.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { delay, lua, pause, recordFaults, soundRecord, startServer, test, until } from "./harness.mjs";

const SLOTS = 20;
const PLANS = 2;

let server;
let client;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2", OPEN_SHARED_MEMORY: "8MiB", OPEN_MAX_RUNS: String(SLOTS), OPEN_MAX_PLANS: String(PLANS) } });
	client = await server.makeClient();
});
after(() => server?.stop());

const gauge = async (name) => Number(new RegExp(`^open_${name} (\\d+)$`, "m").exec((await server.api("GET", "/metrics")).text)[1]);
const atRest = () => until("no slot is taken", async () => (await gauge("executions")) === 0);

async function allEnd(ids) {
	for (const id of ids) assert.equal((await client.finished(id, { seconds: 60 })).attributes.status, "success");
	assert.deepEqual(await recordFaults(server, ids), soundRecord);
	await atRest();
}

test("all slots are taken: starts are refused with 503, and accepted again when runs have ended", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...delay("2s") }, { name: "b", dependencies: ["a"], ...lua("return 1") }] });
	const answers = await Promise.all(Array.from({ length: 3 * SLOTS }, () => client.tryStart(dag)));
	const accepted = answers.filter((a) => a.status === 201).map((a) => a.json.data.id);
	assert.ok(accepted.length > SLOTS / 2 && accepted.length <= SLOTS, `${accepted.length}`); // One organization gets most of them.
	for (const answer of answers.filter((a) => a.status !== 201)) {
		assert.equal(answer.status, 503);
		assert.deepEqual(answer.codes, ["executor_full"]);
	}
	await allEnd(accepted);
	assert.equal((await client.run(dag)).execution.attributes.status, "success");
});

test("more plans are in use than there is room for: their executions wait for one another, and all end", async () => {
	const dags = await Promise.all(Array.from({ length: 4 * PLANS }, (_, i) => client.active({ nodes: [{ name: "a", ...delay("1s") }, { name: `b${i}`, dependencies: ["a"] }] })));
	const started = await Promise.all(dags.map((dag) => client.start(dag)));
	await allEnd(started.map((e) => e.id));
});

test("shared memory is full of results: starts are refused meanwhile, and everything accepted ends", async () => {
	const dag = await client.active({
		nodes: [{ name: "a", ...lua("return string.rep('x', 400000)") }, { name: "wait", dependencies: ["a"], ...delay("2s") }, { name: "b", dependencies: ["wait"], ...lua("return #nodes.a.result") }],
	});
	const accepted = [];
	let refused = 0;
	await until("a start is refused", async () => {
		const answer = await client.tryStart(dag);
		if (answer.status === 201) accepted.push(answer.json.data.id);
		else if (answer.status === 503) refused++;
		await pause(20);
		return refused > 0;
	}, { seconds: 30 });
	for (const id of accepted) await client.finished(id, { seconds: 60 });
	await atRest();
	// One that found no memory in time may have failed, but says so; most succeed.
	const ends = await Promise.all(accepted.map((id) => client.execution(id)));
	for (const { attributes } of ends) if (attributes.status !== "success") assert.match(attributes.error_message, /memory|results/);
	assert.ok(ends.some((e) => e.attributes.status === "success"), JSON.stringify(ends.map((e) => e.attributes.error_message)));
});

test("after a crash there are more executions to resume than slots: they take turns, and all end", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...delay("500ms") }, { name: "b", dependencies: ["a"], ...lua("return 1") }] });
	const ids = [];
	for (let i = 0; i < 3 * SLOTS; i++) ids.push(await server.ctl(["run", dag.attributes.name, "--org", client.org.slug]));
	await server.crash();
	await server.start();
	await allEnd(ids);
});
