// What the documents for users show is what happens: their examples run here, the reference of ops is what openctl prints.
//
// A ```yaml block that begins with "# run: CONTEXT -> STATUS" is imported, activated and run with that context, in which
// $PEER stands for a local server; with "# import" it is only imported and activated. A ```sh block that begins with
// "# run" must succeed, with openctl in its PATH, $URL, $TOKEN (of an admin of the organization demo) and $PEER.
// Blocks of a file run from top to bottom.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { Client, execute, FLAVOR, JSONAPI, ROOT, startServer, test } from "./harness.mjs";

const FOLDER = path.join(ROOT, "assets/docs");
const pages = fs.readdirSync(FOLDER).filter((name) => name.endsWith(".md")).sort();
let server;
let client;
let peer;

before(async () => {
	peer = http.createServer((request, response) => {
		response.writeHead(200, { "content-type": "application/json" });
		response.end(JSON.stringify({ path: request.url, orders: [{ total: 3 }, { total: 4 }] }));
	});
	await new Promise((resolve) => peer.listen(0, "127.0.0.1", resolve));
	server = await startServer();
	const org = await server.makeOrg({ slug: "demo-docs" });
	await server.psql(`update open.users set email = 'first-' || email;
		update open.organizations set slug = 'demo-first' where slug = 'demo';
		update open.organizations set slug = 'demo', settings = settings || '{"allow_private_addresses": true}' where slug = 'demo-docs'`);
	org.slug = "demo";
	const user = await server.makeUser(org);
	client = new Client(server, org, user, await server.makeToken(user));
});
after(async () => {
	peer?.close();
	await server?.stop();
});

const fill = (text) => text.replaceAll("$PEER", `http://127.0.0.1:${peer.address().port}`);

// The fenced blocks of a page: {kind, text, line}.
function blocks(page) {
	const found = [];
	let open;
	fs.readFileSync(path.join(FOLDER, page), "utf8").split("\n").forEach((text, i) => {
		if (open && text.startsWith("```")) {
			found.push({ ...open, text: `${open.lines.join("\n")}\n` });
			open = undefined;
		} else if (open) {
			open.lines.push(text);
		} else if (text.startsWith("```")) {
			open = { kind: text.slice(3), lines: [], line: i + 1 };
		}
	});
	return found;
}

async function importDocument(where, text) {
	const file = server.write(`${where.replaceAll(/\W/g, "-")}.yaml`, text);
	const { code, stdout, stderr } = await server.openctl(["dag", "import", file, "--org", "demo", "--activate"]);
	assert.equal(code, 0, `${where}: ${stderr}${stdout}`);
	return /^name: (.*)$/m.exec(text)[1].trim();
}

async function runDocument(where, text, [, context, status]) {
	const name = await importDocument(where, text);
	const { stdout, stderr } = await server.openctl(["run", name, "--org", "demo", "--wait", "--context", fill(context), "--json"]);
	const id = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(stdout)?.[0];
	assert.ok(id, `${where}: no execution: ${stderr}${stdout}`);
	const { json } = await server.api("GET", `/api/v1/executions/${id}?include=node-executions`, { token: client.token });
	assert.equal(json.data.attributes.status, status, `${where}: ${JSON.stringify(json, null, 1)}`);
}

async function runScript(where, text) {
	const { code, stdout, stderr } = await execute("bash", ["-euo", "pipefail", "-c", text], {
		env: {
			...server.env, URL: server.url, TOKEN: client.token, PEER: fill("$PEER"),
			PATH: `${path.join(ROOT, "build", FLAVOR)}:${process.env.PATH}`,
		},
	});
	assert.equal(code, 0, `${where}: ${stderr}${stdout}`);
}

for (const page of pages) {
	const all = blocks(page);
	const examples = all.filter(({ kind, text }) => /^# (run|import)/.test(text) && (kind === "yaml" || kind === "sh"));
	if (examples.length === 0) continue;
	test(`the examples of ${page} do what it says`, async () => {
		for (const { kind, text, line } of examples) {
			const where = `${page}:${line}`;
			const run = /^# run: (.*) -> (success|failed|cancelled)\n/.exec(text);
			if (kind === "sh") await runScript(where, text);
			else if (run) await runDocument(where, text, run);
			else if (text.startsWith("# import\n")) await importDocument(where, text);
			else assert.fail(`${where}: its first line is neither "# import" nor "# run: CONTEXT -> STATUS"`);
		}
	});
}

test("the reference of ops is what openctl prints", async () => {
	const printed = await server.ctl(["op", "reference"]);
	const file = path.join(FOLDER, "op-reference.md");
	assert.equal(fs.readFileSync(file, "utf8").trimEnd(), printed.trimEnd(),
		"assets/docs/op-reference.md is not current: build/release/openctl op reference > assets/docs/op-reference.md");
});

test("links between the documents lead somewhere", () => {
	for (const page of [...pages.map((name) => path.join("assets/docs", name)), "README.md"]) {
		const text = fs.readFileSync(path.join(ROOT, page), "utf8");
		for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
			const file = path.join(ROOT, path.dirname(page), target);
			assert.ok(fs.existsSync(file), `${page} links to ${target}, which is not there`);
		}
	}
});

test("every op of the reference is listed by the API, with its parameters", async () => {
	const all = await server.api("GET", "/api/v1/ops", { token: client.token });
	assert.equal(all.status, 200);
	assert.equal(all.type, JSONAPI);
	const known = JSON.parse(await server.ctl(["op", "list", "--json"]));
	assert.deepEqual(all.json.data.map((op) => ({ name: op.id, op: op.attributes })), known);
	const http = await server.api("GET", "/api/v1/ops/http", { token: client.token });
	assert.deepEqual(http.json.data, all.json.data.find((op) => op.id === "http"));
	const url = http.json.data.attributes.parameters.find((p) => p.name === "url");
	assert.deepEqual([url.required, url.types, url.maximum], [true, ["string"], 65536]);
	assert.equal((await server.api("GET", "/api/v1/ops/nothing", { token: client.token })).status, 404);
	assert.equal((await server.api("GET", "/api/v1/ops?x=1", { token: client.token })).status, 400);
	assert.equal((await server.api("GET", "/api/v1/ops")).status, 401);
	const openapi = await server.api("GET", "/api/v1/openapi.json");
	assert.ok(openapi.json.paths["/api/v1/ops"].get);
});
