// Op sql through the whole server: a tenant's own PostgreSQL over TCP, and servers that only pretend to be one.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { execute, FLAVOR, startServer, temporary, test, until } from "./harness.mjs";

const PASSWORD = "tenant-pass-4711";
let server;
let client;
let strict; // Of an organization that does not allow private addresses.
let tenant; // {port, sql(text)}

// A cluster of the tenant's: TCP on a port of its own, passwords, TLS offered.
async function startTenant() {
	const folder = temporary("open-tenant-");
	const bin = fs.readdirSync("/usr/lib/postgresql").sort((a, b) => b - a).map((v) => `/usr/lib/postgresql/${v}/bin`)[0];
	const port = await new Promise((resolve) => {
		const probe = net.createServer().listen(0, "127.0.0.1", () => {
			const { port: free } = probe.address();
			probe.close(() => resolve(free));
		});
	});
	const root = process.getuid() === 0;
	const as = root ? ["runuser", "-u", "open", "--"] : [];
	const run = async (line) => {
		const { code, stdout, stderr } = await execute("bash", ["-c", line], { env: { F: folder, B: bin, P: String(port), A: as.join(" "), PW: PASSWORD } });
		if (code !== 0) throw new Error(`tenant's cluster: ${stderr}${stdout}`);
		return stdout.trim();
	};
	await run(`${root ? "chown open: $F;" : ""} chmod 0700 $F; echo "$PW" > $F/pw; ${root ? "chown open: $F/pw;" : ""} cd /
		$A $B/initdb -D $F/pg -U tenant -A scram-sha-256 --pwfile=$F/pw --encoding=UTF8 --locale=C.UTF-8 > $F/initdb.log
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=tenant -keyout $F/k -out $F/c 2>/dev/null
		install -m 0600 $F/k $F/pg/server.key; install -m 0644 $F/c $F/pg/server.crt; ${root ? "chown open: $F/pg/server.*;" : ""}
		$A $B/pg_ctl start -w -s -D $F/pg -l $F/log -o "-p $P -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c ssl=on -c fsync=off" > /dev/null`);
	return {
		port,
		url: (more = "") => `postgresql://tenant:${PASSWORD}@127.0.0.1:${port}/postgres${more}`,
		sql: async (text) => {
			const { code, stdout, stderr } = await execute("psql", ["-X", "-q", "-A", "-t", "-d", `host=127.0.0.1 port=${port} user=tenant dbname=postgres password=${PASSWORD}`, "-c", text]);
			if (code !== 0) throw new Error(stderr);
			return stdout.trim();
		},
		stop: () => run(`cd /; $A $B/pg_ctl stop -m immediate -s -D $F/pg || true; rm -rf $F`),
	};
}

const setSecret = (org, name, value) => server.ctl(["secret", "set", name, "--org", org.slug, "--value-stdin"], { stdin: value });
const allowPrivate = (org) => server.psql(
	`update open.organizations set settings = settings || '{"allow_private_addresses": true}' where slug = '${org.slug}'`);

before(async () => {
	server = await startServer();
	tenant = await startTenant();
	client = await server.makeClient();
	await allowPrivate(client.org);
	client = Object.assign(client, { token: await server.makeToken(client.user) });
	strict = await server.makeClient();
	for (const { org } of [client, strict]) await setSecret(org, "DATABASE_URL", tenant.url());
	await tenant.sql("create table orders (id bigint primary key, note text, extra jsonb)");
});
after(async () => {
	await server?.stop();
	await tenant?.stop();
});

const sql = (statement, parameters, more = {}, node = {}) =>
	({ op: "sql", with: { statement, ...(parameters ? { parameters } : {}), ...more }, ...node });
async function one(node, context, who = client) {
	const { nodes } = await who.runDefinition({ nodes: [{ name: "q", ...node }] }, context);
	return nodes.q;
}
const backends = (where) => tenant.sql(`select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and ${where}`).then(Number);

test("rows come as JSON of their types, parameters are bound and never part of the statement", async () => {
	const q = await one(sql(`select 7::int as i, 9007199254740993::bigint as b, 1.50::numeric as n, 0.5::float8 as f, 'NaN'::float8 as nan, true as t,
		null::text as nothing, $1::text as s, $2::jsonb as j, date '2026-01-31' as d, '\\x00ff'::bytea as raw, array[1,2] as a, $3::int + 1 as sum`,
	["'; drop table orders; --", { a: [1, null, "ü"] }, "${{ context.n }}"]), { n: 41 });
	assert.equal(q.status, "success", q.error);
	assert.equal(q.result.command, "SELECT");
	assert.equal(q.result.count, 1);
	const [row] = q.result.rows;
	assert.deepEqual({ ...row, b: undefined }, { i: 7, b: undefined, n: 1.5, f: 0.5, nan: "NaN", t: true, nothing: null,
		s: "'; drop table orders; --", j: { a: [1, null, "ü"] }, d: "2026-01-31", raw: "\\x00ff", a: "{1,2}", sum: 42 });
	const [stored] = await server.rows("select results[1] as r from open.node_history order by base_at desc limit 1");
	assert.match(stored.r, /"b":9007199254740993,/);
});

