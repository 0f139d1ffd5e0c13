// The audit log: who did what, when, from where; what was refused; nobody changes it, members don't read it, and no secret is in it.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { Client, lua, startServer, test, until } from "./harness.mjs";

let server;
let ours;
let theirs;
let member;

before(async () => {
	server = await startServer({ env: { OPEN_WORKERS: "2" } });
	[ours, theirs] = [await server.makeClient(), await server.makeClient()];
	const user = await server.makeUser(ours.org, { role: "user" });
	member = new Client(server, ours.org, user, await server.makeToken(user));
});
after(() => server?.stop());

const definition = { nodes: [{ name: "a", ...lua("return 'a-definition-is-not-audited'") }] };

async function entries(client, query = "") {
	const answer = await client.api("GET", `/api/v1/audit-log${query}`);
	assert.equal(answer.status, 200, answer.text);
	return answer.json.data.map((d) => d.attributes);
}

// Refused attempts are written a moment later.
const eventually = (what, query, client = ours) => until(what, async () => {
	const found = await entries(client, query);
	return found.length > 0 && found;
});

test("each change of a DAG is there: who, with what, from where, what changed", async () => {
	const dag = await ours.create(definition, { name: "audited", description: "first" });
	await ours.update(dag.id, { name: "renamed" });
	await ours.activate(dag.id);
	await ours.api("POST", `/api/v1/dags/${dag.id}/archive`);
	await ours.api("DELETE", `/api/v1/dags/${dag.id}`);
	const found = await entries(ours, `?filter[subject]=${dag.id}&sort=at`);
	assert.deepEqual(found.map((e) => e.action), ["dag.create", "dag.update", "dag.activate", "dag.archive", "dag.delete"]);
	assert.deepEqual(found[1].detail, { name: ["audited", "renamed"] });
	assert.deepEqual(found[2].detail, { status: ["draft", "active"] });
	const [{ user, token }] = await server.rows(`select u.id as user, t.id as token from open.users u join open.api_tokens t on t.user_id = u.id where u.email = '${ours.user.email}'`);
	for (const e of found) {
		assert.deepEqual([e.user_id, e.credential_id, e.role, e.address, e.outcome, e.subject_type], [user, token, "admin", "127.0.0.1", "done", "dag"]);
		assert.ok(Math.abs(Date.parse(e.at) - Date.now()) < 600e3, e.at);
	}
});

test("starts, reruns, cancels, pauses and signals of executions are there", async () => {
	const dag = await ours.active({ nodes: [{ name: "w", op: "wait_for", with: { signal: "go" } }] });
	const { id } = await member.start(dag);
	const other = await ours.start(dag);
	assert.equal((await ours.pause(id)).status, 202);
	assert.equal((await ours.resume(id)).status, 202);
	await ours.api("POST", `/api/v1/executions/${other.id}/signals`, { body: { data: { type: "signals", attributes: { name: "go", value: "not-audited-value" } } } });
	await ours.finished(other.id);
	assert.equal((await ours.cancel(id)).status, 202);
	await ours.finished(id);
	const rerun = await ours.api("POST", `/api/v1/executions/${id}/rerun`);
	assert.equal(rerun.status, 201, rerun.text);
	const found = await entries(ours, `?filter[subject]=${id}&sort=at`);
	assert.deepEqual(found.map((e) => e.action), ["execution.start", "execution.pause", "execution.resume", "execution.cancel"]);
	const [{ user, token }] = await server.rows(`select u.id as user, t.id as token from open.users u join open.api_tokens t on t.user_id = u.id where u.email = '${member.user.email}'`);
	assert.deepEqual([found[0].user_id, found[0].credential_id, found[0].address], [user, token, "127.0.0.1"]);
	assert.deepEqual((await entries(ours, `?filter[subject]=${rerun.json.data.id}`)).map((e) => [e.action, e.address]), [["execution.rerun", "127.0.0.1"]]);
	const [signal] = await entries(ours, `?filter[subject]=${other.id}&filter[action]=execution.signal`);
	assert.equal(signal.detail.name, "go");
});

