// Control of executions that run: pause and resume, by REST and openctl, across workers, crashes and restarts.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { delay, kill, lua, startServer, test, until } from "./harness.mjs";

let server;
let client;
let quick;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
	client = await server.makeClient();
	quick = await client.active({ nodes: [{ name: "a" }] });
});
after(() => server?.stop());

const statuses = (nodes) => Object.fromEntries(Object.entries(nodes).map(([name, n]) => [name, n.status]));
const wait = (ms) => ({ name: "first", ...delay(`${ms}ms`) });
const CHAIN = (ms) => ({ nodes: [wait(ms), { name: "second", dependencies: ["first"] }, { name: "cleanup", dependencies: ["second"], trigger: "all_done" }] });

const recorded = (id, name, status = "success") => until(`${name} of ${id} is recorded`, async () => (await client.withNodes(id)).nodes[name].status === status);

// Whatever would have started by itself has done so: others were started after it, and have ended.
async function letItWork() {
	for (let i = 0; i < 8; i++) await client.run(quick);
}

async function ask(verb, id, status = 202) {
	const answer = await client[verb](id);
	assert.equal(answer.status, status, answer.text);
	return answer;
}

test("a paused execution starts no node: what runs ends, the rest waits for resume", async () => {
	const dag = await client.active(CHAIN(400));
	const { id } = await client.start(dag);
	const paused = await ask("pause", id);
	assert.ok(paused.json.data.attributes.paused_at);
	assert.ok(["pending", "running"].includes(paused.json.data.attributes.status));
	assert.equal((await ask("pause", id)).json.data.attributes.paused_at, paused.json.data.attributes.paused_at, "asking again changes nothing");
	if ((await client.execution(id)).attributes.status === "running") await recorded(id, "first");
	await letItWork();
	const { execution, nodes } = await client.withNodes(id);
	assert.deepEqual([nodes.second.status, nodes.cleanup.status], ["pending", "pending"]);
	assert.equal(execution.attributes.paused_at, paused.json.data.attributes.paused_at);
	assert.equal((await ask("resume", id)).json.data.attributes.paused_at, null);
	assert.ok([202, 409].includes((await client.resume(id)).status), "asking again changes nothing");
	const { attributes } = await client.finished(id);
	assert.equal(attributes.status, "success");
	assert.equal(attributes.succeeded_nodes, 3);
});

test("executions of every worker are paused and resumed, whoever was asked", async () => {
	const dag = await client.active(CHAIN(700));
	const ids = (await Promise.all(Array.from({ length: 40 }, () => client.start(dag)))).map((e) => e.id);
	await Promise.all(ids.map((id) => ask("pause", id)));
	await letItWork();
	const list = `{${ids.join(",")}}`;
	await until("what ran has ended", async () => (await server.rows(`select count(*)::integer as n from open.executions e where id = any('${list}') and status = 'running'
		and not exists (select from open.node_history h where h.execution_id = e.id)`))[0].n === 0);
	await letItWork();
	const [{ n }] = await server.rows(`select count(*)::integer as n from open.node_executions where execution_id = any('${list}') and node_name <> 'first' and status <> 'pending'`);
	assert.equal(n, 0);
	await Promise.all(ids.map((id) => ask("resume", id)));
	for (const id of ids) assert.equal((await client.finished(id)).attributes.status, "success");
});

test("an execution that has ended, or will be cancelled, is not paused: 409 tells which", async () => {
	const { execution } = await client.run(quick);
	for (const verb of ["pause", "resume"]) {
		const answer = await ask(verb, execution.id, 409);
		assert.deepEqual(answer.codes, ["execution_ended"]);
	}
	const dag = await client.active({ nodes: [{ name: "a", ...delay("1h") }, { name: "cleanup", dependencies: ["a"], trigger: "all_done", ...delay("600ms") }] });
	const { id } = await client.start(dag);
	await ask("cancel", id);
	assert.deepEqual((await ask("pause", id, 409)).codes, ["cancel_requested"]);
	await ask("resume", id);
	assert.equal((await client.finished(id)).attributes.status, "cancelled");
	assert.deepEqual((await ask("pause", "0197f000-0000-7000-8000-000000000000", 404)).codes, ["execution_not_found"]);
	assert.deepEqual((await ask("pause", "7", 404)).codes, ["execution_not_found"]);
});