test("changes tell how many rows they concern, and are committed", async () => {
	const made = await one(sql("insert into orders select g, $1, $2 from generate_series(1, 5) g", ["n", { x: 1 }]));
	assert.deepEqual(made.result, { command: "INSERT", count: 5, rows: [] });
	const changed = await one(sql("update orders set note = null where id <= $1 returning id", [2]));
	assert.deepEqual(changed.result, { command: "UPDATE", count: 2, rows: [{ id: 1 }, { id: 2 }] });
	assert.equal(await tenant.sql("select count(*) from orders where extra = '{\"x\": 1}' and note is null"), "2");
});

test("an error tells the SQLSTATE and is tried again only where that may help", async () => {
	const bad = await one(sql("select * from nowhere", null, {}, { retry: { limit: 2, backoff: "1ms" } }));
	assert.equal(bad.status, "failed");
	assert.match(bad.error, /42P01: relation "nowhere" does not exist, at character 15/);
	assert.equal(bad.retry_count, 0);
	await tenant.sql(`create sequence tries; create function flaky() returns int language plpgsql as $$ begin
		if nextval('tries') < 3 then raise exception 'again' using errcode = '40001'; end if; return 3; end $$`);
	const again = await one(sql("select flaky() as n", null, {}, { retry: { limit: 5, backoff: "1ms" } }));
	assert.equal(again.status, "success", again.error);
	assert.equal(again.retry_count, 2);
});

test("a statement that runs for ever ends at its timeout, at a cancel, and at its server, too", async () => {
	const slow = await one(sql("select pg_sleep(1000), 'timeout-case'", null, { timeout: "300ms" }));
	assert.match(slow.error, /took longer than its timeout of 300ms/);
	await until("it is cancelled at its server", async () => (await backends("state = 'active' and query like '%timeout-case%'")) === 0);
	const dag = await client.active({ nodes: [{ name: "q", ...sql("select pg_sleep(1000), 'cancel-case'") }] });
	const { id } = await client.start(dag);
	await until("it runs", async () => (await backends("state = 'active' and query like '%cancel-case%'")) === 1);
	await client.cancel(id);
	assert.equal((await client.finished(id)).attributes.status, "cancelled");
	await until("it is cancelled at its server", async () => (await backends("state = 'active' and query like '%cancel-case%'")) === 0);
});

const rss = () => Math.max(...server.workers().map(({ pid }) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1])));

test("ten million rows and a value of 300 MB fail without taking the memory", async () => {
	await one(sql("select 1 as x"));
	const before = rss();
	const many = await one(sql("select g from generate_series(1, 10000000) g"));
	assert.match(many.error, /more than 1000 rows/);
	const most = await one(sql("select g, repeat('x', 100) as t from generate_series(1, 10000000) g", null, { max_rows: 100000 }));
	assert.match(most.error, /more than 1048576 bytes/);
	const wide = await one(sql("select repeat('x', 300000000) as t"));
	assert.match(wide.error, /more than 1048576 bytes/);
	assert.ok(rss() - before < (FLAVOR === "asan" ? 250000 : 60000), `${before} -> ${rss()} KiB`);
	await until("none of them runs on", async () => (await backends("state = 'active'")) === 0);
});

test("a connection that breaks is a failure that retry may cure", async () => {
	const lost = await one(sql("select pg_terminate_backend(pg_backend_pid())"));
	assert.equal(lost.status, "failed");
	assert.match(lost.error, /57P01|connection to the database broke/);
	await tenant.sql("create sequence breaks");
	const cured = await one(sql("select case when nextval('breaks') = 1 then pg_terminate_backend(pg_backend_pid()) end as x", null, {},
		{ retry: { limit: 3, backoff: "1ms" } }));
	assert.equal(cured.status, "success", cured.error);
	assert.equal(cured.retry_count, 1);
});

