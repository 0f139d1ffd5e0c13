// The wall behind the scope: each statement of the modules, given another organization's ids and even that
// organization as its scope, finds and changes nothing while row-level security acts for its own.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { ROOT, execute, lua, startServer, test } from "./harness.mjs";

let server;
let ours;
let theirs;
let thing;

before(async () => {
	server = await startServer();
	[ours, theirs] = [await server.makeClient(), await server.makeClient()];
	const dag = await ours.active({ nodes: [{ name: "a", for_each: [1], ...lua("return 1") }] });
	const { execution } = await ours.run(dag);
	const [row] = await server.rows(`select d.id as dag, d.organization_id as organization, v.id as version, e.id as execution, u.id as user
		from open.dags d join open.dag_versions v on v.dag_id = d.id join open.executions e on e.dag_id = d.id join open.memberships m on m.organization_id = d.organization_id join open.users u on u.id = m.user_id
		where e.id = '${execution.id}'`);
	const secret = await server.ctl(["secret", "set", "WALLED", "--org", ours.org.slug, "--value-stdin"], { stdin: "walled" });
	const signal = "01900000-0000-7000-8000-00000000aaaa";
	await server.psql(`insert into open.signals (id, organization_id, execution_id, name, value, delivered)
		values ('${signal}', '${row.organization}', '${row.execution}', 'walled', '1', false)`);
	const [{ session }] = await server.rows(`select open.session_create('${row.user}', '${row.organization}', sha256('x'), '1 day', null, '') as session`);
	const [{ token }] = await server.rows(`select id as token from open.api_tokens where organization_id = '${row.organization}'`);
	const { email } = await server.makeUser(ours.org);
	const [{ member }] = await server.rows(`select id as member from open.users where email = '${email}'`);
	await server.psql(`insert into open.invitations (organization_id, email, role, expires_at) values ('${row.organization}', 'walled@example.test', 'user', now() + interval '1 day')`);
	const [{ invitation }] = await server.rows("select id as invitation from open.invitations");
	const operation = "01900000-0000-7000-8000-00000000bbbb";
	await server.psql(`insert into open.graphql_operations (id, organization_id, sha256, name, document)
		values ('${operation}', '${row.organization}', encode(sha256('{ __typename }'), 'hex'), 'walled', '{ __typename }')`);
	thing = { ...row, operation, secret, invitation, member, signal, session, token, node: row.execution.slice(0, 28) + "00000001" };
});
after(() => server?.stop());

