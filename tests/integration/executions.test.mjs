// Executions: start, what nodes do with each other, cancel, lists, and the shape of every answer.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { instant, JSONAPI, delay, ended, layered, lua, recordFaults, shell, soundRecord, startServer, test, unique, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

const statuses = (nodes) => Object.fromEntries(Object.entries(nodes).map(([name, n]) => [name, n.status]));
const fail = lua("error('on purpose')");
const milliseconds = (node) => Date.parse(node.completed_at) - Date.parse(node.started_at);

// --- start -------------------------------------------------------------------------------------------------------

test("a start answers 201 with the execution, its place, and what it runs", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	const answer = await client.tryStart(dag, { day: "monday" });
	assert.equal(answer.status, 201, answer.text);
	assert.equal(answer.type, JSONAPI);
	const { data } = answer.json;
	assert.equal(data.type, "executions");
	assert.match(data.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{4}00000000$/);
	assert.match(answer.headers.get("location"), new RegExp(`/api/v1/executions/${data.id}$`));
	assert.equal(data.attributes.status, "pending");
	assert.equal(data.attributes.total_nodes, 1);
	assert.equal(data.relationships.dag.data.id, dag.id);
	const { attributes } = await client.finished(data.id);
	assert.deepEqual(attributes.context, { day: "monday" });
	assert.equal(attributes.status, "success");
	assert.equal(attributes.succeeded_nodes, 1);
	assert.equal(attributes.failed_nodes, 0);
	const [made, begun, over] = ["inserted_at", "started_at", "completed_at"].map((name) => instant(attributes[name]));
	assert.ok(made <= begun && begun <= over, `${made} ${begun} ${over}`);
});

test("a DAG that was never activated isn't started", async () => {
	const draft = await client.create({ nodes: [{ name: "a" }] });
	const answer = await client.tryStart(draft);
	assert.equal(answer.status, 409);
	assert.deepEqual(answer.codes, ["dag_not_active"]);
	const [{ count }] = await server.rows(`select count(*)::integer as count from open.executions where dag_id = '${draft.id}'`);
	assert.equal(count, 0);
});

test("a context that is no object, or larger than 1 MiB, is refused", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return #context.text") }] });
	for (const context of [[], "text", 1, null]) {
		const answer = await client.tryStart(dag, context);
		assert.equal(answer.status, 422, answer.text);
		assert.equal(answer.json.errors[0].source.pointer, "/data/attributes/context");
	}
	const size = 1024 * 1024 - 100;
	const { nodes } = await client.run(dag, { text: "x".repeat(size) });
	assert.equal(nodes.a.result, size);
	const refused = await client.tryStart(dag, { text: "x".repeat(1024 * 1024) });
	assert.equal(refused.status, 422, refused.text);
	assert.deepEqual(refused.codes, ["context_too_large"]);
});

test("a start without a DAG, or with something else in its place, is refused where it stands", async () => {
	const post = (data) => client.api("POST", "/api/v1/executions", { body: { data } });
	for (const data of [
		{ type: "executions" },
		{ type: "executions", relationships: {} },
		{ type: "executions", relationships: { dag: null } },
		{ type: "executions", relationships: { dag: { data: null } } },
		{ type: "executions", relationships: { dag: { data: { type: "dags" } } } },
		{ type: "executions", relationships: { dag: { data: { type: "users", id: client.org.id } } } },
	]) {
		const answer = await post(data);
		assert.ok([409, 422].includes(answer.status), `${JSON.stringify(data)}: ${answer.text}`);
		assert.match(answer.json.errors[0].source.pointer, /^\/data/);
	}
});

test("two hundred starts at once each make one execution, and all end", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }, { name: "b", dependencies: ["a"] }] });
	const started = await Promise.all(Array.from({ length: 200 }, (_, i) => client.start(dag, { i })));
	assert.equal(new Set(started.map((e) => e.id)).size, 200);
	await until("all end", async () => {
		const [{ count }] = await server.rows(`select count(*)::integer as count from open.executions where dag_id = '${dag.id}' and status = 'success'`);
		return count === 200;
	});
	assert.deepEqual(await recordFaults(server, started.slice(0, 50).map((e) => e.id)), soundRecord);
});

