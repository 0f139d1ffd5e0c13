// Migrations: numbered, forward only, each whole or not at all.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { ROOT, Server, temporary, test, unique } from "./harness.mjs";

const FOLDER = path.join(ROOT, "migrations");
const files = fs.readdirSync(FOLDER).filter((f) => f.endsWith(".sql")).sort();
const names = files.map((f) => f.replace(/\.sql$/, ""));

let server; // only its PostgreSQL
before(async () => {
	server = new Server({ data: temporary(), port: 1, env: {} });
	await server.database("start");
});
after(async () => {
	await server?.database("stop");
	await server?.destroy();
});

// An empty database and a copy of the migrations that a test may spoil.
async function fresh() {
	const name = unique("fresh").replace("-", "_");
	await server.psql(`create database ${name} owner open_owner`, { role: "postgres", database: "postgres" });
	const folder = path.join(server.data, name);
	fs.cpSync(FOLDER, folder, { recursive: true });
	const url = `postgresql:///${name}?host=${encodeURIComponent(server.sockets())}&user=open_owner`;
	return {
		folder,
		migrate: (...args) => server.openctl(["migrate", ...args], {
			env: { OPEN_DATABASE_URL: url, OPEN_DATABASE_OWNER_URL: url, OPEN_MIGRATIONS: folder },
		}),
		psql: (sql) => server.psql(sql, { database: name }),
		add: (file, sql) => fs.writeFileSync(path.join(folder, file), sql),
	};
}

const NEXT = String(Number(names.at(-1).slice(0, 4)) + 1).padStart(4, "0");
const table = (db, name) => db.psql(`select to_regclass('open.${name}') is not null`);

test("files are numbered without gap", () => {
	assert.ok(files.length > 0);
	files.forEach((f, i) => assert.match(f, new RegExp(`^${String(i + 1).padStart(4, "0")}_[a-z0-9_]+\\.sql$`)));
});

test("a fresh database gets every migration, a second run changes nothing", async () => {
	const db = await fresh();
	const first = await db.migrate();
	assert.equal(first.code, 0, first.stderr);
	for (const name of names) assert.match(first.stdout + first.stderr, new RegExp(name));
	const state = () => db.psql("select md5(string_agg(m::text, ',' order by m::text)) from open.migrations m");
	const before = await state();
	const second = await db.migrate();
	assert.equal(second.code, 0, second.stderr);
	assert.equal(await state(), before);
	assert.equal(await db.psql("select count(*) from open.migrations"), String(files.length));
});

test("--status tells what is applied and what is waiting, and changes nothing", async () => {
	const db = await fresh();
	const empty = await db.migrate("--status");
	for (const name of names) assert.match(empty.stdout, new RegExp(`${name}.*waiting|waiting.*${name}`));
	assert.equal(await table(db, "dags"), "f");
	await db.migrate();
	const full = await db.migrate("--status");
	assert.equal(full.code, 0);
	for (const name of names) assert.match(full.stdout, new RegExp(`${name}.*applied|applied.*${name}`));
	db.add(`${NEXT}_more.sql`, "create table open.more (id integer);");
	assert.match((await db.migrate("--status")).stdout, new RegExp(`${NEXT}_more.*waiting|waiting.*${NEXT}_more`));
	assert.equal(await table(db, "more"), "f");
});

test("a changed migration stops with its name", async () => {
	const db = await fresh();
	await db.migrate();
	fs.appendFileSync(path.join(db.folder, files[0]), "\n-- changed\n");
	db.add(`${NEXT}_more.sql`, "create table open.more (id integer);");
	const { code, stderr } = await db.migrate();
	assert.equal(code, 1);
	assert.match(stderr, new RegExp(names[0]));
	assert.equal(await table(db, "more"), "f");
	assert.notEqual((await db.migrate("--status")).code, 0);
});

test("a missing migration stops with its name", async () => {
	const db = await fresh();
	db.add(`${NEXT}_more.sql`, "create table open.more (id integer);");
	assert.equal((await db.migrate()).code, 0);
	fs.rmSync(path.join(db.folder, `${NEXT}_more.sql`));
	const { code, stderr } = await db.migrate();
	assert.equal(code, 1);
	assert.match(stderr, new RegExp(`${NEXT}_more`));
});

