// DAG documents: what is refused and how it is told, versions, import and export.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { layered, lua, startServer, test, unique, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

// --- faults ------------------------------------------------------------------------------------------------------

// [what, YAML nodes and more, code, JSON pointer within the definition, words of the message, line in the YAML below "name: x"]
const FAULTS = [
	["an unknown key of the document", { nodes: [{ name: "a" }], colour: "red" }, "unknown_key", "/colour", /colour/],
	["an unknown key of a node", { nodes: [{ name: "a", depends: [] }] }, "unknown_key", "/nodes/0/depends", /depends/],
	["an unknown key of retry", { nodes: [{ name: "a", retry: { limits: 1 } }] }, "unknown_key", "/nodes/0/retry/limits", /limits/],
	["a definition without nodes", {}, "missing_key", "", /nodes/],
	["a node without a name", { nodes: [{ op: "noop" }] }, "missing_key", "/nodes/0", /name/],
	["a node's name twice", { nodes: [{ name: "a" }, { name: "b" }, { name: "a" }] }, "duplicate_node", "/nodes/2/name", /"?a"?/],
	["a dependency that is no node", { nodes: [{ name: "a", dependencies: ["ghost"] }] }, "unknown_dependency",
		"/nodes/0/dependencies/0", /ghost/],
	["a dependency given twice", { nodes: [{ name: "a" }, { name: "b", dependencies: ["a", "a"] }] }, "duplicate_dependency",
		"/nodes/1/dependencies/1", /a/],
	["a node that depends on itself", { nodes: [{ name: "a", dependencies: ["a"] }] }, "self_dependency",
		"/nodes/0/dependencies/0", /a/],
	["an unknown op", { nodes: [{ name: "a", op: "teleport" }] }, "unknown_op", "/nodes/0/op", /teleport/],
	["a missing op parameter", { nodes: [{ name: "a", op: "delay" }] }, "missing_parameter", "/nodes/0", /duration/],
	["an unknown op parameter", { nodes: [{ name: "a", op: "delay", with: { duration: "1s", speed: 2 } }] }, "unknown_parameter",
		"/nodes/0/with/speed", /speed/],
	["an op parameter of the wrong type", { nodes: [{ name: "a", op: "delay", with: { duration: "soon" } }] }, "invalid_parameter",
		"/nodes/0/with/duration", /duration/],
	["a parameter of noop", { nodes: [{ name: "a", with: { x: 1 } }] }, "unknown_parameter", "/nodes/0/with/x", /x/],
	["a command without argv and shell", { nodes: [{ name: "a", op: "command", with: {} }] }, null, "/nodes/0", /argv|shell/],
	["a command with argv and shell", { nodes: [{ name: "a", op: "command", with: { argv: ["true"], shell: "true" } }] },
		"invalid_parameter", "/nodes/0/with", /argv|shell/],
	["a Lua script that doesn't parse", { nodes: [{ name: "a", ...lua("return return") }] }, "invalid_expression",
		"/nodes/0/with/script", /return/],
	["a bad duration", { nodes: [{ name: "a", timeout: "5 parsecs" }] }, "invalid_duration", "/nodes/0/timeout", /5 parsecs|timeout/],
	["a bad trigger", { nodes: [{ name: "a", trigger: "whenever" }] }, "invalid_trigger", "/nodes/0/trigger", /all_success/],
	["a bad retry", { nodes: [{ name: "a", retry: { limit: -1 } }] }, "invalid_retry", "/nodes/0/retry/limit", /limit/],
	["a condition that doesn't parse", { nodes: [{ name: "a", when: "1 +" }] }, "invalid_expression", "/nodes/0/when", /./],
	["a template that doesn't parse", { nodes: [{ name: "a", op: "delay", with: { duration: "${{ context. }}" } }] },
		"invalid_expression", "/nodes/0/with/duration", /./],
	["a reference to a node that is no ancestor", { nodes: [{ name: "a" }, { name: "b", when: "nodes.a.status == 'success'" }] },
		"not_an_ancestor", "/nodes/1/when", /a/],
	["nodes that are no list", { nodes: { a: {} } }, "invalid_type", "/nodes", /./],
	["a node that is no object", { nodes: ["a"] }, "invalid_type", "/nodes/0", /./],
	["a name that is no text", { nodes: [{ name: 7 }] }, null, "/nodes/0/name", /./],
	["an empty name", { nodes: [{ name: "" }] }, "invalid_name", "/nodes/0/name", /./],
];