const text = (s) => `'${s}'`;
const none = "null";
// What each statement is given, by its name; a list is given all rows. "changes": told by its tag, not by rows.
const ARGUMENTS = () => {
	const { organization, dag, version, execution, node, user, secret, signal, session, token, invitation, member, operation } = thing;
	const org = text(organization);
	const one = (id) => `'{${id}}'`;
	const fresh = "01900000-0000-7000-8000-000000000000";
	return {
		"auth/invitation_delete": [org, text(invitation)],
		"auth/member_update": [org, text(user), "'admin'", "true"],
		"auth/member_remove": [org, text(member)],
		"auth/organization_update": [org, none, "'{\"max_nodes\": 5}'", "false", none, "false", none],
		"auth/profile_update": [org, text(user), "'called'"],
		"auth/session_end": [org, text(session)],
		"auth/session_revoke": [org, text(session)],
		"auth/token_create": [org, text(fresh), text(user), "'smuggled'", "sha256('y')", "'{admin}'", "'open_t_'", none],
		"auth/token_revoke": [org, text(token)],
		"catalog/dag_activate": [org, text(dag), text(version), "'x'", "sha256('x')"],
		"catalog/dag_archive": [org, text(dag)],
		"catalog/dag_before_activate": [org, text(dag), "1"],
		"catalog/dag_before_update": [org, text(dag)],
		"catalog/dag_create": [org, text(fresh), "'smuggled'", "''", text(user), "'{\"nodes\": []}'", "sha256('x')", "'{}'"],
		"catalog/dag_delete": [org, text(dag)],
		"catalog/dag_export": [org, none, text(dag)],
		"catalog/dag_update": [org, text(dag), "1", "'stolen'", "'stolen'", text(user), none, none, none],
		"catalog/secret_create": [org, text(fresh), "'SMUGGLED'", "repeat('x', 40)::bytea", "repeat('0', 16)", text(user)],
		"catalog/secret_delete": [org, text(secret)],
		"catalog/secret_name": [org, text(secret)],
		"catalog/secret_replace": [org, text(secret), "'WALLED'", "repeat('x', 40)::bytea", "repeat('0', 16)"],
		"executions/execution_cancel": [org, text(execution)],
		"executions/execution_pause": [org, text(execution), "true"],
		"executions/signal_send": [org, text(fresh), text(execution), "'smuggled'", "'1'", text(user), none],
		"executions/rerun": [org, text(execution), text("01900000-0000-7000-8000-000100000000"), none, text(user), none, none, "'{command}'", "'{allow_commands}'"],
		"executions/rerun_once": [org, text(execution), text("01900000-0000-7000-8000-000200000000"), none, text(user), none, none, "'{command}'", "'{allow_commands}'", "'key'", "sha256('x')"],
		"executions/start_once": [org, text(dag), text("01900000-0000-7000-8000-000300000000"), "'{}'", "'{}'", text(user), none, "'{command}'", "'{allow_commands}'", "'key'", "sha256('x')"],
		"executions/rerun_origin": [org, text(execution)],
		"graphql/operation_create": [org, text(fresh), "'smuggled'", "'{ id }'", text(user)],
		"graphql/operation_delete": [org, text(operation)],
		"graphql/operation_find": [org, "encode(sha256('{ __typename }'), 'hex')"],
		"web/graphql_operations_get": [org, one(operation), "true"],
		"web/graphql_operations_list": [org, "10", "true", none, none],
		"web/dag_versions_get": [org, one(version), "true", "true"],
		"web/dag_versions_list": [org, "10", "true", "true", none, none],
		"web/dags_get": [org, one(dag), "true", "true", "true"],
		"web/dags_list": [org, "10", "true", "true", "true", none, none, none],
		"web/elements_list": [org, "10", "true", "true", text(node), none],
		"web/executions_get": [org, one(execution), "true", "true", "true", "true"],
		"web/executions_list": [org, "10", "true", "true", "true", "true", none, none, none, none, none, none, none],
		"web/node_executions_get": [org, one(node), "true", "true"],
		"web/node_executions_list": [org, "10", "true", "true", text(execution), none, none],
		"web/node_executions_of": [org, one(execution), "true", "true"],
		"web/secrets_get": [org, one(secret)],
		"web/secrets_list": [org, "10", none],
		"web/sessions_get": [org, one(session)],
		"web/sessions_list": [org, "10"],
		"web/users_get": [org, one(user)],
		"web/users_list": [org, "10", none, none, none, none],
		"web/invitations_get": [org, one(invitation)],
		"web/invitations_list": [org, "10", none],
		"web/tokens_get": [org, one(token), "true"],
		"web/tokens_list": [org, "10", "true", none],
		"web/signals_get": [org, one(signal), "true"],
		"web/signals_list": [org, "10", "true", text(execution), none],
		"web/organizations_get": [org, one(organization)],
		"web/organizations_list": [org, "10"],
		"web/start": [org, one(fresh), one(dag), "'{\"{}\"}'", "'{\"{}\"}'", one(user), "'{7}'", one(user), "'{192.0.2.1}'", text(fresh), "'{command}'", "'{allow_commands}'"],
		"web/start_dag": [org, one(fresh), text(dag), "'{\"{}\"}'", "'{\"{}\"}'", one(user), "'{7}'", one(user), "'{192.0.2.1}'", text(fresh), "'{command}'", "'{allow_commands}'"],
		"web/audit_log_list": [org, "10", none, none, none, none, none, none],
		"web/start_refused": null, // It tells that nothing was found; looked at below.
	};
};