test("a number that comes late or is given twice stops with its name", async () => {
	const late = await fresh();
	late.add("0900_first.sql", "select 1;");
	assert.equal((await late.migrate()).code, 0);
	late.add("0800_late.sql", "create table open.late (id integer);");
	const refused = await late.migrate();
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /0800_late/);
	assert.equal(await table(late, "late"), "f");
	const twice = await fresh();
	twice.add(`${names[0].slice(0, 4)}_again.sql`, "select 1;");
	const doubled = await twice.migrate();
	assert.equal(doubled.code, 1);
	assert.match(doubled.stderr, /_again|0001/);
	assert.equal(await table(twice, "dags"), "f");
});

test("a migration that fails leaves nothing of itself, keeps those before it, and is told with name and reason", async () => {
	const db = await fresh();
	db.add(`${NEXT}_broken.sql`, "create table open.half (id integer);\nselect nonsense;\n");
	const { code, stderr } = await db.migrate();
	assert.equal(code, 1);
	assert.match(stderr, new RegExp(`${NEXT}_broken`));
	assert.match(stderr, /nonsense/);
	assert.equal(await table(db, "half"), "f");
	assert.equal(await table(db, "dags"), "t");
	assert.equal(await db.psql("select count(*) from open.migrations"), String(files.length));
	db.add(`${NEXT}_broken.sql`, "create table open.half (id integer);\n");
	assert.equal((await db.migrate()).code, 0);
	assert.equal(await table(db, "half"), "t");
});

test("many migrate at once: each migration is applied once, all succeed", async () => {
	const db = await fresh();
	db.add(`${NEXT}_slow.sql`, "create table open.slow (id integer); select pg_sleep(0.3); insert into open.slow values (1);");
	const all = await Promise.all(Array.from({ length: 4 }, () => db.migrate()));
	assert.deepEqual(all.map((a) => a.code), [0, 0, 0, 0], all.map((a) => a.stderr).join("\n"));
	assert.equal(await db.psql("select count(*) from open.slow"), "1");
});

test("the database that can't be reached is told without a password", async () => {
	const url = "postgresql://somebody:s3cret@127.0.0.1:1/open";
	const { code, stdout, stderr } = await server.openctl(["migrate"], { env: { OPEN_DATABASE_URL: url, OPEN_DATABASE_OWNER_URL: "" } });
	assert.equal(code, 1);
	assert.ok(stderr.length > 10);
	assert.ok(!(stdout + stderr).includes("s3cret"));
});

const partitions = (db, parent) => db.psql(`select begins::date || ' ' || ends::date from open.history_partitions
	where parent = 'open.${parent}'::regclass order by begins`).then((text) => text.split("\n"));

test("partitions are made ahead, their bounds meet, and what waited in the default one moves in", async () => {
	const db = await fresh();
	await db.migrate();
	const month = new Date().toISOString().slice(0, 8) + "01";
	for (const parent of ["executions_finished", "node_history"]) {
		const months = await partitions(db, parent);
		assert.ok(months[0].startsWith(month), months.join(", "));
		assert.ok(months.length >= 3);
		months.slice(1).forEach((m, i) => assert.ok(m.startsWith(months[i].slice(-10)), months.join(", ")));
	}
	assert.equal(await db.psql("select open.ensure_partitions()"), "0");
	await db.psql(`${SEED}
		insert into open.executions (id, organization_id, dag_id, dag_version_id, finished, status, completed_at)
		select overlay(open.uuid_floor(now() + interval '130 days')::text placing '00000000' from 29)::uuid, organization_id, dag_id, id, true, 'success', now()
		  from open.dag_versions;
		insert into open.node_history (execution_id, first, organization_id, base_at, nodes, states, started, completed)
		select id, 0, organization_id, now(), '{0}', '{s}', '{0}', '{1}' from open.executions`);
	const where = () => db.psql("select string_agg(tableoid::regclass::text, ' ' order by 1) from (select tableoid from open.executions union all select tableoid from open.node_history) x");
	assert.equal(await where(), "open.executions_finished_default open.node_history_default");
	assert.ok(Number(await db.psql("select open.ensure_partitions('week', '140 days')")) >= 20);
	assert.match(await where(), /^open\.executions_2\d{7} open\.node_history_2\d{7}$/);
	const weeks = (await partitions(db, "node_history")).slice(3).map((w) => w.split(" ").map(Date.parse));
	weeks.slice(1).forEach(([begins, ends], i) => {
		assert.equal(begins, weeks[i][1]);
		assert.ok(ends - begins <= 7 * 86400e3);
	});
});