test("only who started it, the DAG's creator and admins pause; others of the organization may not, other organizations see nothing", async () => {
	const dag = await client.active(CHAIN(60000));
	const { id } = await client.start(dag);
	const user = await server.makeUser(client.org, { role: "user" });
	const token = await server.makeToken(user);
	for (const verb of ["pause", "resume"]) {
		assert.deepEqual((await server.api("POST", `/api/v1/executions/${id}/${verb}`, { token })).codes, ["forbidden"]);
		assert.equal((await (await server.makeClient())[verb](id)).status, 404);
	}
	await ask("cancel", id);
	await client.finished(id);
});

test("cancel ends a pause: cleanups run", async () => {
	const dag = await client.active(CHAIN(300));
	const { id } = await client.start(dag);
	await until("it runs", async () => (await client.execution(id)).attributes.status === "running");
	await ask("pause", id);
	await recorded(id, "first");
	const cancelled = await ask("cancel", id);
	assert.equal(cancelled.json.data.attributes.paused_at, null);
	assert.equal((await client.finished(id)).attributes.status, "cancelled");
	assert.deepEqual(statuses((await client.withNodes(id)).nodes), { first: "success", second: "cancelled", cleanup: "success" });
});

test("the execution's timeout goes on counting while it is paused", async () => {
	const dag = await client.active({ timeout: "2s", ...CHAIN(1000) });
	const { id } = await client.start(dag);
	await until("it runs", async () => (await client.execution(id)).attributes.status === "running");
	await ask("pause", id);
	const { attributes } = await client.finished(id);
	assert.equal(attributes.status, "failed");
	assert.match(attributes.error_message, /timeout of 2s/);
	assert.equal(attributes.paused_at, null);
});

// A row as openctl makes it, but paused from the first moment.
async function startPaused(dag) {
	const id = await server.psql(`insert into open.executions (id, organization_id, dag_id, dag_version_id, total_nodes, paused_at)
		select (left(open.uuid_v7()::text, 28) || '00000000')::uuid, d.organization_id, d.id, d.active_version_id, 3, now() from open.dags d where d.id = '${dag.id}'
		returning id`);
	await server.psql("notify open_pending, 'one'");
	return id;
}

test("an execution that is paused before it begins stays pending, until it is resumed or cancelled", async () => {
	const dag = await client.active(CHAIN(10));
	const [resumed, cancelled] = [await startPaused(dag), await startPaused(dag)];
	await until("a server has them", async () => (await server.rows(`select count(*)::integer as n from open.executions where id in ('${resumed}', '${cancelled}') and server_id is not null`))[0].n === 2);
	await letItWork();
	assert.equal((await client.execution(resumed)).attributes.status, "pending");
	await ask("resume", resumed);
	assert.equal((await client.finished(resumed)).attributes.status, "success");
	await ask("cancel", cancelled);
	assert.equal((await client.finished(cancelled)).attributes.status, "cancelled");
	assert.deepEqual(statuses((await client.withNodes(cancelled)).nodes), { first: "cancelled", second: "cancelled", cleanup: "success" });
});

test("what was asked while nobody listened counts when the server listens again", async () => {
	const dag = await client.active({ nodes: [wait(500), { name: "second", dependencies: ["first"], ...delay("1h") }] });
	const [paused, cancelled] = await Promise.all([client.start(dag), client.start(dag)]);
	await server.psql(`update open.executions set paused_at = now() where id = '${paused.id}';
		update open.executions set cancel_requested_at = now() where id = '${cancelled.id}';
		select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'open' and query like 'select s.rolsuper%'`, { role: "postgres" });
	assert.equal((await client.finished(cancelled.id)).attributes.status, "cancelled");
	await recorded(paused.id, "first");
	await letItWork();
	assert.equal((await client.withNodes(paused.id)).nodes.second.status, "pending");
	await ask("cancel", paused.id);
	await client.finished(paused.id);
});