for (const [what, definition, code, pointer, words] of FAULTS) {
	test(`${what} is refused with its code, place and words, over REST and by openctl`, async () => {
		const answer = await client.tryCreate(definition);
		assert.equal(answer.status, 422, answer.text);
		const error = code === null ? answer.json.errors[0] : answer.json.errors.find((e) => e.code === code);
		assert.ok(error, `no ${code}: ${answer.text}`);
		assert.equal(error.status, "422");
		assert.ok(error.title && error.detail);
		assert.ok(error.source.pointer.startsWith(`/data/attributes/definition${pointer}`), error.source.pointer);
		assert.match(error.detail, words);

		// The same document in YAML (which JSON is, too), over several lines so that places differ.
		const file = server.write("fault.yaml", JSON.stringify({ name: "x", ...definition }, null, 1));
		const { code: exit, stderr } = await server.openctl(["dag", "validate", file]);
		assert.equal(exit, 1, stderr);
		assert.match(stderr, /^\S*fault\.yaml:\d+:\d+: /m);
		assert.match(stderr, words);
	});
}

test("a cycle is told with its path", async () => {
	const nodes = [
		{ name: "start" }, { name: "a", dependencies: ["start", "c"] }, { name: "b", dependencies: ["a"] },
		{ name: "c", dependencies: ["b"] }, { name: "end", dependencies: ["c"] },
	];
	const answer = await client.tryCreate({ nodes });
	assert.equal(answer.status, 422);
	assert.deepEqual(answer.codes, ["cycle"]);
	const path = answer.json.errors[0].detail.match(/(\w+) -> (\w+) -> (\w+) -> (\w+)/);
	assert.ok(path, answer.json.errors[0].detail);
	assert.deepEqual([...new Set(path.slice(1))].sort(), ["a", "b", "c"]);
	assert.equal(path[1], path[4]);
	assert.doesNotMatch(answer.json.errors[0].detail, /start|end/);
});

test("every fault of a document is reported at once, each at its place", async () => {
	const nodes = [
		{ name: "a", op: "teleport" },
		{ name: "a" },
		{ name: "c", dependencies: ["ghost", "c"] },
		{ name: "d", timeout: "soon", trigger: "never" },
		{ name: "e", op: "delay", with: { duration: "1s", x: 1 } },
		{ name: "f", colour: "red" },
	];
	const answer = await client.tryCreate({ nodes, shape: "round" });
	assert.equal(answer.status, 422);
	assert.deepEqual(answer.codes.toSorted?.() ?? [...answer.codes].sort(), ["duplicate_node", "invalid_duration", "invalid_trigger",
		"self_dependency", "unknown_dependency", "unknown_key", "unknown_key", "unknown_op", "unknown_parameter"]);
	assert.equal(new Set(answer.json.errors.map((e) => e.source.pointer)).size, 9);
});

const yaml = async (text) => {
	const file = server.write("broken.yaml", text);
	const { code, stdout, stderr } = await server.openctl(["dag", "validate", file]);
	return { code, stdout, stderr, places: [...stderr.matchAll(/broken\.yaml:(\d+):(\d+): (.*)/g)].map((m) => m.slice(1)) };
};

test("openctl tells line and column of every fault in YAML", async () => {
	const { code, places } = await yaml(`name: x
nodes:
  - name: a
    op: teleport
  - name: b
    dependencies: [a, ghost]
    colour: red
`);
	assert.equal(code, 1);
	assert.deepEqual(places.map(([l]) => Number(l)), [4, 6, 7]);
	assert.deepEqual(places.map(([, c]) => Number(c)), [9, 23, 5]);
});

test("broken YAML is told with line and column", async () => {
	const { code, places } = await yaml("name: x\nnodes:\n  - name: a\n   op: noop\n");
	assert.equal(code, 1);
	assert.equal(places.length, 1);
	assert.equal(places[0][0], "4");
});