const SEED = `
	insert into open.organizations (name, slug) values ('o', 'o');
	insert into open.dags (organization_id, name) select id, 'd' from open.organizations;
	insert into open.dag_versions (organization_id, dag_id, number, definition, definition_hash, node_names)
	select organization_id, id, 1, '{}', sha256(''), '{a}' from open.dags;`;

test("executions of the schema before keep everything, those that ended in the partition of their time", async () => {
	const db = await fresh();
	const later = names.slice(2).map((name) => `${name}.sql`);
	for (const file of later) fs.rmSync(path.join(db.folder, file));
	assert.equal((await db.migrate()).code, 0);
	await db.psql(`${SEED}
		insert into open.users (organization_id, email, hashed_password) select id, 'a@b.test', 'x' from open.organizations;
		create table public.given (age interval, status text, n integer);
		insert into public.given
		select a.age, s.status, row_number() over () from unnest('{0,40,400,-1000}'::integer[]) d(days)
		 cross join lateral (select d.days * interval '1 day' as age) a
		 cross join unnest('{pending,running,success,failed,cancelled}'::text[]) s(status);
		insert into open.executions (id, organization_id, dag_id, dag_version_id, status, server_id, started_at, completed_at, context,
			result, error_message, retry_count, total_nodes, succeeded_nodes, failed_nodes, triggered_by, metadata, cancel_requested_at)
		select overlay(open.uuid_floor(now() - age - n * interval '1 s')::text placing '00000000' from 29)::uuid, v.organization_id, v.dag_id, v.id, status,
		       gen_random_uuid(), case when status <> 'pending' then now() - age end, case when status not in ('pending', 'running') then now() - age end,
		       jsonb_build_object('n', n), to_jsonb(n), 'because ' || n, n, 4, 3, 1, u.id, '{"m": 1}', now()
		  from public.given cross join open.dag_versions v cross join open.users u;
		insert into open.node_history (execution_id, first, organization_id, base_at, nodes, states, started, completed)
		select id, 0, organization_id, now(), '{0}', '{s}', '{0}', '{1}' from open.executions`);
	const columns = `id, organization_id, dag_id, dag_version_id, status, server_id, inserted_at, started_at, completed_at, cancel_requested_at,
		context, result, error_message, retry_count, total_nodes, succeeded_nodes, failed_nodes, triggered_by, metadata`;
	const state = () => db.psql(`select md5(string_agg(x::text, ',' order by id)) from (select ${columns} from open.executions) x;
		select md5(string_agg(x::text, ',' order by id)) from (select id, node_name, status, started_at, completed_at from open.node_executions) x`);
	const before = await state();
	for (const file of later) fs.copyFileSync(path.join(FOLDER, file), path.join(db.folder, file));
	const { code, stderr } = await db.migrate();
	assert.equal(code, 0, stderr);
	assert.equal(await state(), before);
	assert.equal(await db.psql("select string_agg(distinct status, ' ' order by status) from open.executions_unfinished"), "pending running");
	assert.equal(await db.psql("select count(*) from open.executions_unfinished"), "8");
	// What lies in the future stays in the default partition; the rest has one of its month.
	assert.equal(await db.psql("select count(*) from open.executions_finished_default"), "3");
	assert.equal(await db.psql(`select count(*) from open.executions_finished e join open.history_partitions p on p.part = e.tableoid
		where e.id::uuid >= p.lowest and e.id::uuid < p.beyond`), "9");
	// The journal's update moves the row; what is deleted takes it along.
	await db.psql("update open.executions set finished = true, status = 'failed', completed_at = now() where not finished");
	assert.equal(await db.psql("select count(*) from open.executions_unfinished"), "0");
	assert.equal(await db.psql("select u.email, m.role from open.users u join open.memberships m on m.user_id = u.id"), "a@b.test|user");
	await db.psql("delete from open.users");
	assert.equal(await db.psql("select count(*), count(triggered_by) from open.executions"), "20|0");
	await db.psql("delete from open.organizations");
	assert.equal(await db.psql("select (select count(*) from open.executions), (select count(*) from open.node_history)"), "0|0");
});