// Every statement whose first parameter is the organization: [name, prepared name, prepare, whether after a cursor].
async function statements() {
	const all = [];
	for (const owner of fs.readdirSync(path.join(ROOT, "modules")).filter((m) => fs.existsSync(path.join(ROOT, "modules", m, "sql")))) {
		const folder = path.join(ROOT, "modules", owner, "sql");
		const files = fs.readdirSync(folder).filter((f) => f.endsWith(".sql"));
		const fragments = files.filter((f) => f.startsWith("_")).map((f) => path.join(folder, f));
		for (const file of files.filter((f) => !f.startsWith("_"))) {
			if (!/^-- \$1 organization/m.test(fs.readFileSync(path.join(folder, file), "utf8"))) continue;
			const { stdout } = await execute("tools/sqlgen", ["--prepare", owner, ...fragments, path.join(folder, file)]);
			const name = `${owner}/${file.slice(0, -4)}`;
			for (const [prepare, key] of stdout.matchAll(/^prepare (\w+) as [^;]*;/gm)) all.push({ name, key, prepare });
		}
	}
	return all;
}

// The statement as of somebody who forgot whose things he asks for.
const unscoped = (s) => ({ ...s, prepare: s.prepare.replace(/^prepare (\w+) as/, "prepare $1(uuid) as")
	.replaceAll(/\b\w+\.organization_id = \$1(::uuid)?|\bo\.id = \$1(::uuid)?/g, "true") });
// What it saw or changed of ours. To change their own organization is theirs (organization_update without its scope).
const others = ({ rows, changes }) => {
	const own = rows.filter((row) => row === theirs.org.id).length;
	return [...rows.filter((row) => Object.values(thing).some((id) => row.includes(id))), ...(changes > own ? [`${changes - own} changes`] : [])];
};

// Rows or changes of one statement in a transaction that is undone.
async function run(client, { key, prepare }, given) {
	const script = `set role open_server;\n${prepare}\nbegin;\nset local open.actor = '${client?.org.id ?? ""} ${client === ours ? thing.user : ""} admin';\n\\unset QUIET\nexecute ${key}(${given.join(", ")});\n\\set QUIET 1\nrollback;\n`;
	const { code, stdout, stderr } = await server.psql(script, { role: "open_login", ok: false });
	const tags = stdout.match(/^(INSERT 0|UPDATE|DELETE) \d+$/m);
	const rows = stdout.split("\n").filter((l) => l !== "" && !/^(INSERT 0|UPDATE|DELETE|BEGIN|SET|ROLLBACK)/.test(l));
	const changes = tags ? Number(tags[0].split(" ").at(-1)) : 0;
	return { code, stderr, rows, changes, seen: rows.length + changes, stdout };
}

test("every statement of a request is held by row-level security: with another scope, and with none, it finds nothing of others", async () => {
	const given = ARGUMENTS();
	const seen = new Set();
	for (const s of await statements()) {
		assert.ok(s.name in given, `${s.name} is not covered by this test`);
		const first = !seen.has(s.name);
		seen.add(s.name);
		if (given[s.name] === null) continue;
		const count = Math.max(...[...s.prepare.matchAll(/\$(\d+)/g)].map((m) => Number(m[1])));
		if (count > given[s.name].length) continue; // The pages after a cursor.
		const own = await run(ours, s, given[s.name]);
		assert.equal(own.code, 0, `${s.name}: ${own.stderr}`);
		assert.ok(own.seen > 0, `${s.name} finds its own: ${own.stdout}`);
		// Orders of a list differ in nothing else.
		for (const variant of first ? [s, unscoped(s)] : [s]) {
			if (variant !== s) assert.equal((await run(ours, variant, given[s.name])).code, 0, `${s.name} without its scope`);
			for (const client of first && variant === s ? [theirs, null] : [theirs]) {
				const foreign = await run(client, variant, given[s.name]);
				if (foreign.code !== 0) assert.match(foreign.stderr, /row-level security/, s.name);
				else assert.deepEqual(variant === s ? foreign.rows : others(foreign), [], `${s.name} as ${client ? "another organization" : "none"}: ${foreign.stdout}`);
			}
		}
	}
	assert.deepEqual([...seen].sort(), Object.keys(given).sort());
});