test("starts of several DAGs at once: each execution is of its own, and one that can't be started stops no other", async () => {
	const dags = await Promise.all([1, 2, 3].map((n) => client.active({ nodes: [{ name: "a", ...lua(`return ${n}`) }] })));
	const draft = await client.create({ nodes: [{ name: "a" }] });
	const answers = await Promise.all(Array.from({ length: 160 }, (_, i) => client.tryStart([...dags, draft][i % 4], { i })));
	assert.deepEqual([...new Set(answers.map((a, i) => `${i % 4} ${a.status}`))].sort(), ["0 201", "1 201", "2 201", "3 409"]);
	await Promise.all(answers.map(async ({ json }, i) => {
		if (i % 4 === 3)
			return;
		assert.equal(json.data.relationships.dag.data.id, dags[i % 4].id);
		const { attributes } = await client.finished(json.data.id);
		assert.equal(attributes.status, "success");
		assert.deepEqual(attributes.context, { i });
	}));
	const rows = await server.rows(`select dag_id as dag, count(*)::integer as count from open.executions where dag_id in (${dags.map((d) => `'${d.id}'`)}) group by 1`);
	assert.deepEqual(new Map(rows.map((r) => [r.dag, r.count])), new Map(rows.map((r) => [r.dag, 40])));
	assert.equal(rows.length, 3);
});

// --- data ----------------------------------------------------------------------------------------------------------

test("a template alone keeps the value's type, inside text it becomes text", async () => {
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "source", ...lua("return {n = 7, f = 1.5, b = true, s = 'text', list = {1, 2}, deep = {x = {y = 'z'}}}") },
			{
				name: "sink", dependencies: ["source"], op: "lua",
				with: {
					script: "return input",
					input: {
						n: "${{ nodes.source.result.n }}", f: "${{ nodes.source.result.f }}", b: "${{ nodes.source.result.b }}",
						s: "${{ nodes.source.result.s }}", list: "${{ nodes.source.result.list }}", deep: "${{ nodes.source.result.deep }}",
						y: "${{nodes.source.result.deep.x.y}}", second: "${{ nodes.source.result.list[2] }}", status: "${{ nodes.source.status }}",
						sum: "${{ nodes.source.result.n + context.more }}", text: "n=${{ nodes.source.result.n }} b=${{ nodes.source.result.b }}!",
						object: "is ${{ nodes.source.result.list }}", literal: "$${{ kept }}", id: "${{ execution.id }}", plain: "plain",
						context: "${{ context }}", number: 3, nested: [{ k: "${{ context.more }}" }],
					},
				},
			},
		],
	}, { more: 3 });
	const { id, ...rest } = nodes.sink.result;
	assert.match(id, /^[0-9a-f-]{36}$/);
	assert.deepEqual(rest, {
		n: 7, f: 1.5, b: true, s: "text", list: [1, 2], deep: { x: { y: "z" } }, y: "z", second: 2, status: "success", sum: 10,
		text: "n=7 b=true!", object: "is [1,2]", literal: "${{ kept }}", plain: "plain", context: { more: 3 }, number: 3, nested: [{ k: 3 }],
	});
});

test("results keep arrays, objects, empty ones, null, unicode, and large and small numbers", async () => {
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "command", op: "command", with: { argv: ["cat"], stdin: '{"e": [], "o": {}, "n": null, "big": 9007199254740993, "u": "日本 🎉", "f": 1e-7}' } },
			{ name: "lua", dependencies: ["command"], ...lua("return nodes.command.result") },
		],
	});
	assert.deepEqual(nodes.command.result.e, []);
	assert.deepEqual(nodes.command.result.o, {});
	assert.equal(nodes.command.result.n, null);
	assert.equal(nodes.command.result.u, "日本 🎉");
	assert.equal(nodes.command.result.f, 1e-7);
	assert.equal(nodes.lua.result.u, "日本 🎉");
	assert.equal(nodes.lua.result.f, 1e-7);
	const [{ same }] = await server.rows(`select count(*) filter (where result ->> 'big' = '9007199254740993')::integer as same from open.node_executions
		where organization_id = '${client.org.id}' and node_name in ('command', 'lua') and result ->> 'u' = '日本 🎉'`);
	assert.equal(same, 2);
});

