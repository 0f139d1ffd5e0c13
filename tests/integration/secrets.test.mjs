// Secrets: what ops may know, and nobody else ever sees.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { instant, execute, Client, delay, lua, shell, startServer, test, unique, until } from "./harness.mjs";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

const set = (c, name, value) => server.ctl(["secret", "set", name, "--org", c.org.slug, "--value-stdin"], { stdin: value });
const post = (c, name, value) => c.api("POST", "/api/v1/secrets",
	{ body: { data: { type: "secrets", attributes: { name, value } } } });
const patch = (c, id, value) => c.api("PATCH", `/api/v1/secrets/${id}`,
	{ body: { data: { type: "secrets", id, attributes: { value } } } });

// Everything that the database holds, as text; bytes too.
const dump = async () => {
	const { code, stdout, stderr } = await execute("pg_dump",
		["-h", server.sockets(), "-U", "open_owner", "-d", "open", "--inserts"]);
	assert.equal(code, 0, stderr);
	return stdout;
};

const forms = (value) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value),
	encodeURIComponent(value).replaceAll(/%../g, (c) => c.toLowerCase()),
	Buffer.from(value).toString("base64").replace(/.=*$/, ""), Buffer.from(value).toString("base64url").slice(0, -1),
	Buffer.from(value).toString("hex"), Buffer.from(`x${value}`).toString("base64").slice(2, -4)];

const command = (line, more = {}) => ({ op: "command", with: { shell: line, ...more } });

test("a command gets a secret, and whatever it shows of it is ***, in every form, everywhere", async () => {
	const value = `s3cr3t "quoted" / ${unique("v")} é+%`;
	await set(client, "NOISY", `${value}\n`);
	const env = { V: "${{ secrets.NOISY }}", ALSO: "<${{ secrets.NOISY }}>" };
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "length", ...command('printf %s "$V" | wc -c', { env }) },
			{ name: "stdout", ...command('printf "%s|%s" "$V" "$ALSO"', { env }) },
			{ name: "stderr", ...command('printf %s "$V" >&2; echo 1', { env }) },
			{ name: "fails", ...command('echo "$V" >&2; echo "$V"; exit 3', { env }) },
			{ name: "json", ...command('jq -n --arg v "$V" \'{a: [$v, 1, {($v): $v}]}\'', { env }) },
			{ name: "encoded", ...command(
				'jq -n -r --arg v "$V" \'$v | @json, @base64, @uri\'; printf "user:%s" "$V" | base64', { env }) },
			{ name: "stdin", op: "command", with: { shell: "cat", stdin: "${{ secrets.NOISY }}" } },
			{ name: "script", op: "lua", with: { script: "print(input.k) error('no: ' .. input.k)",
				input: { k: "${{ secrets.NOISY }}" } } },
			{ name: "other", dependencies: ["length"], ...lua(`return "${value.replaceAll('"', '\\"')}"`) },
		],
	});
	assert.equal(nodes.length.result, Buffer.byteLength(value), "the command got the value itself");
	assert.equal(nodes.stdout.result, "***|<***>");
	assert.equal(nodes.stderr.log, "***");
	assert.equal(nodes.fails.status, "failed");
	assert.equal(nodes.fails.log.trim(), "***");
	assert.deepEqual(nodes.json.result, { a: ["***", 1, { "***": "***" }] });
	assert.match(nodes.encoded.result, /^"\*\*\*"\n\*\*\*=*\n\*\*\*\n[A-Za-z0-9+/]{1,8}\*\*\*$/);
	assert.equal(nodes.stdin.result, "***");
	assert.match(nodes.script.error, /no: \*\*\*/);
	assert.equal(nodes.script.log.trim(), "***");
	assert.equal(nodes.other.result, "***", "also where the node did not ask for it");
	assert.equal(execution.attributes.status, "failed");
	const shown = JSON.stringify(await client.withNodes(execution.id));
	// The definition of "other" holds what was written into it; everything else must not.
	const all = (await dump()).split("\n").filter((l) => !l.includes("INSERT INTO open.dag_versions")).join("\n");
	for (const form of forms(value)) {
		assert.ok(!all.includes(form), `the database holds ${form}`);
		assert.ok(!shown.includes(form), `the API shows ${form}`);
		assert.ok(!server.log().includes(form), `the log shows ${form}`);
	}
});

