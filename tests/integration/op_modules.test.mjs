// Ops that somebody else wrote: loaded by a setting, known to documents, the API and the executor.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import path from "node:path";
import { execute, FLAVOR, OPENCTL, ROOT, startServer, test } from "./harness.mjs";

const MODULE = path.join(ROOT, "build", FLAVOR, "tests/op_module/shout.so");
let server;
let client;

before(async () => {
	const { code, stderr } = await execute("make", ["-s", "-f", "tools/build.mk", `FLAVOR=${FLAVOR}`, "op_modules"]);
	assert.equal(code, 0, stderr);
	server = await startServer({ env: { OPEN_OP_MODULES: MODULE } });
	client = await server.makeClient();
});
after(() => server?.stop());

test("an op of a module runs like any other", async () => {
	const dag = await client.active({ nodes: [
		{ name: "a", op: "shout", with: { text: "${{ context.word }}", times: 2 } },
		{ name: "b", op: "lua", dependencies: ["a"], with: { script: "return nodes.a.result .. '?'" } }] });
	const { execution } = await client.run(dag, { word: "hello" });
	assert.equal(execution.attributes.status, "success");
	assert.deepEqual(execution.attributes.result, { b: "HELLO!!?" });
});

test("its table is what documents are checked against, and the API shows it", async () => {
	const bad = await client.tryCreate({ nodes: [{ name: "a", op: "shout", with: { text: "x", times: 11, loud: true } }] });
	assert.equal(bad.status, 422);
	assert.deepEqual(bad.codes.sort(), ["invalid_parameter", "unknown_parameter"]);
	const { json } = await client.api("GET", "/api/v1/ops/shout");
	assert.deepEqual(json.data.attributes.parameters.map((p) => p.name), ["text", "times"]);
});

test("a file that is no module stops the start with its name", async () => {
	for (const [file, text] of [["/nonexistent.so", "/nonexistent.so"], ["libm.so.6", "exports no open_op_module"],
		[`${MODULE}:${MODULE}`, "\"shout\" already"]]) {
		const { code, stderr } = await execute(OPENCTL, ["op", "list"], { env: { OPEN_OP_MODULES: file } });
		assert.equal(code, 1, file);
		assert.match(stderr, /op_modules: /);
		assert.ok(stderr.includes(text), stderr);
	}
});