test("what openctl does is there as openctl's", async () => {
	await server.ctl(["secret", "set", "BY_OPENCTL", "--org", ours.org.slug, "--value-stdin"], { stdin: "openctls-secret-value" });
	const [secret] = await entries(ours, "?filter[action]=secret.create");
	assert.deepEqual([secret.role, secret.user_id, secret.detail.name], ["openctl", null, "BY_OPENCTL"]);
	const joined = await entries(ours, "?filter[action]=membership.create&sort=at");
	assert.deepEqual(joined.map((e) => [e.role, e.detail.role]), [["openctl", "admin"], ["openctl", "user"]]);
	const made = await entries(ours, "?filter[action]=token.create");
	assert.equal(made.length, 2);
	assert.ok(made.every((e) => e.role === "openctl"));
	await server.ctl(["org", "set", "allow_commands=false", "--slug", ours.org.slug]);
	const [changed] = await entries(ours, "?filter[action]=organization.update");
	assert.deepEqual(changed.detail, { settings: { allow_commands: [true, false] } });
});

test("refused attempts are there: a member's, another organization's, bad tokens, and repeated ones are counted", async () => {
	const dag = await ours.create(definition);
	assert.equal((await member.api("DELETE", `/api/v1/dags/${dag.id}`)).status, 403);
	const [refused] = await eventually("the member's attempt", `?filter[outcome]=forbidden&filter[subject]=${dag.id}`);
	assert.deepEqual([refused.action, refused.role, refused.address], ["dag.delete", "user", "127.0.0.1"]);
	assert.equal((await member.api("POST", "/api/v1/secrets", { body: { data: { type: "secrets", attributes: { name: "X", value: "refused-secret-value" } } } })).status, 403);
	await eventually("the secret", "?filter[action]=secret.create&filter[outcome]=forbidden");
	assert.equal((await theirs.api("POST", `/api/v1/dags/${dag.id}/archive`)).status, 404);
	const [foreign] = await eventually("the foreign attempt", `?filter[subject]=${dag.id}`, theirs);
	assert.deepEqual([foreign.action, foreign.outcome], ["dag.archive", "dag_not_found"]);
	for (let i = 0; i < 50; i++) assert.equal((await server.api("GET", "/api/v1/dags", { token: "open_made_up" })).status, 401);
	const rows = await until("the bad token", async () => {
		const found = await server.rows("select action, outcome, address, organization_id, user_id, detail from open.audit_log where outcome = 'invalid_token'");
		return found.length > 0 && found;
	});
	assert.ok(rows.length <= 4, "two workers at most two rows each, not fifty");
	assert.deepEqual([rows[0].action, rows[0].address, rows[0].organization_id, rows[0].user_id], ["dag.read", "127.0.0.1", null, null]);
});

test("admins read it, members don't, and nobody sees another organization's", async () => {
	assert.deepEqual((await member.api("GET", "/api/v1/audit-log")).codes, ["forbidden"]);
	assert.equal((await server.api("GET", "/api/v1/audit-log")).status, 401);
	const own = await server.rows(`select id from open.audit_log where organization_id = '${theirs.org.id}'`);
	const seen = (await theirs.get("/api/v1/audit-log?page[size]=1000")).map((e) => e.id);
	assert.deepEqual(seen.sort(), own.map((e) => e.id).sort());
	const act = (actor) => server.psql(`set role open_server;\nbegin;\nset local open.actor = '${actor}';\nselect count(*) from open.audit_log;\nrollback;`, { role: "open_login" });
	assert.equal(await act(`${theirs.org.id}  user`), "0");
	assert.equal(await act(`${theirs.org.id}  admin`), String(own.length));
	assert.equal(await act(""), "0");
});

test("nobody changes it: neither role of the server may insert, update, delete or truncate", async () => {
	for (const role of ["open_server", "open_system"])
		for (const sql of ["update open.audit_log set action = 'x'", "delete from open.audit_log", "truncate open.audit_log", "insert into open.audit_log (action) values ('x')",
			"select open.audit_write(null, 'dag.update', 'dag', null, '{}')", "drop table open.audit_log", "alter table open.audit_log disable row level security"]) {
			const { code, stderr } = await server.psql(`set role ${role};\nbegin;\nset local open.actor = '${ours.org.id}  admin';\n${sql};\nrollback;`, { role: "open_login", ok: false });
			assert.notEqual(code, 0, `${role}: ${sql}`);
			assert.match(stderr, /permission denied|must be owner/, `${role}: ${sql}`);
		}
	const young = await server.psql("set role open_system; select open.audit_expire(0, 1000)", { role: "open_login" });
	assert.equal(young, "0", "what is younger than 30 days stays, whatever is asked for");
	await server.psql("insert into open.audit_log (id, action, outcome) values (open.uuid_floor(now() - interval '91 days'), 'old', 'forbidden'), (open.uuid_floor(now() - interval '92 days'), 'old', 'done')");
	assert.equal(await server.psql("set role open_system; select open.audit_expire(400, 1000)", { role: "open_login" }), "1", "refused attempts go first");
});