test("a request carries a secret, and what the server answers of it is hidden", async () => {
	const value = `tok/${unique("http")}+=`;
	const seen = [];
	const peer = http.createServer((request, response) => {
		seen.push({ bearer: request.headers["x-token"], basic: request.headers.authorization, url: request.url });
		response.writeHead(request.url.startsWith("/bad") ? 400 : 200, { "content-type": "application/json", "x-echo": request.headers["x-token"] });
		response.end(JSON.stringify({ headers: request.headers, url: request.url }));
	});
	await new Promise((resolve) => peer.listen(0, "127.0.0.1", resolve));
	try {
		const url = `http://127.0.0.1:${peer.address().port}`;
		await server.psql(`update open.organizations set settings = settings || '{"allow_private_addresses": true}' where id = '${client.org.id}'`);
		const own = new Client(server, client.org, client.user, await server.makeToken(client.user)); // knows the new setting
		await set(client, "TOKEN", value);
		const headers = { "x-token": "Bearer ${{ secrets.TOKEN }}", authorization: "Basic ${{ secrets.TOKEN }}" };
		const { nodes, execution } = await own.runDefinition({
			nodes: [{ name: "good", op: "http", with: { url: `${url}/good`, headers, query: { key: "${{ secrets.TOKEN }}" } } },
				{ name: "bad", op: "http", with: { url: `${url}/bad`, headers } },
				{ name: "nowhere", op: "http", with: { url: "http://127.0.0.1:1/${{ secrets.TOKEN }}" } }],
		});
		assert.equal(nodes.good.status, "success", nodes.good.error);
		assert.equal(seen[0].bearer, `Bearer ${value}`);
		assert.ok(seen.some((r) => decodeURIComponent(r.url) === `/good?key=${value}`));
		assert.equal(nodes.good.result.body.headers["x-token"], "Bearer ***");
		assert.equal(nodes.good.result.headers["x-echo"], "Bearer ***");
		assert.equal(nodes.good.result.body.url, "/good?key=***");
		assert.equal(nodes.bad.status, "failed");
		assert.equal(nodes.nowhere.status, "failed");
		const shown = JSON.stringify(await own.withNodes(execution.id)) + (await dump()) + server.log();
		for (const form of forms(value)) assert.ok(!shown.includes(form), form);
	} finally {
		peer.closeAllConnections();
		peer.close();
	}
});

test("a missing secret fails the node and says which", async () => {
	const { nodes, execution } = await client.runDefinition({
		nodes: [{ name: "a", ...command("true", { env: { V: "${{ secrets.NO_SUCH }}" } }) },
			{ name: "b", trigger: "all_done", dependencies: ["a"] }],
	});
	assert.equal(nodes.a.status, "failed");
	assert.match(nodes.a.error, /secret_not_found.*"NO_SUCH"/);
	assert.equal(nodes.b.status, "success");
	assert.match(execution.attributes.error_message ?? nodes.a.error, /NO_SUCH/);
});