test("the execution's result holds the leaves' results", async () => {
	const { execution } = await client.runDefinition({
		nodes: [{ name: "a", ...lua("return 1") }, { name: "b", dependencies: ["a"], ...lua("return {x = nodes.a.result + 1}") },
			{ name: "c", ...lua("return 'leaf'") }, { name: "d" }],
	});
	assert.deepEqual(execution.attributes.result, { b: { x: 2 }, c: "leaf" });
});

test("an expression that fails, fails its node with a sentence", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "when", when: "context.a.b.c == 1" },
			{ name: "param", op: "delay", with: { duration: "${{ context.missing }}" } },
			{ name: "text", op: "delay", with: { duration: "${{ 'soon' }}" } },
		],
	});
	assert.equal(execution.attributes.status, "failed");
	for (const name of ["when", "param", "text"]) {
		assert.equal(nodes[name].status, "failed", name);
		assert.ok(nodes[name].error.length > 10, nodes[name].error);
	}
	assert.match(nodes.text.error, /soon|duration/);
});

// --- conditions, triggers, retry, timeouts ---------------------------------------------------------------------------

test("a false condition skips the node, and what depends on it by all_success", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "a", ...lua("return {go = false}") },
			{ name: "b", dependencies: ["a"], when: "nodes.a.result.go" },
			{ name: "c", dependencies: ["b"] },
			{ name: "d", dependencies: ["b"], trigger: "none_failed" },
			{ name: "e", dependencies: ["c", "d"], trigger: "all_done", ...lua("return nodes.b.status .. nodes.c.status .. nodes.d.status") },
			{ name: "yes", when: "context.n > 2 and nodes ~= nil" },
			{ name: "nil", when: "context.nothing" },
		],
	}, { n: 3 });
	assert.deepEqual(statuses(nodes), { a: "success", b: "skipped", c: "skipped", d: "success", e: "success", yes: "success", nil: "skipped" });
	assert.equal(nodes.e.result, "skippedskippedsuccess");
	assert.equal(execution.attributes.status, "success");
	assert.equal(execution.attributes.failed_nodes, 0);
});

test("every trigger follows its dependencies' states", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "good" }, { name: "bad", ...fail }, { name: "never", when: "false" },
			{ name: "all_success-good", dependencies: ["good"], trigger: "all_success" },
			{ name: "all_success-mixed", dependencies: ["good", "bad"], trigger: "all_success" },
			{ name: "all_done-mixed", dependencies: ["good", "bad", "never"], trigger: "all_done" },
			{ name: "any_success-mixed", dependencies: ["good", "bad"], trigger: "any_success" },
			{ name: "any_success-none", dependencies: ["bad", "never"], trigger: "any_success" },
			{ name: "any_failed-mixed", dependencies: ["good", "bad"], trigger: "any_failed" },
			{ name: "any_failed-none", dependencies: ["good", "never"], trigger: "any_failed" },
			{ name: "none_failed-skipped", dependencies: ["good", "never"], trigger: "none_failed" },
			{ name: "none_failed-failed", dependencies: ["good", "bad"], trigger: "none_failed" },
		],
	});
	assert.deepEqual(statuses(nodes), {
		good: "success", bad: "failed", never: "skipped", "all_success-good": "success", "all_success-mixed": "skipped",
		"all_done-mixed": "success", "any_success-mixed": "success", "any_success-none": "skipped", "any_failed-mixed": "success",
		"any_failed-none": "skipped", "none_failed-skipped": "success", "none_failed-failed": "skipped",
	});
	assert.equal(execution.attributes.status, "failed");
	assert.match(execution.attributes.error_message, /bad/);
	assert.equal(execution.attributes.failed_nodes, 1);
});