const act = (client, sql) => server.psql(`set role open_server;\nbegin;\nset local open.actor = '${client.org.id}';\n${sql};\nrollback;`, { role: "open_login", ok: false });

test("requests can't read secrets, write history or outcomes, or change definitions", async () => {
	for (const sql of [
		"select hashed_password from open.users", "select token_hash from open.api_tokens", "select token_hash from open.sessions",
		"insert into open.sessions default values", "update open.api_tokens set scopes = '{admin}'", "update open.sessions set expires_at = now()",
		"insert into open.memberships default values", "update open.executions set status = 'success'", "update open.executions set result = '1'",
		"update open.node_history set states = '{s}'", "insert into open.node_history default values", "update open.dag_versions set definition = '{}'",
		"select ciphertext from open.secrets", "select * from open.secrets", "update open.secrets set name = 'X' returning ciphertext",
		"update open.organizations set slug = 'x'", "delete from open.dags", "update open.users set hashed_password = 'x'", "delete from open.users",
		"update open.users set email = 'x@y'", "select token_hash from open.invitations", "insert into open.invitations default values",
	]) {
		const { code, stderr } = await act(ours, sql);
		assert.notEqual(code, 0, sql);
		assert.match(stderr, /permission denied/, sql);
	}
});

test("only admins change memberships and the organization, and only oneself an account, even where a handler forgets to ask", async () => {
	const as = (role, sql) => server.psql(`set role open_server;\nbegin;\nset local open.actor = '${ours.org.id} ${thing.user} ${role}';\n${sql};\nrollback;`, { role: "open_login" });
	const other = "u.id <> '" + thing.user + "'";
	await server.makeUser(ours.org);
	for (const sql of ["update open.memberships set deactivated_at = null returning 'changed'", "update open.organizations set settings = settings returning 'changed'"]) {
		assert.equal(await as("user", sql), "", sql);
		assert.match(await as("admin", sql), /^changed/, sql);
	}
	assert.equal(await as("admin", `update open.users u set name = 'x' where ${other} returning 'changed'`), "");
	assert.equal(await as("user", "update open.users u set name = 'x' returning 'changed'"), "changed");
	assert.equal(await as("user", "select count(*) from open.invitations"), "0");
});

test("nothing can be hung below another organization's DAG or version", async () => {
	const fresh = "01900000-0000-7000-8000-000000000000";
	const version = await act(theirs, `insert into open.dag_versions (organization_id, dag_id, number, definition, definition_hash, node_names)
		values ('${theirs.org.id}', '${thing.dag}', 7, '{}', sha256(''), '{}')`);
	assert.match(version.stderr, /foreign key/);
	const execution = await act(theirs, `insert into open.executions (id, organization_id, dag_id, dag_version_id)
		values ('${fresh}', '${theirs.org.id}', '${thing.dag}', '${thing.version}')`);
	assert.match(execution.stderr, /row-level security/);
	const unfinished = await act(theirs, `insert into open.executions_unfinished (id, organization_id, dag_id, dag_version_id)
		values ('${fresh}', '${theirs.org.id}', '${thing.dag}', '${thing.version}')`);
	assert.match(unfinished.stderr, /row-level security/);
});

test("an execution that is said to have ended is no unfinished one, whoever of the server writes it", async () => {
	const id = "01900000-0000-7000-8000-000900000000";
	const insert = (more, values) => `insert into open.executions_unfinished (id, organization_id, dag_id, dag_version_id, ${more})
		values ('${id}', '${thing.organization}', '${thing.dag}', '${thing.version}', ${values}) returning 'written'`;
	const system = (sql) => server.psql(`set role open_system;\nbegin;\n${sql};\nrollback;`, { role: "open_login", ok: false });
	for (const as of [(sql) => act(ours, sql), system]) {
		for (const [more, values] of [["completed_at", "now()"], ["status", "'success'"]])
			assert.match((await as(insert(more, values))).stderr, /row-level security/, more);
		assert.match((await as(insert("finished", "true"))).stderr, /partition constraint/);
		assert.match((await as(insert("status", "'pending'"))).stdout, /written/);
	}
	const written = `${insert("status", "'pending'")};\nupdate open.executions set`;
	assert.match((await system(`${written} status = 'success' where id = '${id}'`)).stderr, /row-level security/);
	assert.match((await system(`${written} completed_at = now() where id = '${id}'`)).stderr, /row-level security/);
	assert.equal((await system(`${written} status = 'success', completed_at = now(), finished = true where id = '${id}'`)).stderr, "");
});