test("openctl validates good documents silently and several files at once", async () => {
	const good = server.write("good.yaml", "name: x\nnodes: [{name: a}]\n");
	const bad = server.write("bad.yaml", "name: x\nnodes: [{name: a, op: b}]\n");
	assert.equal((await server.openctl(["dag", "validate", good])).code, 0);
	const both = await server.openctl(["dag", "validate", good, bad]);
	assert.equal(both.code, 1);
	assert.match(both.stderr, /bad\.yaml:2:\d+: /);
	assert.doesNotMatch(both.stderr, /good\.yaml/);
	const gone = await server.openctl(["dag", "validate", `${good}.gone`]);
	assert.equal(gone.code, 1);
	assert.match(gone.stderr, /good\.yaml\.gone/);
});

test("broken JSON is answered 400 with line and column", async () => {
	const answer = await client.api("POST", "/api/v1/dags", { body: '{"data": {\n  "type": "dags",\n  "attributes": {]}' });
	assert.equal(answer.status, 400);
	assert.deepEqual(answer.codes, ["invalid_json"]);
	assert.equal(answer.json.errors[0].meta.line, 3);
	assert.equal(typeof answer.json.errors[0].meta.column, "number");
});

// --- hostile bytes ---------------------------------------------------------------------------------------------------

const wrap = (definition) => `{"data":{"type":"dags","attributes":{"name":"${unique("h")}","definition":${definition}}}}`;

test("invalid UTF-8, NUL bytes and lone surrogates are refused, in JSON and YAML", async () => {
	const named = (bytes) => Buffer.concat([Buffer.from('{"nodes":[{"name":"'), bytes, Buffer.from('"}]}')]);
	const post = (bytes) => {
		const [head, tail] = wrap("@").split("@");
		return client.api("POST", "/api/v1/dags", { body: Buffer.concat([Buffer.from(head), named(bytes), Buffer.from(tail)]) });
	};
	for (const [bytes, codes] of [
		[Buffer.from([0xff, 0xfe]), ["invalid_utf8"]],
		[Buffer.from([0xc0, 0x80]), ["invalid_utf8"]],
		[Buffer.from([0xed, 0xa0, 0x80]), ["invalid_utf8"]],
		[Buffer.from([0]), ["nul_byte", "invalid_json"]],
		[Buffer.from("\\u0000"), ["nul_byte"]],
		[Buffer.from("\\ud800"), ["invalid_utf8", "invalid_json"]],
	]) {
		const answer = await post(bytes);
		assert.equal(answer.status, 400, answer.text);
		assert.ok(codes.includes(answer.codes[0]), `${bytes.toString("hex")}: ${answer.text}`);
		if (bytes[0] === 0x5c && bytes[2] === 0x64) continue; // YAML's escapes are its own.
		const told = await yaml(Buffer.concat([Buffer.from('name: x\nnodes: [{name: "'), bytes, Buffer.from('"}]\n')]));
		assert.equal(told.code, 1);
		assert.equal(told.places[0]?.[0], "2", told.stderr);
	}
});

test("deep nesting is refused at its place, in JSON and YAML, and costs no crash", async () => {
	const depth = 100_000;
	const deep = await client.api("POST", "/api/v1/dags", { body: wrap("[".repeat(depth) + "]".repeat(depth)) });
	assert.equal(deep.status, 400);
	assert.deepEqual(deep.codes, ["too_deep"]);
	const told = await yaml(`name: x\nnodes: ${"[".repeat(depth)}${"]".repeat(depth)}\n`);
	assert.equal(told.code, 1);
	assert.equal(told.places[0]?.[0], "2", told.stderr);
	const open = await client.api("POST", "/api/v1/dags", { body: wrap("[".repeat(depth)) });
	assert.equal(open.status, 400);
});

test("YAML anchors that multiply are refused within little time and memory", async () => {
	let bomb = "name: x\na0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
	for (let i = 1; i < 20; i++) bomb += `a${i}: &a${i} [${Array(10).fill(`*a${i - 1}`).join(", ")}]\n`;
	const begin = Date.now();
	const { code, places } = await yaml(`${bomb}nodes: [{name: a}]\n`);
	assert.equal(code, 1);
	assert.ok(places.length > 0);
	assert.ok(Date.now() - begin < 5000);
	const self = await yaml("name: x\nnodes: &n [{name: a, with: *n}]\n");
	assert.equal(self.code, 1);
	assert.ok(self.places.length > 0);
});