test("any_success and any_failed start at the first of their kind, not at the last", async () => {
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "quick" }, { name: "slow", ...delay("700ms") }, { name: "bad", ...fail },
			{ name: "s", dependencies: ["quick", "slow"], trigger: "any_success" },
			{ name: "f", dependencies: ["bad", "slow"], trigger: "any_failed" },
		],
	});
	for (const name of ["s", "f"]) assert.ok(instant(nodes[name].completed_at) < instant(nodes.slow.completed_at), name);
});

test("a node is tried again as its retry says, and its last attempt counts", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "hopeless", ...shell("echo attempt >&2; exit 3"), retry: { limit: 2, backoff: "50ms", factor: 2 } },
			{ name: "fine", retry: { limit: 5 } },
			{ name: "once", ...fail },
		],
	});
	assert.equal(nodes.hopeless.status, "failed");
	assert.equal(nodes.hopeless.retry_count, 2);
	assert.equal(nodes.fine.retry_count, 0);
	assert.equal(nodes.once.retry_count, 0);
	assert.equal(execution.attributes.status, "failed");
	// 50 ms and 100 ms lie between the attempts.
	assert.ok(Date.parse(execution.attributes.completed_at) - Date.parse(execution.attributes.started_at) >= 150);
});

test("a node's timeout ends it, the execution's timeout ends everything", async () => {
	const node = await client.runDefinition({
		nodes: [{ name: "a", ...delay("60s", { timeout: "200ms" }) }, { name: "b", dependencies: ["a"], trigger: "all_done" }],
	});
	assert.deepEqual(statuses(node.nodes), { a: "failed", b: "success" });
	assert.match(node.nodes.a.error, /time/i);
	assert.ok(milliseconds(node.nodes.a) >= 190 && milliseconds(node.nodes.a) < 5000);

	const whole = await client.runDefinition({
		timeout: "300ms",
		nodes: [{ name: "a", ...delay("60s") }, { name: "b", dependencies: ["a"] }, { name: "c", ...shell("sleep 60") }],
	});
	assert.equal(whole.execution.attributes.status, "failed");
	assert.match(whole.execution.attributes.error_message, /time/i);
	assert.ok(Object.values(whole.nodes).every((n) => ["failed", "cancelled", "skipped"].includes(n.status)), JSON.stringify(whole.nodes));
});

test("a failing node tells why, and fails the execution with its name", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [{ name: "fine" }, { name: "broken", ...lua("local t = nil\nreturn t.x") }, { name: "after", dependencies: ["broken"] }],
	});
	assert.equal(execution.attributes.status, "failed");
	assert.match(execution.attributes.error_message, /broken/);
	assert.match(nodes.broken.error, /nil/);
	assert.match(nodes.broken.error, /2/); // The script's line.
	assert.doesNotMatch(nodes.broken.error, /modules\/|\.c:|\/tmp/);
	assert.equal(nodes.after.status, "skipped");
});

// --- cancel --------------------------------------------------------------------------------------------------------

test("cancel ends waiting, computing and running nodes, and starts nothing new but all_done", async () => {
	const dag = await client.active({
		nodes: [
			{ name: "wait", ...delay("600s") },
			{ name: "loop", ...lua("local n = 0\nwhile true do n = n + 1 end"), retry: { limit: 100 } },
			{ name: "command", ...shell("sleep 612") },
			{ name: "later", dependencies: ["wait"] },
			{ name: "cleanup", dependencies: ["wait", "command"], trigger: "all_done" },
		],
	});
	const { id } = await client.start(dag);
	await until("the command runs", () => server.processes().some((p) => p.command.startsWith("sleep 612")));
	const begin = Date.now();
	const asked = await client.cancel(id);
	assert.ok([200, 202].includes(asked.status), asked.text);
	assert.ok(asked.json.data.attributes.cancel_requested_at);
	const { attributes } = await client.finished(id);
	assert.equal(attributes.status, "cancelled");
	assert.ok(Date.now() - begin < 8000);
	const { nodes } = await client.withNodes(id);
	assert.deepEqual(statuses(nodes), { wait: "cancelled", loop: "cancelled", command: "cancelled", later: "cancelled", cleanup: "success" });
	await until("the command is gone", () => !server.processes().some((p) => p.command.startsWith("sleep 612")));
});