test("every table of the schema has row-level security, for both roles of the server; what has none they can't reach", async () => {
	const open = await server.rows(`select c.relname as name, c.relrowsecurity as walled,
		       has_any_column_privilege('open_server', c.oid, 'select, insert, update') or has_table_privilege('open_server', c.oid, 'delete, truncate') as reached
		  from pg_class c where c.relnamespace = 'open'::regnamespace and c.relkind in ('r', 'p') order by 1`);
	assert.ok(open.length > 20);
	// Names of migrations, and which servers there are: nobody's.
	const common = ["migrations", "servers"];
	assert.deepEqual(open.filter((t) => t.reached && !t.walled).map((t) => t.name), common);
	for (const view of await server.rows(`select c.relname as name, coalesce(array_to_string(c.reloptions, ','), '') as options
		  from pg_class c where c.relnamespace = 'open'::regnamespace and c.relkind = 'v' and has_table_privilege('open_server', c.oid, 'select')`))
		assert.match(view.options, /security_invoker=true/, view.name);
	const columns = await server.rows(`select a.attrelid::regclass::text as name from pg_attribute a join pg_class c on c.oid = a.attrelid
		 where c.relnamespace = 'open'::regnamespace and c.relkind in ('r', 'p', 'v') and a.attname = 'organization_id' and not a.attisdropped
		   and has_column_privilege('open_server', c.oid, a.attnum, 'select')`);
	assert.ok(columns.length > 10);
	for (const { name } of columns) {
		const { code, stdout, stderr } = await act(theirs, `select count(*) from ${name} where organization_id is distinct from '${theirs.org.id}'`);
		assert.equal(code, 0, `${name}: ${stderr}`);
		assert.equal(stdout.trim(), "0", name);
	}
});

test("functions that act as the owner are for nobody but the roles that need them", async () => {
	const reached = await server.rows(`select p.proname as name from pg_proc p where p.pronamespace = 'open'::regnamespace and p.prosecdef
		and p.prorettype <> 'trigger'::regtype and has_function_privilege('open_login', p.oid, 'execute') order by 1`);
	assert.deepEqual(reached, []);
});

test("what is not every member's holds in the database: others' sessions and tokens, secrets, DAGs of somebody else", async () => {
	const stranger = "01900000-0000-7000-8000-00000000bbbb";
	const as = async (user, role, sql) => (await server.psql(`set role open_server;\nbegin;\nset local open.actor = '${ours.org.id} ${user} ${role}';\n${sql};\nrollback;`, { role: "open_login" })).split("\n").filter(Boolean).length;
	for (const [sql, own, admin, member] of [
		["select id from open.sessions", 1, 0, 0],
		["update open.sessions set revoked_at = now() returning id", 1, 0, 0],
		["select id from open.api_tokens", 1, 1, 0],
		["update open.api_tokens set revoked_at = now() returning id", 1, 1, 0],
		[`select id from open.secrets where id = '${thing.secret}'`, 0, 1, 0],
		[`delete from open.secrets where id = '${thing.secret}' returning id`, 0, 1, 0],
		[`select id from open.dags where id = '${thing.dag}'`, 1, 1, 1],
		[`update open.dags set description = 'forgotten' where id = '${thing.dag}' returning id`, 1, 1, 0],
	]) {
		assert.deepEqual([await as(thing.user, "user", sql), await as(stranger, "admin", sql), await as(stranger, "user", sql)], [own, admin, member], sql);
	}
	const forged = await server.psql(`set role open_server;\nbegin;\nset local open.actor = '${ours.org.id} ${stranger} admin';
		insert into open.api_tokens (organization_id, user_id, token_hash) values ('${ours.org.id}', '${thing.user}', sha256('x'));\nrollback;`, { role: "open_login", ok: false });
	assert.match(forged.stderr, /row-level security/);
});

