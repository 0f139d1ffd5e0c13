// Somebody sets the machine's clock while executions run: an hour ahead, a day back. The server and its database see it,
// the test does not.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { delay, execute, lua, ROOT, shell, startServer, temporary, test, until } from "./harness.mjs";

const HOUR = 3600n * 1000000000n;
let folder;
let file;
let server;
let client;

function step(ns) {
	const bytes = Buffer.alloc(8);
	bytes.writeBigInt64LE(ns);
	const fd = fs.openSync(file, "r+"); // In place: it is mapped.
	fs.writeSync(fd, bytes, 0, 8, 0);
	fs.closeSync(fd);
}

before(async () => {
	folder = temporary("open-clock-");
	fs.chmodSync(folder, 0o755);
	file = path.join(folder, "step");
	fs.writeFileSync(file, Buffer.alloc(8), { mode: 0o644 });
	const library = path.join(folder, "step.so");
	const { code, stderr } = await execute("cc", ["-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, path.join(ROOT, "tests/integration/clock/step.c"), "-ldl"]);
	assert.equal(code, 0, stderr);
	server = await startServer({ env: { LD_PRELOAD: library, STEP_FILE: file, ASAN_OPTIONS: "verify_asan_link_order=0:detect_leaks=0" } });
	client = await server.makeClient();
});
after(async () => {
	await server?.stop();
	fs.rmSync(folder, { recursive: true, force: true });
});

const databaseClock = async () => Number(await server.psql("select extract(epoch from clock_timestamp())::bigint"));

for (const [name, ns, seconds] of [["an hour ahead", HOUR, 3600], ["a day back", -24n * HOUR, -86400]]) {
	test(`the clock is set ${name} while nodes wait, run and are to be tried again: everything ends as if it were not`, async () => {
		step(0n);
		const dag = await client.active({ timeout: "5m", nodes: [
			{ name: "wait", ...delay("1500ms") },
			{ name: "run", ...shell("sleep 1; echo 1"), timeout: "60s" },
			{ name: "again", ...lua("error('no')"), retry: { limit: 3, backoff: "400ms" } },
			{ name: "end", dependencies: ["wait", "run"], ...lua("return 1") }] });
		const { id } = await client.start(dag);
		await until("it runs", async () => (await client.execution(id)).attributes.status === "running");
		const began = performance.now();
		step(ns);
		// The database really lives in that time.
		assert.ok(Math.abs(await databaseClock() - Date.now() / 1000 - seconds) < 600, "the step is not seen by PostgreSQL");
		const execution = await client.finished(id, { seconds: 60 });
		const took = performance.now() - began;
		assert.equal(execution.attributes.status, "failed"); // of "again", after its three retries
		const { nodes } = await client.withNodes(id);
		assert.deepEqual([nodes.wait.status, nodes.run.status, nodes.again.status, nodes.end.status], ["success", "success", "failed", "success"]);
		assert.equal(nodes.again.retry_count, 3);
		// Durations are those of a clock that nobody sets.
		assert.ok(nodes.wait.duration_ms >= 1500 && nodes.wait.duration_ms < 1500 + took, `${nodes.wait.duration_ms} ms`);
		for (const node of Object.values(nodes)) assert.ok(node.duration_ms >= 0 && node.duration_ms <= took + 3000, JSON.stringify(node));
		assert.ok(execution.attributes.duration_ms >= 1500 && execution.attributes.duration_ms <= took + 3000, `${execution.attributes.duration_ms} ms`);
	});

	test(`after the clock was set ${name}, the server still holds its lease and takes new executions`, async () => {
		const dag = await client.active({ nodes: [{ name: "a" }, { name: "b", dependencies: ["a"], ...delay("50ms") }] });
		const { execution } = await client.run(dag);
		assert.equal(execution.attributes.status, "success");
		assert.equal((await server.api("GET", "/readyz")).status, 200);
		assert.ok(!server.log().includes("has lost its lease"), "fenced by its own clock");
	});
}
