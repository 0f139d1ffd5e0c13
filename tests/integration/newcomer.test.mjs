// What a newcomer sees: `./build.sh run`, the examples, and Ctrl-C.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { Client, ROOT, SLOW, delay, ended, recordFaults, shell, soundRecord, startServer, test, unique,
	until } from "./harness.mjs";

const EXAMPLES = path.join(ROOT, "assets/examples");
const examples = fs.readdirSync(EXAMPLES).filter((f) => f.endsWith(".yaml")).map((file) => {
	const text = fs.readFileSync(path.join(EXAMPLES, file), "utf8");
	return {
		name: text.match(/^name: (\S+)$/m)[1],
		nodes: [...text.matchAll(/^ {2}- name: (\S+)$/gm)].map((m) => m[1]),
	};
});

let server;
let client;

before(async () => {
	server = await startServer();
	const token = await server.ctl(["token", "create", "--org", "demo", "--user", "admin@demo.test"]);
	client = new Client(server, { slug: "demo" }, { email: "admin@demo.test" }, token);
});
after(() => server?.stop());

const refused = (port) => new Promise((resolve) => {
	const socket = net.connect(port, "127.0.0.1");
	socket.on("connect", () => { socket.destroy(); resolve(false); });
	socket.on("error", () => resolve(true));
});

test("run says where it serves and what to try next", async () => {
	const log = await until("it says so", () => /openctl run/.test(server.log()) && server.log());
	assert.match(log, new RegExp(server.url));
	assert.match(log, /openctl run \S+ --org demo/);
	const tried = log.match(/openctl run (\S+) --org demo/)[1];
	assert.ok(examples.some((e) => e.name === tried), `${tried} is not an example`);
});

test("the admin's password is printed once and kept for its owner only", () => {
	const file = path.join(server.data, "admin-password");
	const password = fs.readFileSync(file, "utf8").trim();
	assert.ok(password.length >= 16);
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	assert.equal(server.log().split(password).length, 2);
});

test("every example is there and active", async () => {
	const active = (await client.get("/api/v1/dags?filter[status]=active&page[size]=100")).map((d) => d.attributes.name);
	assert.ok(examples.length >= 3);
	for (const { name, nodes } of examples) {
		assert.ok(active.includes(name), `${name} is not active`);
		assert.ok(nodes.length >= 10, `${name} has only ${nodes.length} nodes`);
	}
});

for (const { name, nodes } of examples) {
	test(`openctl runs ${name}, shows each node's state and time, and the API shows the same`, async () => {
		const { code, stdout, stderr } = await server.openctl(["run", name, "--org", "demo", "--wait"]);
		assert.equal(code, 0, stderr + stdout);
		const shown = {};
		for (const node of nodes) {
			const line = stdout.split("\n").find((l) => l.split(/\s+/).includes(node));
			assert.ok(line, `${node} is not shown:\n${stdout}`);
			assert.match(line, /\bsuccess\b/);
			assert.match(line, /\d+(\.\d+)? ?(ns|us|µs|ms|s|m)\b/);
			shown[node] = line.match(/\b(success|failed|skipped|cancelled|pending|running)\b/)[1];
		}
		const [latest] = await client.get("/api/v1/executions?sort=-inserted_at&page[size]=1");
		const { execution, nodes: stored, included } = await client.withNodes(latest.id);
		assert.equal(execution.attributes.status, "success");
		assert.equal(included.length, nodes.length);
		assert.deepEqual(Object.fromEntries(Object.entries(stored).map(([n, a]) => [n, a.status])), shown);
		assert.ok(execution.attributes.result, "the execution has no result");
		assert.deepEqual(await recordFaults(server, [latest.id]), soundRecord);
	});
}

test("openctl shows an execution for machines as the API tells it", async () => {
	const [latest] = await client.get("/api/v1/executions?sort=-inserted_at&page[size]=1");
	const shown = JSON.parse(await server.ctl(["execution", "show", latest.id, "--json"]));
	const text = JSON.stringify(shown);
	assert.ok(text.includes(latest.id));
	assert.ok(text.includes('"success"'));
	const { nodes } = await client.withNodes(latest.id);
	for (const name of Object.keys(nodes)) assert.ok(text.includes(JSON.stringify(name)), `${name} is missing`);
});

test("openctl without --wait returns the id of an execution that ends", async () => {
	const out = await server.ctl(["run", examples[0].name, "--org", "demo"]);
	const id = out.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/)[0];
	assert.equal((await client.finished(id)).attributes.status, "success");
});