test("a document of 4 MiB is taken, one beyond it refused by its limit, a body beyond that with 413", async () => {
	const nodes = [{ name: "a", ...lua(`return 1 -- ${"x".repeat(4 * 1024 * 1024 - 1000)}`) }];
	const taken = await client.tryCreate({ nodes });
	assert.equal(taken.status, 201, taken.text.slice(0, 500));
	const file = server.write("large.yaml", `name: x\nnodes: [{name: a, op: lua, with: {script: "${"x".repeat(4 * 1024 * 1024)}"}}]\n`);
	const { code, stderr } = await server.openctl(["dag", "validate", file]);
	assert.equal(code, 1);
	assert.match(stderr, /4 MiB|4194304|large/);
	nodes[0].with.script += "x".repeat(2000);
	const refused = await client.tryCreate({ nodes });
	assert.equal(refused.status, 422, refused.text.slice(0, 500));
	assert.deepEqual(refused.codes, ["document_too_large"]);
	const huge = await client.api("POST", "/api/v1/dags", { body: wrap(`"${"x".repeat(8 * 1024 * 1024)}"`) }).catch((e) => e);
	if (huge instanceof Error) assert.match(String(huge.cause ?? huge), /ECONNRESET|EPIPE|closed/); // It may hang up early.
	else assert.equal(huge.status, 413);
	assert.equal((await server.api("GET", "/readyz")).status, 200);
});

test("too many nodes and too many dependencies are refused with their limits", async () => {
	const many = { nodes: Array.from({ length: 100_001 }, (_, i) => ({ name: `n${i}` })) };
	const answer = await client.tryCreate(many);
	assert.equal(answer.status, 422);
	assert.deepEqual(answer.codes, ["too_many_nodes"]);
	assert.match(answer.json.errors[0].detail, /100,?000/);
	many.nodes.pop();
	const most = await client.tryCreate(many);
	assert.equal(most.status, 201, most.text.slice(0, 500));
});

// --- versions ----------------------------------------------------------------------------------------------------

const versions = async (dag) => (await client.get(`/api/v1/dag-versions?filter[dag]=${dag.id}&sort=number`)).map((v) => v.attributes.number);

test("a changed definition makes the next version, an unchanged one none, however it is written", async () => {
	const first = { nodes: [{ name: "a" }, { name: "b", dependencies: ["a"], timeout: "60s" }] };
	const dag = await client.create(first);
	assert.equal(dag.attributes.status, "draft");
	assert.equal(dag.attributes.version, 1);
	const same = { nodes: [{ op: "noop", name: "a", dependencies: [] }, { timeout: "1m", dependencies: ["a"], name: "b" }] };
	const unchanged = await client.update(dag.id, { definition: same });
	assert.equal(unchanged.status, 200, unchanged.text);
	assert.equal(unchanged.json.data.attributes.version, 1);
	const changed = await client.update(dag.id, { definition: { nodes: [...first.nodes, { name: "c" }] } });
	assert.equal(changed.json.data.attributes.version, 2);
	const renamed = await client.update(dag.id, { description: "only words" });
	assert.equal(renamed.json.data.attributes.version, 2);
	assert.equal(renamed.json.data.attributes.description, "only words");
	const back = await client.update(dag.id, { definition: first });
	assert.equal(back.json.data.attributes.version, 3);
	assert.deepEqual(await versions(dag), [1, 2, 3]);
	const [v2] = await client.get(`/api/v1/dag-versions?filter[dag]=${dag.id}&filter[number]=2`);
	assert.equal((await client.get(`/api/v1/dag-versions/${v2.id}`)).attributes.definition.nodes.length, 3);
});

test("an update with a fault changes nothing", async () => {
	const dag = await client.create({ nodes: [{ name: "a" }] });
	const answer = await client.update(dag.id, { name: unique("n"), definition: { nodes: [{ name: "a", op: "teleport" }] } });
	assert.equal(answer.status, 422);
	const { attributes } = await client.get(`/api/v1/dags/${dag.id}`);
	assert.equal(attributes.name, dag.attributes.name);
	assert.equal(attributes.version, 1);
});

test("ten writers at once make versions without gap or double", async () => {
	const dag = await client.create({ nodes: [{ name: "a" }] });
	const answers = await Promise.all(Array.from({ length: 10 }, (_, i) =>
		client.update(dag.id, { definition: { nodes: [{ name: "a" }, { name: `n${i}` }] } })));
	assert.ok(answers.every((a) => a.status === 200 || a.status === 409), answers.map((a) => a.text).join("\n"));
	const made = answers.filter((a) => a.status === 200).length;
	assert.ok(made >= 1);
	assert.deepEqual(await versions(dag), Array.from({ length: made + 1 }, (_, i) => i + 1));
});