test("many statements share few connections, and nothing of one is seen by the next", async () => {
	const nodes = Array.from({ length: 100 }, (_, i) => ({ name: `q${i}`,
		...sql("select count(*)::int as n from pg_stat_activity where usename = 'tenant' and backend_type = 'client backend'") }));
	const { execution, nodes: ended } = await client.runDefinition({ nodes });
	assert.equal(execution.attributes.status, "success", execution.attributes.error_message);
	const most = Math.max(...Object.values(ended).map((n) => n.result.rows[0].n));
	assert.ok(most <= 8 * server.workers().length + 1, `${most} connections`);
	const { nodes: left } = await client.runDefinition({ nodes: [
		{ name: "a", ...sql("create temp table leftover (x int)") },
		{ name: "b", dependencies: ["a"], ...sql("set application_name = 'leftover'") },
		{ name: "c", dependencies: ["b"], ...sql("begin") },
		{ name: "d", dependencies: ["c"], ...sql("select to_regclass('pg_temp.leftover') as t, current_setting('application_name') as n, pg_current_xact_id_if_assigned() as x") }] });
	assert.deepEqual(left.d.result.rows, [{ t: null, n: "", x: null }]);
	assert.equal(await backends("state like 'idle in transaction%'"), 0);
});

test("TLS: certificates are checked where the connection says so", async () => {
	await setSecret(client.org, "TLS_FULL", tenant.url("?sslmode=verify-full"));
	await setSecret(client.org, "TLS_REQUIRE", tenant.url("?sslmode=require"));
	const ssl = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
	const full = await one(sql(ssl, null, { connection: "${{ secrets.TLS_FULL }}" }));
	assert.match(full.error, /no connection to the database.*certificate/);
	const required = await one(sql(ssl, null, { connection: "${{ secrets.TLS_REQUIRE }}" }));
	assert.deepEqual(required.result?.rows, [{ ssl: true }], required.error);
});

