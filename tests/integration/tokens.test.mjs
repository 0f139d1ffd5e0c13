// Who may see what: tokens, organizations, and the walls in the database.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { createHash } from "node:crypto";
import { Client, JSONAPI, delay, lua, startServer, test, unique, until } from "./harness.mjs";

let server;
let ours; // has one of everything
let theirs; // looks for it
let dag;
let version;
let execution;
let node;

const NOWHERE = "0197f000-0000-7000-8000-000000000000";

before(async () => {
	server = await startServer();
	ours = await server.makeClient();
	theirs = await server.makeClient();
	dag = await ours.active({ nodes: [{ name: "a", ...lua("return 'ours alone'") }] });
	execution = (await ours.run(dag, { secret: "ours alone" })).execution;
	[version] = await ours.get(`/api/v1/dag-versions?filter[dag]=${dag.id}`);
	[node] = (await ours.withNodes(execution.id)).included;
});
after(() => server?.stop());

// Every route that takes credentials: [method, path, body].
const resource = (type, attributes, more = {}) => ({ data: { type, attributes, ...more } });
const definition = { nodes: [{ name: "a" }] };
const started = (id) => resource("executions", {}, { relationships: { dag: { data: { type: "dags", id } } } });
const routes = (ids) => [
	["GET", "/api/v1/dags"],
	["POST", "/api/v1/dags", resource("dags", { name: unique("n"), definition })],
	["GET", `/api/v1/dags/${ids.dag}`],
	["PATCH", `/api/v1/dags/${ids.dag}`, resource("dags", { description: "mine now" }, { id: ids.dag })],
	["POST", `/api/v1/dags/${ids.dag}/activate`],
	["POST", `/api/v1/dags/${ids.dag}/archive`],
	["DELETE", `/api/v1/dags/${ids.dag}`],
	["GET", `/api/v1/dags/${ids.dag}/versions`],
	["GET", `/api/v1/dags/${ids.dag}/executions`],
	["GET", `/api/v1/dag-versions?filter[dag]=${ids.dag}`],
	["GET", `/api/v1/dag-versions/${ids.version}`],
	["GET", "/api/v1/executions"],
	["POST", "/api/v1/executions", started(ids.dag)],
	["GET", `/api/v1/executions/${ids.execution}`],
	["GET", `/api/v1/executions/${ids.execution}?include=node-executions`],
	["POST", `/api/v1/executions/${ids.execution}/cancel`],
	["GET", `/api/v1/executions/${ids.execution}/node-executions`],
	["GET", `/api/v1/node-executions?filter[execution]=${ids.execution}`],
	["GET", `/api/v1/node-executions/${ids.node}`],
];
const ours_ids = () => ({ dag: dag.id, version: version.id, execution: execution.id, node: node.id });

async function everywhere(ids, token, check, only = () => true) {
	for (const [method, target, body] of routes(ids)) {
		if (only(method, target)) await check(await server.api(method, target, { token, body }), `${method} ${target}`);
	}
}

function unauthorized(answer, route) {
	assert.equal(answer.status, 401, `${route}: ${answer.text}`);
	assert.equal(answer.type, JSONAPI, route);
	assert.equal(answer.json.errors[0].status, "401");
	assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer/, route);
	assert.ok(!answer.text.includes("ours alone"));
}

test("a wrong token is answered 401 on every route", async () => {
	await everywhere(ours_ids(), `${ours.token.slice(0, -2)}xx`, unauthorized);
	for (const token of ["x", ours.token.slice(1), `${ours.token}a`, ours.token.toUpperCase(), "' or true --", "%00", "x".repeat(2000)]) {
		unauthorized(await server.api("GET", "/api/v1/dags", { token }), token);
	}
	for (const authorization of [ours.token, `Basic ${ours.token}`, "Bearer", "Bearer  ", `Bearer ${ours.token} ${ours.token}`]) {
		const answer = await server.api("GET", "/api/v1/dags", { headers: { authorization } });
		assert.equal(answer.status, 401, authorization);
	}
});

test("the scheme's name may be written in any case", async () => {
	const answer = await server.api("GET", "/api/v1/dags", { headers: { authorization: `bearer ${ours.token}` } });
	assert.equal(answer.status, 200);
});

test("a token is stored only as its SHA-256", async () => {
	const hash = createHash("sha256").update(ours.token).digest("hex");
	const rows = await server.rows(`select encode(token_hash, 'hex') as hash, t::text as row from open.api_tokens t`);
	assert.ok(rows.some((r) => r.hash === hash));
	assert.ok(!rows.some((r) => r.row.includes(ours.token)));
	assert.ok(!server.log().includes(ours.token));
});

