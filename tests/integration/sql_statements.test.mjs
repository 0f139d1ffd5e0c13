// Every statement of the modules and of openctl prepares against the migrated schema, as the role that will send it.
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
const folders = fs.readdirSync(MODULES).sort().map((m) => [m, path.join(MODULES, m, "sql")])
	.concat([["openctl", path.join(ROOT, "tools/openctl/sql")]])
	.filter(([, folder]) => fs.existsSync(folder));

test("there are modules with statements", () => assert.ok(folders.length > 1));

// A statement that takes the organization acts in one; the others (journal, recovery, tokens) cross them.
const roleOf = (text) => (/^-- \$1 organization/m.test(text) ? "open_server" : "open_system");

for (const [owner, folder] of folders) {
	test(`every statement of ${owner} prepares as the role that sends it`, async () => {
		const files = fs.readdirSync(folder).filter((f) => f.endsWith(".sql")).sort();
		const fragments = files.filter((f) => f.startsWith("_")).map((f) => path.join(folder, f));
		const statements = files.filter((f) => !f.startsWith("_")).map((f) => path.join(folder, f));
		assert.ok(statements.length > 0);
		for (const file of statements) {
			const role = roleOf(fs.readFileSync(file, "utf8"));
			const prepare = await execute("tools/sqlgen", ["--prepare", owner, ...fragments, file]);
			assert.equal(prepare.code, 0, prepare.stderr);
			assert.match(prepare.stdout, /^prepare /, file);
			const { code, stderr } = await server.psql(`set role ${role};\n${prepare.stdout}\n`, { role: "open_login", ok: false });
			assert.equal(code, 0, `${file}: ${stderr}`);
		}
	});
}

// PostgreSQL keeps a plan while the table grows; that of an empty one must do for a full one too.
test("the journal finds its executions by the leading columns of an index, also when they were none at the last analyze", async () => {
	const web = path.join(MODULES, "web/sql");
	const fragments = fs.readdirSync(web).filter((f) => f.startsWith("_")).map((f) => path.join(web, f));
	const { stdout } = await execute("tools/sqlgen", ["--prepare", "web", ...fragments, path.join(web, "journal.sql")]);
	const name = stdout.match(/^prepare (\S+)/)[1];
	await server.psql("vacuum analyze open.executions_unfinished");
	const plan = (await server.psql(`set role open_system;\nset enable_seqscan = off;\nset plan_cache_mode = force_generic_plan;\n${stdout}
		explain execute ${name}(${Array(15).fill("null")});`, { role: "open_login" }));
	const lookup = plan.slice(plan.indexOf("Update on executions_unfinished"), plan.indexOf("CTE counted"));
	assert.match(lookup, /Tid Scan on executions_unfinished/, plan);
	const scans = [...lookup.matchAll(/(?:Index|Bitmap|Seq) .*executions_unfinished.*\n\s*(.*)/g)];
	assert.ok(scans.length > 0, plan);
	for (const [scan, condition] of scans)
		assert.match(condition, scan.includes("_pkey") ? /Cond: .*\bid/ : /Cond: .*organization_id = .*\bid/, plan);
});