test("no secret, definition, token or password is in it", async () => {
	const token = await server.makeToken(ours.user, "--name", "named-token");
	await ours.api("POST", "/api/v1/secrets", { body: { data: { type: "secrets", attributes: { name: "REST", value: "rest-secret-value" } } } });
	const text = await server.psql("select l::text from open.audit_log l");
	for (const word of ["openctls-secret-value", "rest-secret-value", "refused-secret-value", "a-definition-is-not-audited", "not-audited-value", token, ours.token, "correct horse", "scrypt", "ciphertext", "token_hash"])
		assert.ok(!text.includes(word), word);
	assert.ok(text.includes("named-token"), "but what they are called");
	for (const [{ hash }] of [await server.rows("select encode(token_hash, 'hex') as hash from open.api_tokens limit 1")]) assert.ok(!text.includes(hash));
});

test("pages and filters: no entry twice, none missing; unknown values are told", async () => {
	const all = (await ours.get("/api/v1/audit-log?page[size]=1000")).map((e) => e.id);
	for (const sort of ["at", "-at"]) {
		const paged = [];
		for (let next = `/api/v1/audit-log?page[size]=7&sort=${sort}`; next;) {
			const { json } = await ours.api("GET", next);
			paged.push(...json.data.map((e) => e.id));
			next = json.links.next;
		}
		assert.deepEqual(paged, sort === "at" ? [...all].reverse() : all);
	}
	const [{ middle }] = await server.rows(`select date_trunc('milliseconds', at)::text as middle from open.audit_log where organization_id = '${ours.org.id}' order by id offset 10 limit 1`);
	const from = encodeURIComponent(new Date(middle).toISOString());
	const [late, early] = [await entries(ours, `?page[size]=1000&filter[from]=${from}`), await entries(ours, `?page[size]=1000&filter[before]=${from}`)];
	assert.equal(late.length + early.length, all.length);
	assert.ok(early.length > 0 && late.length > 0);
	for (const query of ["filter[user]=nobody", "filter[from]=yesterday", "filter[nothing]=1", "sort=action", "page[after]=x"])
		assert.equal((await ours.api("GET", `/api/v1/audit-log?${query}`)).status, 400, query);
});

test("it streams as lines of JSON, a page at a time, and openctl exports all of it", async () => {
	const lines = [];
	let next = "/api/v1/audit-log?page[size]=11&sort=at";
	while (next) {
		const answer = await ours.api("GET", next, { headers: { accept: "application/x-ndjson" } });
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.type, "application/x-ndjson");
		lines.push(...answer.text.trimEnd().split("\n").map((line) => JSON.parse(line)));
		next = answer.headers.get("link")?.match(/^<(.*)>; rel="next"$/)?.[1];
	}
	const all = await ours.get("/api/v1/audit-log?page[size]=1000&sort=at");
	assert.deepEqual(lines.map((l) => l.id), all.map((e) => e.id));
	const exported = (await server.ctl(["audit", "export", "--org", ours.org.slug])).split("\n").map((line) => JSON.parse(line));
	assert.deepEqual(exported.map((e) => e.id).reverse(), all.map((e) => e.id));
	assert.deepEqual(exported.reverse().map((e) => [e.action, e.outcome, e.subject_id]), all.map(({ attributes: a }) => [a.action, a.outcome, a.subject_id]));
	const listed = JSON.parse(await server.ctl(["audit", "list", "--org", ours.org.slug, "--action", "dag.create", "--json"]));
	assert.ok(listed.length >= 2 && listed.every((e) => e.action === "dag.create"));
});