test("a revoked token is refused everywhere within two seconds, by every worker", async () => {
	const token = await server.makeToken(ours.user);
	for (let i = 0; i < 20; i++) assert.equal((await server.api("GET", "/api/v1/dags", { token })).status, 200);
	const hash = createHash("sha256").update(token).digest("hex");
	await server.psql(`update open.api_tokens set revoked_at = now() where token_hash = '\\x${hash}'`);
	const begin = Date.now();
	await until("it is refused", async () => (await server.api("GET", "/api/v1/dags", { token })).status === 401);
	assert.ok(Date.now() - begin < 2000, `it took ${Date.now() - begin} ms`);
	await until("two seconds are over", () => Date.now() - begin >= 2000);
	// Many connections at once reach every worker.
	const answers = await Promise.all(Array.from({ length: 40 }, () => server.api("GET", "/api/v1/dags", { token, headers: { connection: "close" } })));
	assert.ok(answers.every((a) => a.status === 401));
});

test("a token is refused from the moment it expires, and was good until then", async () => {
	const token = await server.makeToken(ours.user, "--name", "short", "--expires", "3s");
	const begin = Date.now();
	assert.equal((await server.api("GET", "/api/v1/dags", { token })).status, 200);
	await until("it is refused", async () => (await server.api("GET", "/api/v1/dags", { token })).status === 401, { seconds: 10 });
	assert.ok(Date.now() - begin > 1000);
	await everywhere(ours_ids(), token, unauthorized);
	assert.notEqual((await server.openctl(["token", "create", "--org", ours.org.slug, "--user", ours.user.email, "--expires", "soon"])).code, 0);
});

test("a token of a user who is deleted, deactivated or no member any more is refused", async () => {
	const of = (user) => `user_id = (select id from open.users where email = '${user.email}')`;
	for (const sql of [
		(user) => `delete from open.users where email = '${user.email}'`,
		(user) => `update open.users set deactivated_at = now() where email = '${user.email}'`,
		(user) => `update open.memberships set deactivated_at = now() where ${of(user)}`,
		(user) => `delete from open.memberships where ${of(user)}`,
	]) {
		const user = await server.makeUser(ours.org);
		const token = await server.makeToken(user);
		assert.equal((await server.api("GET", "/api/v1/dags", { token })).status, 200);
		await server.psql(sql(user));
		await until("it is refused", async () => (await server.api("GET", "/api/v1/dags", { token })).status === 401, { seconds: 2 });
	}
});

test("another role counts at once", async () => {
	const user = await server.makeUser(ours.org);
	const token = await server.makeToken(user);
	assert.equal((await server.api("GET", "/api/v1/secrets", { token })).status, 200);
	await server.psql(`update open.memberships set role = 'user' where user_id = (select id from open.users where email = '${user.email}')`);
	await until("it is refused", async () => (await server.api("GET", "/api/v1/secrets", { token })).status === 403, { seconds: 2 });
});

test("openctl shows an organization only its own", async () => {
	assert.equal((await server.openctl(["dag", "export", dag.attributes.name, "--org", theirs.org.slug])).code, 1);
	assert.equal((await server.openctl(["run", dag.attributes.name, "--org", theirs.org.slug])).code, 1);
	assert.equal((await server.openctl(["token", "create", "--org", theirs.org.slug, "--user", ours.user.email])).code, 1);
});

test("a malformed id is answered 404 on every route", async () => {
	for (const id of ["1", "not-a-uuid", `${dag.id}0`, dag.id.slice(1), `{${dag.id}}`, "%00", "..%2f..", "'", "０".repeat(36), "x".repeat(500)]) {
		const escaped = id.startsWith("%") || id.startsWith("..") ? id : encodeURIComponent(id);
		for (const [method, target] of [["GET", `/api/v1/dags/${escaped}`], ["DELETE", `/api/v1/dags/${escaped}`],
			["POST", `/api/v1/dags/${escaped}/activate`], ["GET", `/api/v1/dag-versions/${escaped}`], ["GET", `/api/v1/executions/${escaped}`],
			["POST", `/api/v1/executions/${escaped}/cancel`], ["GET", `/api/v1/node-executions/${escaped}`]]) {
			const answer = await ours.api(method, target);
			// A control character in the path is no request at all.
			assert.ok(answer.status === 404 || (id === "%00" && answer.status === 400), `${method} ${target}: ${answer.status}`);
		}
	}
	const start = await ours.tryStart("not-a-uuid");
	assert.ok([404, 422].includes(start.status), start.text);
});

test("an id in capital letters is the same id", async () => {
	assert.equal((await ours.get(`/api/v1/dags/${dag.id.toUpperCase()}`)).id, dag.id);
});

test("nobody assigns an organization or an id of his own by relationships or id", async () => {
	const related = await ours.api("POST", "/api/v1/dags", { body: resource("dags", { name: unique("mass"), definition },
		{ relationships: { organization: { data: { type: "organizations", id: theirs.org.id } } } }) });
	assert.ok(related.status >= 400 || (await theirs.get("/api/v1/dags")).every((d) => d.id !== related.json.data.id));
	const foreign = await server.rows(`select id from open.dags where organization_id = '${theirs.org.id}' and name like 'mass-%'`);
	assert.deepEqual(foreign, []);
	const given = await ours.api("POST", "/api/v1/dags", { body: resource("dags", { name: unique("mass"), definition }, { id: NOWHERE }) });
	assert.equal(given.status, 403); // JSON:API: a client's own id.
});