test("partitions are no way around the wall: those that can be read at all show an organization its own", async () => {
	const parts = (await server.psql(`select c.oid::regclass from pg_class c join pg_partition_tree('open.executions') t on t.relid = c.oid where t.isleaf
		union all select c.oid::regclass from pg_class c join pg_partition_tree('open.node_history') t on t.relid = c.oid where t.isleaf`)).split("\n");
	assert.ok(parts.length >= 8, parts.join(" "));
	for (const part of parts) {
		const { code, stdout, stderr } = await act(theirs, `select count(*) from ${part} where organization_id = '${ours.org.id}'`);
		if (code === 0) assert.equal(stdout.trim(), "0", part);
		else assert.match(stderr, /permission denied/, part);
	}
});

test("a DAG, user or organization that goes takes its executions and their history with it", async () => {
	const own = await server.makeClient();
	const dag = await own.active({ nodes: [{ name: "a" }] });
	const { execution } = await own.run(dag);
	const left = async () => (await server.rows(`select (select count(*) from open.executions where id = '${execution.id}')::integer as executions,
		(select count(*) from open.node_history where execution_id = '${execution.id}')::integer as history`))[0];
	await server.psql(`delete from open.users where email = '${own.user.email}'`);
	assert.deepEqual(await left(), { executions: 1, history: 1 });
	await server.psql(`delete from open.organizations where id = '${own.org.id}'`);
	assert.deepEqual(await left(), { executions: 0, history: 0 });
});

test("names are unique in an organization, and free in another", async () => {
	const name = "the-same-name";
	assert.equal((await ours.tryCreate({ nodes: [{ name: "a" }] }, { name })).status, 201);
	assert.equal((await theirs.tryCreate({ nodes: [{ name: "a" }] }, { name })).status, 201);
	const again = await ours.tryCreate({ nodes: [{ name: "a" }] }, { name });
	assert.equal(again.status, 409);
	assert.ok(!again.text.includes(theirs.org.id));
});

test("metadata given at the start is kept beside the context, and must be an object", async () => {
	const dag = await ours.active({ nodes: [{ name: "a" }] });
	const post = (attributes) => ours.api("POST", "/api/v1/executions", {
		body: { data: { type: "executions", attributes, relationships: { dag: { data: { type: "dags", id: dag.id } } } } } });
	const answer = await post({ metadata: { ticket: 7, by: "cron" }, context: { x: 1 } });
	assert.equal(answer.status, 201, answer.text);
	assert.deepEqual(answer.json.data.attributes.metadata, { ticket: 7, by: "cron" });
	const { attributes } = await ours.finished(answer.json.data.id);
	assert.deepEqual(attributes.metadata, { ticket: 7, by: "cron" });
	assert.deepEqual(attributes.context, { x: 1 });
	for (const metadata of [[], "text", null]) {
		const refused = await post({ metadata });
		assert.equal(refused.status, 422);
		assert.equal(refused.json.errors[0].source.pointer, "/data/attributes/metadata");
	}
	assert.deepEqual((await post({ metadata: { x: "x".repeat(1024 * 1024) } })).codes, ["metadata_too_large"]);
});

test("actions take no body, and need no Content-Length", async () => {
	const dag = await ours.create({ nodes: [{ name: "a", op: "delay", with: { duration: "1m" } }] });
	const curl = async (target) => (await execute("curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST",
		"-H", `Authorization: Bearer ${ours.token}`, server.url + target])).stdout;
	assert.equal(await curl(`/api/v1/dags/${dag.id}/activate`), "200");
	const e = await ours.start(dag);
	assert.equal(await curl(`/api/v1/executions/${e.id}/cancel`), "202");
	assert.equal(await curl(`/api/v1/dags/${dag.id}/archive`), "200");
	assert.equal((await ours.finished(e.id)).attributes.status, "cancelled");
});