test("an execution that has ended stays as it ended when it is cancelled", async () => {
	const { execution } = await client.runDefinition({ nodes: [{ name: "a" }] });
	const answer = await client.cancel(execution.id);
	assert.ok([200, 202, 409].includes(answer.status), answer.text);
	const after = await client.execution(execution.id);
	assert.equal(after.attributes.status, "success");
});

test("two hundred running executions are cancelled at once", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...delay("600s") }, { name: "b", dependencies: ["a"] }] });
	const started = await Promise.all(Array.from({ length: 200 }, () => client.start(dag)));
	const asked = await Promise.all(started.map((e) => client.cancel(e.id)));
	assert.ok(asked.every((a) => a.status < 300), asked.find((a) => a.status >= 300)?.text);
	await until("all are cancelled", async () => {
		const [{ count }] = await server.rows(`select count(*)::integer as count from open.executions where dag_id = '${dag.id}' and status = 'cancelled'`);
		return count === 200;
	});
});

// --- lists ---------------------------------------------------------------------------------------------------------

test("lists page without gap or double, in every order, both ways", async () => {
	const lister = await server.makeClient();
	const names = Array.from({ length: 25 }, (_, i) => `dag-${String(i).padStart(2, "0")}`);
	for (const name of names) await lister.create({ nodes: [{ name: "a" }] }, { name });
	for (const sort of ["name", "-name", "inserted_at", "-inserted_at", "updated_at", "-updated_at"]) {
		const seen = [];
		let target = `/api/v1/dags?sort=${sort}&page[size]=10`;
		for (let page = 0; target && page < 5; page++) {
			const answer = await lister.api("GET", target);
			assert.equal(answer.status, 200, answer.text);
			assert.ok(answer.json.data.length <= 10);
			seen.push(...answer.json.data.map((d) => d.attributes.name));
			target = answer.json.links.next;
		}
		assert.deepEqual(seen, sort.startsWith("-") ? [...names].reverse() : names, sort);
	}
	const all = await lister.get("/api/v1/dags");
	assert.equal(all.length, 25);
});

test("a page that a row is inserted before keeps its place", async () => {
	const lister = await server.makeClient();
	for (const name of ["b", "c", "d", "e"]) await lister.create({ nodes: [{ name: "a" }] }, { name });
	const first = await lister.api("GET", "/api/v1/dags?sort=name&page[size]=2");
	await lister.create({ nodes: [{ name: "a" }] }, { name: "a" });
	const second = await lister.api("GET", first.json.links.next);
	assert.deepEqual(second.json.data.map((d) => d.attributes.name), ["d", "e"]);
});

test("filters choose by status, name, DAG and time, and combine", async () => {
	const good = await client.active({ nodes: [{ name: "a" }] });
	const bad = await client.active({ nodes: [{ name: "a", ...fail }] });
	const middle = new Date().toISOString();
	for (const dag of [good, good, bad]) await client.run(dag);
	const list = (query) => client.get(`/api/v1/executions?${query}`);
	assert.equal((await list(`filter[dag]=${good.id}`)).length, 2);
	assert.equal((await list(`filter[dag]=${good.id}&filter[status]=failed`)).length, 0);
	assert.equal((await list(`filter[dag]=${bad.id}&filter[status]=failed,success`)).length, 1);
	assert.equal((await list(`filter[dag]=${good.id}&filter[inserted_from]=${middle}`)).length, 2);
	assert.equal((await list(`filter[dag]=${good.id}&filter[inserted_before]=${middle}`)).length, 0);
	assert.equal((await client.get(`/api/v1/dags/${good.id}/executions`)).length, 2);
	assert.equal((await client.get("/api/v1/dags?filter[status]=draft&filter[name]=none")).length, 0);
	const newest = await list("page[size]=3");
	assert.deepEqual(newest.map((e) => e.id), [...newest.map((e) => e.id)].sort().reverse());
});

