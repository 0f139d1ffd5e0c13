// Old history goes, statistics stay: what retention hides, deletes and drops, and what it never does.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { delay, lua, startServer, test, until } from "./harness.mjs";

let server;
before(async () => {
	server = await startServer({ env: { OPEN_HISTORY_RETENTION: "400d" } });
	// Its own first look; the next one comes in an hour.
	await until("the server has looked for old history", async () => /history_looks_total [1-9]/.test((await server.api("GET", "/metrics")).text));
});
after(() => server?.stop());

const keep = async () => JSON.parse(await server.ctl(["history", "keep", "--json"]));
const set = (client, value) => server.openctl(["org", "set", `retention_days=${value}`, "--slug", client.org.slug]);

// A finished execution's id says when it began: its row and history as if that had been `days` ago. The new id.
async function age(id, days) {
	const [{ id: old }] = await server.rows(`select (substr(open.uuid_floor(now() - interval '${days} days')::text, 1, 13) || substr('${id}', 14))::uuid as id`);
	await server.psql(`update open.node_history set execution_id = '${old}' where execution_id = '${id}';
		update open.executions set id = '${old}' where id = '${id}'`);
	return old;
}

const counts = async (ids) => (await server.rows(`select (select count(*) from open.executions where id in (${ids.map((i) => `'${i}'`)}))::integer as executions,
	(select count(*) from open.node_history where execution_id in (${ids.map((i) => `'${i}'`)}))::integer as history`))[0];

test("an organization's retention hides its old executions at once, keep deletes them, and nobody else's", async () => {
	const [ours, theirs] = [await server.makeClient(), await server.makeClient()];
	const ids = {};
	for (const client of [ours, theirs]) {
		const dag = await client.active({ nodes: [{ name: "a", ...lua("return 1") }] });
		ids[client.org.slug] = [await age((await client.run(dag)).execution.id, 40), await age((await client.run(dag)).execution.id, 20)];
	}
	const list = async (client) => (await client.api("GET", "/api/v1/executions?sort=inserted_at")).json.data.map((e) => e.id);
	const [old, young] = ids[ours.org.slug];
	assert.deepEqual(await list(ours), [old, young]);
	assert.equal((await set(ours, 30)).code, 0);
	assert.deepEqual(await list(ours), [young]);
	assert.equal((await ours.api("GET", `/api/v1/executions/${old}`)).status, 404);
	assert.equal((await ours.api("GET", `/api/v1/executions/${old}/node-executions`)).json.data?.length ?? 0, 0);
	assert.deepEqual(await list(theirs), ids[theirs.org.slug]);
	assert.deepEqual(await counts([old, young]), { executions: 2, history: 2 });
	assert.equal((await keep()).deleted, 1);
	assert.deepEqual(await counts([old, young]), { executions: 1, history: 1 });
	assert.deepEqual(await counts(ids[theirs.org.slug]), { executions: 2, history: 2 });
	assert.deepEqual(await keep(), { made: 0, dropped: 0, deleted: 0 });
	assert.equal((await set(ours, null)).code, 0);
	assert.deepEqual(await list(ours), [young]);
});

test("a retention below a day, or that is no number of days, is refused", async () => {
	const client = await server.makeClient();
	for (const value of ["0", "-1", "0.5", '"7"', "true", "100000"]) {
		const { code, stderr } = await set(client, value);
		assert.equal(code, 1, value);
		assert.match(stderr, /retention_days is a whole number from 1/);
	}
});

test("partitions that are older than the server keeps are dropped, what is unfinished stays and is run", async () => {
	const client = await server.makeClient();
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return 1") }, { name: "b", dependencies: ["a"], ...delay("3s") }] });
	const ended = (await client.run(dag)).execution.id;
	const waits = await client.start(dag);
	await until("its first node is recorded", async () => (await counts([waits.id])).history > 0);
	const parts = async () => JSON.parse(await server.ctl(["history", "status", "--json"])).map((p) => p.part);
	// In the place of an old month: what the table was before partitions were made for it.
	await server.psql("select open.make_partition('open.executions_finished', '2024-03-01Z', '2024-04-01Z'); select open.make_partition('open.node_history', '2024-03-01Z', '2024-04-01Z')");
	const [{ days }] = await server.rows("select extract(day from now() - '2024-03-15Z')::integer as days");
	const old = await age(ended, days);
	assert.deepEqual((await server.rows(`select tableoid::regclass::text as part from open.executions where id = '${old}' union select tableoid::regclass::text from open.node_history where execution_id = '${old}'`))
		.map((r) => r.part).sort(), ["open.executions_20240301", "open.node_history_20240301"]);
	assert.ok((await parts()).includes("open.executions_20240301"));
	const { dropped } = await keep();
	assert.equal(dropped, 2);
	assert.ok(!(await parts()).some((p) => p.endsWith("20240301")));
	assert.deepEqual(await counts([old]), { executions: 0, history: 0 });
	assert.equal((await client.finished(waits.id)).attributes.status, "success");
	assert.match(await server.ctl(["history", "drop", "--before", "2024-01-01"]), /^0 partitions/);
	// The history of an execution that has not ended is needed to resume it.
	await server.psql("select open.make_partition('open.node_history', '2024-03-01Z', '2024-04-01Z')");
	const more = await client.start(dag);
	await until("its first node is recorded", async () => (await counts([more.id])).history > 0);
	await server.psql(`insert into open.executions (id, organization_id, dag_id, dag_version_id, server_id, status)
		select (substr(open.uuid_floor('2024-03-15Z')::text, 1, 13) || substr(id::text, 14))::uuid, organization_id, dag_id, dag_version_id, server_id, 'running' from open.executions where id = '${more.id}'`);
	assert.equal((await keep()).dropped, 0);
	await server.psql("delete from open.executions where not finished and id < open.uuid_floor('2024-04-01Z')");
	assert.equal((await keep()).dropped, 1);
	await client.finished(more.id);
});