test("openctl exits 1 when the execution it waits for fails, and 2 on wrong usage", async () => {
	const name = unique("fails");
	await client.active({ nodes: [{ name: "a", op: "lua", with: { script: "error('broken')" } }] }, { name });
	const failed = await server.openctl(["run", name, "--org", "demo", "--wait"]);
	assert.equal(failed.code, 1);
	assert.match(failed.stdout + failed.stderr, /broken/);
	assert.equal((await server.openctl(["run"])).code, 2);
	assert.equal((await server.openctl(["no-such-command"])).code, 2);
	assert.equal((await server.openctl(["run", name, "--org", "demo", "--no-such-option"])).code, 2);
	assert.equal((await server.openctl(["run", unique("nothing"), "--org", "demo"])).code, 1);
	assert.equal((await server.openctl(["dag", "list", "--org", unique("nobody")])).code, 1);
	for (const command of [[], ["migrate"], ["org", "create"], ["user", "create"], ["token", "create"], ["dag", "validate"],
		["dag", "import"], ["dag", "export"], ["dag", "list"], ["run"], ["execution", "show"]]) {
		const help = await server.openctl([...command, "--help"]);
		assert.equal(help.code, 0, command.join(" "));
		assert.match(help.stdout, /usage/i);
	}
});

test("health, readiness and metrics are told without credentials", async () => {
	for (const path of ["/healthz", "/readyz"]) assert.equal((await server.api("GET", path)).status, 200);
	const metrics = await server.api("GET", "/metrics", { headers: { accept: "text/plain" } });
	assert.equal(metrics.status, 200);
	assert.equal(metrics.type, "text/plain");
	assert.match(metrics.text, /^# TYPE \S+ (counter|gauge|histogram)$/m);
	assert.match(metrics.text, /^open_\w+({.*})? \d/m);
});

test("Ctrl-C stops everything, also what is running, and a second start reuses everything", async () => {
	const dag = await client.active({ nodes: [
		{ name: "command", ...shell("sleep 600 & sleep 600") },
		{ name: "wait", ...delay("600s") },
	] });
	const running = await client.start(dag);
	await until("the command runs", () => server.processes().some((p) => p.command.startsWith("sleep 600")));
	const versions = () => server.psql("select string_agg(d.name || v.number, ' ' order by d.name, v.number) "
		+ "from open.dags d join open.dag_versions v on v.dag_id = d.id");
	const before = await versions();
	const password = fs.readFileSync(path.join(server.data, "admin-password"), "utf8");

	assert.deepEqual(await server.interrupt(), []);
	assert.ok([0, 130, "SIGINT"].includes(server.exitCode), `build.sh ended with ${server.exitCode}`);
	assert.ok(await refused(server.port), "somebody still listens");

	await server.start({ seconds: 10 });
	assert.ok(server.startup < 10_000 * SLOW, `the second start took ${server.startup} ms`);
	assert.equal(await versions(), before);
	assert.equal(fs.readFileSync(path.join(server.data, "admin-password"), "utf8"), password);
	assert.ok(!server.log().includes(password.trim()), "the password is printed again");
	assert.doesNotMatch(server.log(), /apt-get|initdb|gcc|Installing|Creating/);

	// What the stop interrupted goes on, and can be cancelled.
	assert.ok(!ended((await client.execution(running.id)).attributes.status));
	await until("the command runs again", () => server.processes().some((p) => p.command.startsWith("sleep 600")));
	assert.ok((await client.cancel(running.id)).status < 300);
	const { attributes } = await client.finished(running.id);
	assert.equal(attributes.status, "cancelled");
	await until("the command is gone", () => !server.processes().some((p) => p.command.startsWith("sleep 600")));
});

test("a setting that is unknown or wrong stops the start with its name and line", async () => {
	const good = fs.readFileSync(path.join(ROOT, "conf/open.yaml"), "utf8");
	for (const [text, place, told] of [
		[`${good}\nno_such_setting: 1\n`, `${good.split("\n").length + 1}`, "no_such_setting"],
		[`workers: many\n`, "1", "workers"],
		[`log: info\nnode_limit: -5\n`, "2", "node_limit"],
	]) {
		const file = server.write("settings.yaml", text);
		const { code, stderr } = await server.openctl(["dag", "list", "--org", "demo"], { env: { OPEN_CONFIG: file } });
		assert.notEqual(code, 0, told);
		assert.match(stderr, new RegExp(told));
		assert.match(stderr, new RegExp(`settings\\.yaml:${place}\\b|line ${place}\\b`));
	}
	const { code, stderr } = await server.openctl(["dag", "list", "--org", "demo"], { env: { OPEN_NODE_LIMIT: "lots" } });
	assert.notEqual(code, 0);
	assert.match(stderr, /OPEN_NODE_LIMIT/);
});