test("a parameter that doesn't exist or has no sense is answered 400 with its name", async () => {
	for (const [query, parameter] of [
		["colour=red", "colour"], ["filter[colour]=red", "filter[colour]"], ["sort=colour", "sort"], ["page[size]=0", "page[size]"],
		["page[size]=-1", "page[size]"], ["page[size]=many", "page[size]"], ["page[size]=1001", "page[size]"], ["page[after]=nonsense", "page[after]"],
		["filter[status]=tired", "filter[status]"], ["include=owner", "include"], ["fields[dags]=colour", "fields[dags]"],
		["fields[cats]=name", "fields[cats]"],
	]) {
		const answer = await client.api("GET", `/api/v1/dags?${query}`);
		assert.equal(answer.status, 400, `${query}: ${answer.text}`);
		assert.equal(answer.json.errors[0].source.parameter, parameter, query);
	}
	assert.equal((await client.api("GET", "/api/v1/executions?filter[dag]=7")).json.errors?.[0].source.parameter ?? "filter[dag]", "filter[dag]");
	assert.equal((await client.api("GET", "/api/v1/node-executions")).status, 400); // Of which execution?
});

test("include brings related resources, fields only those that are asked for", async () => {
	const { execution } = await client.runDefinition(layered(3, 5));
	const answer = await client.api("GET", `/api/v1/executions/${execution.id}?include=dag,dag-version,node-executions&fields[executions]=status`
		+ "&fields[node-executions]=node_name,status");
	assert.equal(answer.status, 200, answer.text);
	assert.deepEqual(answer.json.data.attributes, { status: "success" });
	const types = answer.json.included.map((r) => r.type);
	assert.deepEqual([...new Set(types)].sort(), ["dag-versions", "dags", "node-executions"]);
	assert.equal(types.filter((t) => t === "node-executions").length, 15);
	const node = answer.json.included.find((r) => r.type === "node-executions");
	assert.deepEqual(Object.keys(node.attributes).sort(), ["node_name", "status"]);
	const one = await client.get(`/api/v1/node-executions/${node.id}`);
	assert.equal(one.attributes.node_name, node.attributes.node_name);
	const page = await client.api("GET", `/api/v1/executions/${execution.id}/node-executions?page[size]=4&filter[status]=success&sort=node_name`);
	assert.equal(page.json.data.length, 4);
	assert.ok(page.json.links.next);
});

test("a running execution shows which nodes have ended", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return 1") }, { name: "b", dependencies: ["a"], ...delay("600s") }] });
	const { id } = await client.start(dag);
	const { execution, nodes } = await until("a is recorded", async () => {
		const now = await client.withNodes(id);
		return now.nodes.a.status === "success" && now;
	}, { seconds: 3 });
	assert.equal(execution.attributes.status, "running");
	assert.equal(nodes.a.result, 1);
	assert.ok(["pending", "running"].includes(nodes.b.status));
	await client.cancel(id);
	await client.finished(id);
});

// --- HTTP and JSON:API ------------------------------------------------------------------------------------------------

test("every answer has JSON:API's shape and content type", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	const { execution } = await client.run(dag);
	for (const target of ["/api/v1/dags", `/api/v1/dags/${dag.id}`, `/api/v1/dags/${dag.id}/versions`, "/api/v1/executions", `/api/v1/executions/${execution.id}`]) {
		const answer = await client.api("GET", target);
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.headers.get("content-type"), JSONAPI);
		assert.match(answer.headers.get("vary") ?? "Accept", /accept/i);
		for (const r of [answer.json.data].flat()) {
			assert.equal(typeof r.id, "string");
			assert.equal(typeof r.type, "string");
			assert.equal(typeof r.attributes, "object");
			for (const relation of Object.values(r.relationships ?? {})) assert.ok("data" in relation || "links" in relation);
		}
	}
	const created = await client.tryCreate({ nodes: [{ name: "a" }] });
	assert.equal(created.status, 201);
	assert.match(created.headers.get("location"), new RegExp(`/api/v1/dags/${created.json.data.id}$`));
});