test("openctl pauses, resumes and cancels", async () => {
	const dag = await client.active(CHAIN(300));
	const { id } = await client.start(dag);
	assert.equal(await server.ctl(["execution", "pause", id]), `${id} pause`);
	await letItWork();
	assert.ok((await client.execution(id)).attributes.paused_at);
	assert.ok(JSON.parse(await server.ctl(["execution", "show", id, "--json"])).paused_at);
	assert.deepEqual(JSON.parse(await server.ctl(["execution", "resume", id, "--json"])), { id, asked: "resume" });
	assert.equal((await client.finished(id)).attributes.status, "success");
	const other = await client.start(await client.active(CHAIN(60000)));
	await server.ctl(["execution", "cancel", other.id]);
	assert.equal((await client.finished(other.id)).attributes.status, "cancelled");
	for (const verb of ["pause", "resume", "cancel"]) {
		const { code, stderr } = await server.openctl(["execution", verb, id]);
		assert.equal(code, 1);
		assert.match(stderr, /has already ended: success/);
		assert.match((await server.openctl(["execution", verb, "0197f000-0000-7000-8000-000000000000"])).stderr, /there is no execution/);
		assert.equal((await server.openctl(["execution", verb, "7"])).code, 2);
	}
});

test("a paused fan-out starts no more elements", async () => {
	const dag = await client.active({ nodes: [{ name: "each", for_each: "${{ context.items }}", concurrency: 1, ...delay("${{ item }}ms") }] });
	const { id } = await client.start(dag, { items: [700, 1, 1] });
	await until("it runs", async () => (await client.execution(id)).attributes.status === "running");
	await ask("pause", id);
	const ends = async () => (await server.rows(`select count(*)::integer as n from open.node_history r cross join lateral unnest(r.states, r.elements) as u(state, element)
		where r.execution_id = '${id}' and u.element >= 0 and u.state in ('s', 'f', 'c')`))[0].n;
	await until("the first element has ended", async () => (await ends()) === 1);
	await letItWork();
	assert.equal(await ends(), 1);
	await ask("resume", id);
	assert.equal((await client.finished(id)).attributes.status, "success");
	assert.equal(await ends(), 3);
});

test("an execution stays paused when workers are killed, and when everything is", async () => {
	const dag = await client.active({ nodes: [{ name: "first", ...lua("return 1") }, { name: "hold", ...delay("1500ms") },
		{ name: "second", dependencies: ["hold"] }, { name: "third", dependencies: ["first", "second"], ...lua("return nodes.first.result + 1") }] });
	const ids = (await Promise.all(Array.from({ length: 6 }, () => client.start(dag)))).map((e) => e.id);
	for (const id of ids) await recorded(id, "first");
	await Promise.all(ids.map((id) => ask("pause", id)));
	await letItWork();
	for (const w of server.workers()) kill(w);
	await until("the workers are back", async () => (await server.api("GET", "/readyz")).status === 200 && server.workers().length === 2);
	await letItWork();
	await server.crash();
	await server.start();
	await letItWork();
	for (const id of ids) {
		const { execution, nodes } = await client.withNodes(id);
		assert.equal(execution.attributes.status, "running");
		assert.ok(execution.attributes.paused_at);
		assert.deepEqual([nodes.first.status, nodes.second.status, nodes.third.status], ["success", "pending", "pending"]);
		await ask("resume", id);
	}
	for (const id of ids) {
		assert.equal((await client.finished(id)).attributes.status, "success");
		assert.equal((await client.withNodes(id)).nodes.third.result, 2);
	}
});