test("starts wait for no lock while partitions are dropped, and a drop that can't get one gives up", async () => {
	const client = await server.makeClient();
	const dag = await client.active({ nodes: [{ name: "a", ...delay("1h") }] });
	await server.psql("select open.make_partition('open.executions_finished', '2024-05-01Z', '2024-06-01Z')");
	const holder = server.psql("begin; lock table open.executions_finished in access exclusive mode; select pg_sleep(4); rollback", { role: "postgres" });
	await until("the lock is held", async () => (await server.rows("select 1 from pg_locks where relation = 'open.executions_finished'::regclass and mode = 'AccessExclusiveLock' and granted")).length === 1);
	const { id } = await client.start(dag);
	assert.equal((await server.rows("select count(*)::integer as n from pg_locks where relation = 'open.executions_finished'::regclass and mode = 'AccessExclusiveLock' and granted"))[0].n, 1);
	assert.equal(await server.psql("select open.drop_history('2024-12-01Z')"), "0");
	await holder;
	assert.equal(await server.psql("select open.drop_history('2024-12-01Z')"), "1");
	assert.equal((await client.api("POST", `/api/v1/executions/${id}/cancel`)).status, 202);
	await client.finished(id);
});

test("statistics count every end once, by DAG and by organization, and stay when history goes", async () => {
	const client = await server.makeClient();
	const good = await client.active({ nodes: [{ name: "a", ...lua("return 1") }, { name: "b" }] });
	const bad = await client.active({ nodes: [{ name: "a", ...lua("error('no')") }] });
	const long = await client.active({ nodes: [{ name: "a", ...delay("1h") }] });
	const statistics = async (dag) => (await client.api("GET", `/api/v1/dags/${dag.id}`)).json.data.attributes.statistics;
	assert.equal(await statistics(good), null);
	await Promise.all(Array.from({ length: 50 }, () => client.run(good)));
	await client.run(bad);
	const { id } = await client.start(long);
	assert.equal((await client.api("POST", `/api/v1/executions/${id}/cancel`)).status, 202);
	await client.finished(id);
	const { avg_duration_ms: average, total_duration_ms: total, last_ended_at: last, ...rest } = await statistics(good);
	assert.deepEqual(rest, { total_executions: 50, succeeded_executions: 50, failed_executions: 0, cancelled_executions: 0, success_rate: 100, total_nodes: 100, failed_nodes: 0 });
	const [truth] = await server.rows(`select round(avg(extract(epoch from completed_at - started_at)) * 1000, 1) as average, max(completed_at) as last from open.executions where dag_id = '${good.id}'`);
	assert.ok(Math.abs(average - Number(truth.average)) <= 0.2, `${average} ${truth.average}`);
	assert.ok(Math.abs(total - average * 50) < 50);
	assert.equal(Date.parse(last), Date.parse(truth.last));
	assert.deepEqual([(await statistics(bad)).success_rate, (await statistics(bad)).failed_executions], [0, 1]);
	assert.equal((await statistics(long)).cancelled_executions, 1);
	const [row] = JSON.parse(await server.ctl(["org", "show", "--slug", client.org.slug, "--json"]));
	assert.deepEqual([row.ended, row.succeeded, row.failed, row.cancelled, row.unfinished].map(Number), [52, 50, 1, 1, 0]);
	// Lists have it only when it is asked for.
	const listed = (await client.api("GET", "/api/v1/dags?fields[dags]=name,statistics")).json.data.find((d) => d.id === good.id);
	assert.equal(listed.attributes.statistics.total_executions, 50);
	await server.psql(`delete from open.executions where dag_id = '${good.id}'`);
	assert.equal((await statistics(good)).total_executions, 50);
});