test("private addresses are refused unless the organization allows them; sockets and files always", async () => {
	assert.match((await one(sql("select 1 as x"), undefined, strict)).error, /private or OPEN's own/);
	const { sockets } = { sockets: server.sockets() };
	for (const [value, text] of [
		[`host=${sockets} user=open_login dbname=open`, /socket/], [`postgresql:///open?host=${encodeURIComponent(sockets)}`, /socket/], ["dbname=open", /no host/],
		["service=x", /must not say|can't be read/], ["host=127.0.0.1 sslkey=/etc/passwd", /must not say "sslkey"/], ["host=127.0.0.1 passfile=/etc/passwd", /must not say "passfile"/],
		["host=a,b dbname=x", /one host/], ["host=127.0.0.1 port=0", /port/], ["nonsense", /neither a URL/], ["host=127.0.0.1 hostaddr=8.8.8.8", /must not say "hostaddr"/],
	]) {
		await setSecret(client.org, "ODD", value);
		const q = await one(sql("select 1 as x", null, { connection: "${{ secrets.ODD }}" }));
		assert.equal(q.status, "failed", value);
		assert.match(q.error, text, value);
	}
});

test("wrong passwords and absent servers fail clearly, and no error shows the connection", async () => {
	await setSecret(client.org, "WRONG", tenant.url().replace(PASSWORD, "not-the-password"));
	const wrong = await one(sql("select 1 as x", null, { connection: "${{ secrets.WRONG }}" }));
	assert.match(wrong.error, /no connection to the database: .*password authentication failed/);
	assert.ok(!wrong.error.includes("not-the-password"));
	await setSecret(client.org, "ABSENT", "postgresql://u:secret-pw@127.0.0.1:1/x");
	const absent = await one(sql("select 1 as x", null, { connection: "${{ secrets.ABSENT }}" }));
	assert.match(absent.error, /refused/);
	assert.ok(!absent.error.includes("secret-pw"));
	await setSecret(client.org, "UNKNOWN", "postgresql://u@nowhere.invalid/x");
	assert.match((await one(sql("select 1 as x", null, { connection: "${{ secrets.UNKNOWN }}" }))).error, /not known/);
	const missing = await one(sql("select 1 as x", null, { connection: "${{ secrets.NOT_SET }}" }));
	assert.match(missing.error, /NOT_SET/);
});

test("documents: a connection is a secret, a statement holds no ${{ }}", async () => {
	const refused = async (more, pointer) => {
		const { status, json } = await client.tryCreate({ nodes: [{ name: "q", ...sql("select 1", null, more) }] });
		assert.equal(status, 422, JSON.stringify(json));
		assert.ok(json.errors[0].source.pointer.endsWith(pointer), JSON.stringify(json.errors));
	};
	await refused({ connection: tenant.url() }, "/with/connection");
	await refused({ connection: "x${{ secrets.DATABASE_URL }}" }, "/with/connection");
	await refused({ statement: "select ${{ context.x }}" }, "/with/statement");
	await refused({ parameters: "x" }, "/with/parameters");
	await refused({ max_rows: 100001 }, "/with/max_rows");
});

// --- servers that only pretend --------------------------------------------------------------------------

const message = (type, body) => {
	const length = Buffer.alloc(5);
	length.write(type, 0, "latin1");
	length.writeUInt32BE(body.length + 4, 1);
	return Buffer.concat([length, body]);
};
const int32 = (n) => { const b = Buffer.alloc(4); b.writeInt32BE(n); return b; };
const READY = message("Z", Buffer.from("I"));
const AUTH_OK = message("R", int32(0));
const rowDescription = (name, type) => {
	const b = Buffer.alloc(18);
	b.writeInt32BE(type, 6);
	return message("T", Buffer.concat([Buffer.from([0, 1]), Buffer.from(`${name}\0`), b]));
};
const dataRow = (text) => message("D", Buffer.concat([Buffer.from([0, 1]), int32(text.length), Buffer.from(text)]));

// answer(socket) is called when the client asks its first statement.
function pretender(answer, { greet = true } = {}) {
	return new Promise((resolve) => {
		const sockets = new Set();
		const made = net.createServer((socket) => {
			let started = false;
			sockets.add(socket);
			socket.on("error", () => {});
			socket.on("close", () => sockets.delete(socket));
			socket.on("data", (data) => {
				if (data.length === 8 && data.readInt32BE(4) === 80877103) socket.write("N"); // no TLS
				else if (!started) {
					started = true;
					if (greet) socket.write(Buffer.concat([AUTH_OK, READY]));
				} else answer(socket);
			});
		}).listen(0, "127.0.0.1", () => resolve(Object.assign(made, { sockets,
			url: `postgresql://u@127.0.0.1:${made.address().port}/x`, end: () => { for (const s of sockets) s.destroy(); made.close(); } })));
	});
}

async function ask(answer, more, options) {
	const peer = await pretender(answer, options);
	try {
		await setSecret(client.org, "PRETENDER", peer.url);
		const q = await one(sql("select 1", null, { connection: "${{ secrets.PRETENDER }}", ...more }));
		await until("the connection is closed", () => q.status === "success" || peer.sockets.size === 0);
		return q;
	} finally {
		peer.end();
	}
}

test("a server that never answers, hangs up, floods, lies about types or sends garbage harms nobody", async () => {
	assert.match((await ask(() => {}, { timeout: "200ms" }, { greet: false })).error, /timeout of 200ms/);
	assert.match((await ask(() => {}, { timeout: "200ms" })).error, /timeout of 200ms/);
	assert.match((await ask((s) => s.destroy())).error, /broke/);
	const parse = Buffer.concat([message("1", Buffer.alloc(0)), message("2", Buffer.alloc(0))]);
	const flood = (piece) => (s) => {
		const more = () => { while (!s.destroyed && s.write(piece)); };
		s.on("drain", more);
		s.write(parse);
		more();
	};
	const before = rss();
	const zeros = Buffer.alloc(1 << 16);
	assert.match((await ask((s) => { // one row that claims a gigabyte
		s.write(Buffer.concat([parse, rowDescription("a", 25)]));
		const head = Buffer.alloc(11);
		head.write("D", 0, "latin1");
		head.writeUInt32BE(2 ** 30, 1);
		head.writeUInt16BE(1, 5);
		head.writeInt32BE(2 ** 30 - 10, 7);
		s.write(head);
		const more = () => { while (!s.destroyed && s.write(zeros)); };
		s.on("drain", more);
		more();
	})).error, /more than 1048576 bytes/);
	const notice = message("N", Buffer.concat([Buffer.from("SNOTICE\0C00000\0Mx\0\0")]));
	assert.match((await ask(flood(Buffer.concat(Array(1000).fill(notice))), { timeout: "10s" })).error, /more than|broke|timeout/);
	const note = message("A", Buffer.concat([int32(1), Buffer.from("channel\0payload\0")]));
	assert.match((await ask(flood(Buffer.concat(Array(1000).fill(note))), { timeout: "10s" })).error, /more than|broke|timeout/);
	assert.ok(rss() - before < (FLAVOR === "asan" ? 250000 : 60000), `${before} -> ${rss()} KiB`);
	assert.match((await ask((s) => s.write(zeros), { timeout: "2s" })).error, /broke|timeout/);
	const done = Buffer.concat([message("C", Buffer.from("SELECT 1\0")), READY]);
	const lies = async (type, text) => (await ask((s) => s.write(Buffer.concat([parse, rowDescription("a", type), dataRow(text), done])))).result?.rows;
	assert.deepEqual(await lies(114, "{not json"), [{ a: "{not json" }]);
	assert.deepEqual(await lies(23, "1,\"b\":2"), [{ a: "1,\"b\":2" }]);
	assert.deepEqual(await lies(16, "maybe"), [{ a: "maybe" }]);
	assert.deepEqual(await lies(3802, "[1, 2]"), [{ a: [1, 2] }]);
	assert.deepEqual(await lies(20, "007"), [{ a: "007" }]);
});