test("documents name secrets only in parameters", async () => {
	const bad = {
		when: { name: "a", when: "secrets.X == 'y'" },
		script: { name: "a", ...lua("return secrets.X") },
		expression: { name: "a", ...command("true", { env: { V: "${{ 'x' .. secrets.X }}" } }) },
		whole: { name: "a", ...command("true", { input: "${{ secrets }}" }) },
	};
	for (const [what, node] of Object.entries(bad)) {
		const answer = await client.tryCreate({ nodes: [node] });
		assert.equal(answer.status, 422, what);
		assert.deepEqual(answer.codes, ["secret_not_allowed"], what);
		assert.match(answer.json.errors[0].source.pointer, /\/nodes\/0\//, what);
	}
	const good = await client.tryCreate({ nodes: [{ name: "a", ...lua("return {secrets = 1, x = context.secrets}") }] });
	assert.equal(good.status, 201, good.text);
});

test("admins write secrets over REST; values never come back", async () => {
	const value = unique("rest-value");
	const made = await post(client, "REST", value);
	assert.equal(made.status, 201, made.text);
	const { id, attributes } = made.json.data;
	assert.deepEqual(Object.keys(attributes).sort(), ["inserted_at", "name", "updated_at"]);
	assert.equal(attributes.name, "REST");
	assert.equal(made.headers.get("location"), `/api/v1/secrets/${id}`);
	assert.deepEqual((await post(client, "REST", value)).codes, ["name_taken"]);
	const changed = await patch(client, id, `${value}-2`);
	assert.equal(changed.status, 200, changed.text);
	assert.ok(instant(changed.json.data.attributes.updated_at) > instant(attributes.updated_at));
	const answers = [made, changed, await client.api("GET", `/api/v1/secrets/${id}`),
		await client.api("GET", "/api/v1/secrets?filter[name]=REST&sort=-updated_at"),
		await client.api("GET", "/api/v1/secrets?fields[secrets]=value"),
		await patch(client, id, ""), await post(client, "1bad name", value), await post(client, "LONG", value + "x".repeat(65536)),
		await client.api("POST", "/api/v1/secrets",
			{ body: { data: { type: "secrets", attributes: { name: "A", value, more: value } } } }),
		await client.api("POST", "/api/v1/secrets", { body: { data: { type: "secrets", attributes: { name: "A", value: [value] } } } }),
		await client.api("PATCH", `/api/v1/secrets/${id}`,
			{ body: { data: { type: "secrets", id, attributes: { name: "OTHER" } } } }),
		await client.api("POST", "/api/v1/secrets", { body: `{"data": {"attributes": "${value}` }),
	];
	assert.deepEqual(answers.map((a) => a.status), [201, 200, 200, 200, 400, 422, 422, 422, 422, 422, 422, 400]);
	for (const a of answers) assert.ok(!a.text.includes(value), a.text);
	assert.equal(answers[3].json.data.length, 1);
	assert.ok(!(await dump()).includes(value));
	assert.ok(!server.log().includes(value));
	assert.equal((await client.api("DELETE", `/api/v1/secrets/${id}`)).status, 204);
	assert.deepEqual((await client.api("GET", `/api/v1/secrets/${id}`)).codes, ["secret_not_found"]);
	assert.deepEqual((await client.api("DELETE", `/api/v1/secrets/${id}`)).codes, ["secret_not_found"]);
	const openapi = (await client.api("GET", "/api/v1/openapi.json")).json;
	assert.ok(!("value" in openapi.components.schemas.secrets.properties.attributes.properties));
	assert.equal(openapi.components.schemas["secrets-create"].properties.attributes.properties.value.writeOnly, true);
});

test("who is no admin has nothing to do with secrets", async () => {
	const { json: { data: { id } } } = await post(client, "ADMINS_ONLY", "only-admins");
	const user = await server.makeUser(client.org, { role: "user" });
	const plain = new Client(server, client.org, user, await server.makeToken(user));
	const answers = [await plain.api("GET", "/api/v1/secrets"), await plain.api("GET", `/api/v1/secrets/${id}`),
		await post(plain, "MINE", "value"), await patch(plain, id, "other"), await plain.api("DELETE", `/api/v1/secrets/${id}`)];
	for (const a of answers) {
		assert.equal(a.status, 403);
		assert.deepEqual(a.codes, ["forbidden"]);
	}
	assert.equal((await server.api("GET", "/api/v1/secrets")).status, 401);
	// They may run what uses them.
	const dag = await client.active({ nodes: [{ name: "a", ...command("printf %s \"$V\" | wc -c", { env: { V: "${{ secrets.ADMINS_ONLY }}" } }) }] });
	assert.equal((await plain.run(dag)).nodes.a.result, 11);
});

test("another organization neither sees nor uses a secret, not even by copying its row", async () => {
	const { json: { data: { id } } } = await post(client, "OURS", "belongs-to-us");
	const other = await server.makeClient();
	assert.deepEqual((await other.api("GET", "/api/v1/secrets")).json.data, []);
	for (const answer of [await other.api("GET", `/api/v1/secrets/${id}`), await patch(other, id, "taken-over"),
		await other.api("DELETE", `/api/v1/secrets/${id}`)]) {
		assert.deepEqual(answer.codes, ["secret_not_found"]);
	}
	const use = { nodes: [{ name: "a", ...command("printf %s \"$V\" | wc -c", { env: { V: "${{ secrets.OURS }}" } }) }] };
	assert.match((await other.runDefinition(use)).nodes.a.error, /secret_not_found/);
	assert.equal((await client.runDefinition(use)).nodes.a.result, 13);
	await server.psql(`insert into open.secrets (organization_id, name, ciphertext, key_id)
		select '${other.org.id}', name, ciphertext, key_id from open.secrets where id = '${id}'`);
	await until("the copied row is refused", async () =>
		/secret_unreadable/.test((await other.runDefinition(use)).nodes.a.error));
	// The server's role for requests can't read even what is encrypted.
	const { code, stderr } = await server.psql(`set role open_server; select set_config('open.actor', '${client.org.id}', false);
		select ciphertext from open.secrets`, { role: "open_login", ok: false });
	assert.notEqual(code, 0);
	assert.match(stderr, /permission denied/);
});

test("a changed secret counts for nodes that start later, also of a run under way; its old value stays hidden", async () => {
	await set(client, "CHANGING", "the-first-value");
	const env = { V: "${{ secrets.CHANGING }}", OLD: "the-first-value" };
	const dag = await client.active({
		nodes: [{ name: "a", ...command("printf %s \"$V\" | md5sum", { env }) },
			{ name: "wait", dependencies: ["a"], ...delay("2s") },
			{ name: "b", dependencies: ["wait"], ...command("printf %s \"$V\" | md5sum; echo $OLD $V", { env }) }],
	});
	const { id } = await client.start(dag);
	await until("a has ended", async () => (await client.withNodes(id)).nodes.a.status === "success");
	await set(client, "CHANGING", "another-value");
	await client.finished(id);
	const { nodes } = await client.withNodes(id);
	assert.match(nodes.a.result, /^[0-9a-f]{32}/);
	assert.notEqual(nodes.a.result.slice(0, 32), nodes.b.result.slice(0, 32));
	assert.match(nodes.b.result, /\n\*\*\* \*\*\*$/);
});

test("rotation: a new key, everything under it, and values that still open", async () => {
	const file = path.join(server.data, "secret-key");
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	await set(client, "ROTATED", "rotated-value");
	const use = await client.active({ nodes: [{ name: "a", ...command("printf %s \"$V\" | wc -c", { env: { V: "${{ secrets.ROTATED }}" } }) }] });
	assert.equal((await client.run(use)).nodes.a.result, 13);
	const keys = async () => (await server.rows("select distinct key_id from open.secrets")).map((r) => r.key_id);
	const [old] = await keys();
	const owner = fs.statSync(file).uid;
	const told = await server.openctl(["secret", "rotate", "--new-key", "--json"]);
	const rotated = JSON.parse(told.stdout);
	assert.ok(rotated.rotated > 0);
	// The row that was copied from another organization opens under no key.
	assert.equal(rotated.failed, 1);
	assert.equal(told.code, 1);
	assert.match(told.stderr, /OURS/);
	assert.notEqual(rotated.key_id, old);
	assert.equal(fs.statSync(file).uid, owner);
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	assert.equal(fs.readFileSync(file, "utf8").trim().split("\n").length, 2);
	await server.psql("delete from open.secrets where key_id <> '" + rotated.key_id + "'");
	assert.deepEqual(await keys(), [rotated.key_id]);
	assert.equal((await client.run(use)).nodes.a.result, 13);
	assert.equal(JSON.parse(await server.ctl(["secret", "rotate", "--json"])).rotated, 0);
	// Written by the server after the rotation: under the new key, without a restart.
	await post(client, "AFTER", "after-rotation");
	assert.deepEqual(await keys(), [rotated.key_id]);
	// The old key may go.
	const lines = fs.readFileSync(file, "utf8").split("\n");
	fs.writeFileSync(file, `# the newest\n${lines[0]}\n`);
	await set(client, "ROTATED", "rotated-value-2");
	await until("it opens with the new key alone", async () => (await client.run(use)).nodes.a.result === 15);
});

test("openctl sets, lists and deletes; values come from standard input only", async () => {
	const org = client.org.slug;
	const value = unique("ctl-value");
	assert.match(await set(client, "CTL", value), /^[0-9a-f-]{36}$/);
	const list = await server.ctl(["secret", "list", "--org", org]);
	assert.match(list, /\bCTL\b/);
	assert.ok(!list.includes(value));
	assert.deepEqual(Object.keys(JSON.parse(await server.ctl(["secret", "list", "--org", org, "--json"]))[0]),
		["name", "inserted_at", "updated_at", "key_id"]);
	for (const [args, stdin, code] of [
		[["secret", "set", "CTL", "--org", org], value, 2],
		[["secret", "set", "not-a-name", "--org", org, "--value-stdin"], value, 2],
		[["secret", "set", "CTL", "--org", org, "--value-stdin"], "", 1],
		[["secret", "set", "CTL", "--org", org, "--value-stdin"], "x".repeat(65540), 1],
		[["secret", "set", "CTL", "--org", "no-such-org", "--value-stdin"], value, 1],
		[["secret", "delete", "NEVER_THERE", "--org", org], "", 1],
	]) {
		const answer = await server.openctl(args, { stdin });
		assert.equal(answer.code, code, `${args.join(" ")}: ${answer.stderr}`);
		assert.ok(!(answer.stdout + answer.stderr).includes(value));
	}
	assert.equal(await server.ctl(["secret", "delete", "CTL", "--org", org]), "deleted CTL");
});

test("a lost key fails the nodes that need it, and is told in the log without a value", async () => {
	const file = path.join(server.data, "secret-key");
	const kept = fs.readFileSync(file);
	await set(client, "LOST", "lost-value");
	fs.writeFileSync(file, `${Buffer.alloc(32, 7).toString("base64")}\n`);
	const use = { nodes: [{ name: "a", ...command("true", { env: { V: "${{ secrets.LOST }}" } }) }] };
	assert.match((await client.runDefinition(use)).nodes.a.error, /secret_unreadable.*"LOST"/);
	assert.match(server.log(), /key [0-9a-f]{16} of a secret is not there/);
	fs.writeFileSync(file, kept);
	await until("the key is back", async () => (await client.runDefinition(use)).nodes.a.status === "success");
});

test("killed workers and a restarted server find the secrets again", async () => {
	await set(client, "KEPT", "kept-value");
	const dag = await client.active({
		nodes: [{ name: "wait", ...delay("1s") }, { name: "a", dependencies: ["wait"],
			...command("echo $V kept-value", { env: { V: "${{ secrets.KEPT }}" } }) }],
	});
	const { id } = await client.start(dag);
	for (const worker of server.workers()) process.kill(worker.pid, "SIGKILL");
	await until("it ends", async () => (await client.finished(id)).attributes.status === "success", { seconds: 30 });
	assert.equal((await client.withNodes(id)).nodes.a.result, "*** ***");
	await server.crash();
	await server.start();
	assert.equal((await client.run(dag)).nodes.a.result, "*** ***");
});