test("unknown paths are answered 404, wrong methods 405 with Allow, both as error objects", async () => {
	const dag = await client.create({ nodes: [{ name: "a" }] });
	for (const target of ["/api/v1/nothing", "/api/v1", "/api/v2/dags", "/api/v1/dags/x/y/z", `/api/v1/dags/${dag.id}/explode`, "/api/v1/dagsx", "/api/v1//dags"]) {
		const answer = await client.api("GET", target);
		assert.equal(answer.status, 404, target);
		assert.equal(answer.type, JSONAPI, target);
		assert.ok(answer.json.errors[0].code, target);
	}
	for (const [method, target, allow] of [["DELETE", "/api/v1/dags", /POST/], ["PUT", `/api/v1/dags/${dag.id}`, /PATCH/], ["POST", `/api/v1/dags/${dag.id}`, /GET/],
		["GET", `/api/v1/dags/${dag.id}/activate`, /POST/], ["DELETE", "/api/v1/executions", /GET/], ["PATCH", "/healthz", /GET/]]) {
		const answer = await client.api(method, target, method === "PUT" || method === "PATCH" ? { body: "{}" } : {});
		assert.equal(answer.status, 405, `${method} ${target}: ${answer.text}`);
		assert.match(answer.headers.get("allow") ?? "", allow, `${method} ${target}`);
		assert.equal(answer.json.errors[0].status, "405");
	}
});

test("a body of another type is answered 415, one that isn't JSON 400", async () => {
	for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/vnd.api+json; ext=\"none\"", "multipart/form-data; boundary=x"]) {
		const answer = await client.api("POST", "/api/v1/dags", { body: "{}", type });
		assert.equal(answer.status, 415, `${type}: ${answer.text}`);
		assert.equal(answer.type, JSONAPI);
	}
	const json = await client.api("POST", "/api/v1/dags", {
		body: { data: { type: "dags", attributes: { name: unique("n"), definition: { nodes: [{ name: "a" }] } } } }, type: "application/json",
	});
	assert.ok([201, 415].includes(json.status));
	assert.equal((await client.api("POST", "/api/v1/dags", { body: "hello" })).status, 400);
});

test("the API describes itself, and what it describes is there", async () => {
	const answer = await server.api("GET", "/api/v1/openapi.json", { headers: { accept: "application/json" } });
	assert.equal(answer.status, 200);
	assert.match(answer.json.openapi, /^3\.1/);
	for (const path of ["/api/v1/dags", "/api/v1/executions"]) assert.ok(answer.json.paths[path] ?? answer.json.paths[path.slice(7)], path);
	for (const [path, methods] of Object.entries(answer.json.paths)) {
		if (!methods.get) continue;
		const base = answer.json.servers?.[0]?.url?.replace(/^https?:\/\/[^/]+/, "").replace(/\/$/, "") ?? "";
		const target = (path.startsWith("/api") ? path : base + path).replace(/\{\w+\}/g, "0197f000-0000-7000-8000-000000000000");
		const there = await client.api("GET", target);
		assert.notEqual(there.status, 405, target);
		if (!path.includes("{")) assert.notEqual(there.status, 404, target);
	}
});

test("HEAD is answered as GET without a body, and answers are the same through one connection or many", async () => {
	const head = await client.api("HEAD", "/healthz");
	assert.equal(head.status, 200);
	assert.equal(head.text, "");
	const answers = await Promise.all(Array.from({ length: 100 }, () => client.api("GET", "/api/v1/dags?page[size]=5")));
	assert.ok(answers.every((a) => a.status === 200));
});

test("a client that hangs up in the middle of a request disturbs nobody", async () => {
	await Promise.all(Array.from({ length: 50 }, (_, i) => fetch(`${server.url}/api/v1/executions?page[size]=100`, {
		headers: { authorization: `Bearer ${client.token}` }, signal: AbortSignal.timeout(1 + (i % 10)),
	}).then((r) => r.text()).catch(() => {})));
	const answers = await Promise.all(Array.from({ length: 50 }, () => client.api("GET", "/api/v1/executions?page[size]=100")));
	assert.ok(answers.every((a) => a.status === 200));
	const dag = await client.active({ nodes: [{ name: "a" }] });
	assert.ok(ended((await client.run(dag)).execution.attributes.status));
});
