// Every statement of the modules prepares against the migrated schema, as the role that will send it.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { ROOT, execute, startServer, test } from "./harness.mjs";

let server;
before(async () => {
	server = await startServer();
});
after(() => server?.stop());

const MODULES = path.join(ROOT, "modules");
const owners = fs.readdirSync(MODULES).filter((m) => fs.existsSync(path.join(MODULES, m, "sql"))).sort();

test("there are modules with statements", () => assert.ok(owners.length > 0));

for (const owner of owners) {
	// web's own statements (journal, recovery, tokens) cross organizations; all others act in one.
	const role = owner === "web" ? "open_system" : "open_server";
	test(`every statement of ${owner} prepares as ${role}`, async () => {
		const folder = path.join(MODULES, owner, "sql");
		const files = fs.readdirSync(folder).filter((f) => f.endsWith(".sql")).sort();
		const whole = files.filter((f) => !f.startsWith("_"));
		assert.ok(whole.length > 0);
		const all = await prepares(owner, files.map((f) => path.join(folder, f)));
		assert.ok(all.length >= whole.length, "sqlgen leaves statements out");
		for (const statement of all) {
			const { code, stderr } = await server.psql(`set role ${role};\n${statement}\n`, { role: "open_login", ok: false });
			assert.equal(code, 0, `${stderr}\n${statement}`);
		}
	});
}

async function prepares(owner, files) {
	const { code, stdout, stderr } = await execute("tools/sqlgen", ["--prepare", owner, ...files]);
	assert.equal(code, 0, stderr);
	return stdout.split(/^(?=prepare )/m).filter((s) => s.trim() !== "");
}