test("an execution runs the version that was active when it was created", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return {version = 1}") }] });
	const changed = await client.update(dag.id, { definition: { nodes: [{ name: "a", ...lua("return {version = 2}") }] } });
	assert.equal(changed.json.data.attributes.version, 2);
	const pinned = await client.run(dag);
	assert.deepEqual(pinned.nodes.a.result, { version: 1 });
	await client.activate(dag.id);
	const newer = await client.run(dag);
	assert.deepEqual(newer.nodes.a.result, { version: 2 });
	const old = await client.withNodes(pinned.execution.id);
	assert.deepEqual(old.nodes.a.result, { version: 1 });
});

test("export gives YAML that imports to the same version", async () => {
	const name = unique("round");
	const definition = {
		timeout: "10m",
		nodes: [
			{ name: "a", ...lua("local s = \"quotes ' and \\n\"\nif s then\n\treturn {s = s, n = 1}\nend\n"), retry: { limit: 2, backoff: "100ms" } },
			{ name: "yes", dependencies: ["a"], when: "nodes.a.result.n == 1" },
			{ name: "1.5", op: "delay", with: { duration: "${{ context.wait }}" }, trigger: "all_done", dependencies: ["a", "yes"] },
			{ name: "c", op: "command", with: { argv: ["echo", "- x: y", "#no comment", " lead", "ünï", "null", "012"] } },
		],
	};
	const dag = await client.create(definition, { name, description: "Line one\nline: two # \"quoted\"" });
	const text = await server.ctl(["dag", "export", name, "--org", client.org.slug]);
	assert.match(text, new RegExp(`^name: ["']?${name}`, "m"));
	await server.ctl(["dag", "import", server.write("export.yaml", `${text}\n`), "--org", client.org.slug]);
	const again = await client.get(`/api/v1/dags/${dag.id}`);
	assert.equal(again.attributes.version, 1);
	assert.equal(again.attributes.description, "Line one\nline: two # \"quoted\"");

	const changed = server.write("changed.yaml", text.replace("all_done", "none_failed"));
	await server.ctl(["dag", "import", changed, "--org", client.org.slug, "--activate"]);
	const next = await client.get(`/api/v1/dags/${dag.id}`);
	assert.equal(next.attributes.version, 2);
	assert.equal(next.attributes.status, "active");

	const other = await server.makeClient();
	await server.ctl(["dag", "import", server.write("other.yaml", text), "--org", other.org.slug]);
	const [copy] = await other.get(`/api/v1/dags?filter[name]=${name}`);
	assert.deepEqual((await other.get(`/api/v1/dags/${copy.id}`)).attributes.definition, dag.attributes.definition);
});

test("an import of several files is all or nothing in each file, with faults at their places", async () => {
	const good = unique("good");
	const bad = unique("bad");
	const files = [
		server.write("good.yaml", `name: ${good}\nnodes: [{name: a}]\n`),
		server.write("bad.yaml", `name: ${bad}\nnodes:\n  - name: a\n    op: teleport\n`),
	];
	const { code, stderr } = await server.openctl(["dag", "import", ...files, "--org", client.org.slug]);
	assert.equal(code, 1);
	assert.match(stderr, /bad\.yaml:4:9: /);
	assert.equal((await client.get(`/api/v1/dags?filter[name]=${bad}`)).length, 0);
});

test("openctl lists the organization's DAGs", async () => {
	const name = unique("listed");
	await client.active({ nodes: [{ name: "a" }] }, { name });
	const list = await server.ctl(["dag", "list", "--org", client.org.slug]);
	assert.match(list, new RegExp(`${name}.*active|active.*${name}`));
	assert.ok(JSON.stringify(JSON.parse(await server.ctl(["dag", "list", "--org", client.org.slug, "--json"]))).includes(name));
	const other = await server.makeOrg();
	assert.ok(!(await server.ctl(["dag", "list", "--org", other.slug])).includes(name));
});

// --- life of a DAG -----------------------------------------------------------------------------------------------