// --- the walls in the database -----------------------------------------------------------------------------------

const TABLES = ["organizations", "users", "memberships", "api_tokens", "dags", "dag_versions", "executions", "node_history", "node_executions"];

test("the server's login sees nothing by itself, and as open_server nothing without an organization", async () => {
	for (const table of TABLES) {
		const bare = await server.psql(`select 1 from open.${table}`, { role: "open_login", ok: false });
		assert.notEqual(bare.code, 0, `open_login reads ${table}`);
		assert.match(bare.stderr, /permission denied/);
		if (table === "node_executions") continue;
		const none = await server.psql(`set role open_server;\nselect count(*) from open.${table};`, { role: "open_login", ok: false });
		if (none.code === 0) assert.equal(none.stdout, "0", table);
		else assert.match(none.stderr, /permission denied/);
	}
	assert.equal(await server.psql("set role open_server;\nselect count(*) from open.node_executions;", { role: "open_login" }), "0");
});

test("as open_server with an organization set, only that one's rows exist", async () => {
	const act = (org, sql) => server.psql(`set role open_server;\nbegin;\nset local open.actor = '${org.id}  admin';\n${sql};\ncommit;`,
		{ role: "open_login", ok: false });
	for (const table of TABLES.filter((t) => t !== "organizations" && t !== "users")) {
		const own = await act(ours.org, `select count(*) from open.${table}`);
		if (own.code !== 0) continue; // Not granted at all.
		if (table !== "api_tokens") assert.ok(Number(own.stdout) > 0, table);
		const foreign = await act(theirs.org, `select count(*) from open.${table} where organization_id = '${ours.org.id}'`);
		assert.equal(foreign.stdout, "0", table);
	}
	assert.equal((await act(ours.org, `select count(*) from open.users where email = '${ours.user.email}'`)).stdout, "1");
	assert.equal((await act(theirs.org, `select count(*) from open.users where email = '${ours.user.email}'`)).stdout, "0");
	const update = await act(theirs.org, `update open.dags set description = 'stolen' where id = '${dag.id}' returning 1`);
	assert.equal(update.stdout, "");
	const insert = await act(theirs.org, `insert into open.dags (organization_id, name) values ('${ours.org.id}', 'smuggled')`);
	assert.notEqual(insert.code, 0);
	assert.match(insert.stderr, /row-level security/);
	const move = await act(ours.org, `update open.dags set organization_id = '${theirs.org.id}' where id = '${dag.id}'`);
	assert.notEqual(move.code, 0);
	assert.match(move.stderr, /row-level security/);
});

test("the server's login owns nothing, is no superuser, and can't delete history or drop tables", async () => {
	const [{ owned }] = await server.rows(`select count(*)::integer as owned from pg_class c join pg_roles r on r.oid = c.relowner
		where r.rolname in ('open_login', 'open_server', 'open_system')`);
	assert.equal(owned, 0);
	const roles = await server.rows(`select rolname from pg_roles where rolname in ('open_login', 'open_server', 'open_system')
		and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)`);
	assert.deepEqual(roles, []);
	for (const role of ["open_server", "open_system"]) {
		for (const sql of ["delete from open.executions", "truncate open.node_history", "drop table open.dags", "alter table open.dags disable row level security"]) {
			const { code } = await server.psql(`set role ${role};\n${sql};`, { role: "open_login", ok: false });
			assert.notEqual(code, 0, `${role}: ${sql}`);
		}
	}
	const owner = await server.psql("set role open_owner", { role: "open_login", ok: false });
	assert.notEqual(owner.code, 0);
});

test("a version can't be changed, not even by the owner of the tables", async () => {
	const { code, stderr } = await server.psql(`update open.dag_versions set definition = '{}' where id = '${version.id}'`, { ok: false });
	assert.notEqual(code, 0);
	assert.match(stderr, /immutable/);
});

test("errors tell nothing of SQL, paths or the machine", async () => {
	const answers = [
		await ours.api("GET", "/api/v1/dags?filter[name]=%27%3B%20drop%20table%20open.dags%3B--"),
		await ours.api("GET", "/api/v1/dags?sort=name%3Bselect"),
		await ours.api("GET", "/api/v1/dags?page[after]=AAAA"),
		await ours.tryCreate(definition, { name: "x\u0000y" }),
		await ours.tryStart(dag, { deep: [[["x\u0000"]]] }),
	];
	for (const answer of answers) {
		assert.ok(answer.status < 500, answer.text);
		assert.doesNotMatch(answer.text, /select |insert |pg_|SQLSTATE|\/tmp|\/work|modules\//i);
	}
	await ours.run(await ours.active({ nodes: [{ name: "a", ...delay("1ms") }] }));
});