test("a name is unique among an organization's living DAGs; deleting one frees it", async () => {
	const name = unique("name");
	const dag = await client.create({ nodes: [{ name: "a" }] }, { name });
	const twice = await client.tryCreate({ nodes: [{ name: "a" }] }, { name });
	assert.equal(twice.status, 409);
	assert.deepEqual(twice.codes, ["name_taken"]);
	const elsewhere = await client.create({ nodes: [{ name: "a" }] });
	assert.deepEqual((await client.update(elsewhere.id, { name })).codes, ["name_taken"]);
	const other = await server.makeClient();
	await other.create({ nodes: [{ name: "a" }] }, { name });

	assert.equal((await client.api("DELETE", `/api/v1/dags/${dag.id}`)).status, 204);
	for (const [method, target] of [["GET", ""], ["DELETE", ""], ["POST", "/activate"], ["POST", "/archive"]]) {
		assert.equal((await client.api(method, `/api/v1/dags/${dag.id}${target}`)).status, 404, method + target);
	}
	assert.equal((await client.tryStart(dag)).status, 404);
	assert.equal((await client.get(`/api/v1/dags?filter[name]=${name}`)).length, 0);
	const heir = await client.create({ nodes: [{ name: "b" }] }, { name });
	assert.notEqual(heir.id, dag.id);
	const [{ count }] = await server.rows(`select count(*)::integer as count from open.dags where id = '${dag.id}' and deleted_at is not null`);
	assert.equal(count, 1);
});

test("an archived DAG doesn't start, keeps its history, and can be activated again", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	const { execution } = await client.run(dag);
	const archived = await client.api("POST", `/api/v1/dags/${dag.id}/archive`);
	assert.equal(archived.status, 200, archived.text);
	assert.equal(archived.json.data.attributes.status, "archived");
	const refused = await client.tryStart(dag);
	assert.equal(refused.status, 409);
	assert.deepEqual(refused.codes, ["dag_not_active"]);
	assert.equal((await client.execution(execution.id)).attributes.status, "success");
	await client.activate(dag.id);
	assert.equal((await client.run(dag)).execution.attributes.status, "success");
});

test("a DAG that was deleted lets its running execution end", async () => {
	const dag = await client.active({ nodes: [{ name: "a", op: "delay", with: { duration: "500ms" } }, { name: "b", dependencies: ["a"] }] });
	const { id } = await client.start(dag);
	assert.equal((await client.api("DELETE", `/api/v1/dags/${dag.id}`)).status, 204);
	await until("it ends", async () => (await server.rows(`select status from open.executions where id = '${id}'`))[0].status === "success");
});

test("an attribute that doesn't exist, has the wrong type, or is missing is refused where it stands", async () => {
	const definition = { nodes: [{ name: "a" }] };
	const post = (attributes, more = {}) => client.api("POST", "/api/v1/dags", { body: { data: { type: "dags", attributes, ...more } } });
	for (const [attributes, pointer] of [
		[{ name: unique("n"), definition, colour: "red" }, "/data/attributes/colour"],
		[{ name: 7, definition }, "/data/attributes/name"],
		[{ name: "", definition }, "/data/attributes/name"],
		[{ name: "x".repeat(201), definition }, "/data/attributes/name"],
		[{ name: unique("n"), definition: "nodes" }, "/data/attributes/definition"],
		[{ definition }, "/data/attributes"],
		[{ name: unique("n") }, "/data/attributes"],
	]) {
		const answer = await post(attributes);
		assert.equal(answer.status, 422, JSON.stringify(attributes).slice(0, 100) + answer.text);
		assert.ok(answer.json.errors[0].source.pointer.startsWith(pointer), answer.text);
	}
	const odd = await client.api("POST", "/api/v1/dags", { body: { data: { type: "cats", attributes: { name: unique("n"), definition } } } });
	assert.equal(odd.status, 409); // JSON:API: the type isn't of this collection.
	for (const body of ["[]", "1", "{}", '{"data": []}', '{"data": null}', '{"data": {"type": "dags"}}', ""]) {
		const answer = await client.api("POST", "/api/v1/dags", { body });
		assert.ok([400, 409, 422].includes(answer.status), `${body}: ${answer.status}`);
		assert.ok(answer.codes.length > 0);
	}
});

test("a large layered document is read, activated and exported", async () => {
	const dag = await client.active(layered(20, 200), { name: unique("wide") });
	const text = await server.ctl(["dag", "export", dag.attributes.name, "--org", client.org.slug]);
	assert.equal(text.match(/name: /g).length, 4001);
});
