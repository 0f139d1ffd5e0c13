// The matrix: every operation of the server × {no token, made-up, expired, revoked, wrong organization, member, creator, admin, each scope}.
// The operations are asked of the server itself (kore.conf's paths, their methods by `Allow`); expectations are in matrix_operations.mjs.
// And what attackers try everywhere: another organization's ids in each place where an id can stand, SQL in every string, attributes that
// nobody may give.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { ROOT, lua, startServer, test, unique, until } from "./harness.mjs";
import { NOWHERE, SCOPES, each, makeActors, waits } from "./actors.mjs";
import { FIELDS, INJECTIONS, NOT_TO_BE_GIVEN, OPERATIONS } from "./matrix_operations.mjs";

let server;
let openapi;
let actors; // name → client with the token
let makers; // client of the thing's creator
let things; // one of each, of our organization
let strangers; // the same of the other one, by its admin

const word = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

async function secret(client) {
	const answer = await client.api("POST", "/api/v1/secrets", { body: { data: { type: "secrets", attributes: { name: unique("S").replace(/\W/g, "_"), value: "hidden" } } } });
	assert.equal(answer.status, 201, answer.text);
	return answer.json.data.id;
}

// What a path's id can be of: made anew by who shall be its creator, or the admin.
const make = {
	dag: async (creator) => (await creator.create({ nodes: [{ name: "a" }] })).id,
	execution: async (creator, admin, all) => (await creator.start(all.waiting)).id,
	secret: (creator, admin) => secret(admin),
	token: async (creator) => {
		const answer = await creator.api("POST", "/api/v1/tokens", { body: { data: { type: "tokens", attributes: { name: unique("token"), scopes: ["read"] } } } });
		assert.equal(answer.status, 201, answer.text);
		return answer.json.data.id;
	},
	operation: async (creator, admin) => {
		const answer = await admin.api("POST", "/api/v1/graphql-operations", { body: { data: { type: "graphql-operations", attributes: { name: unique("o"), document: `{ ${unique("a").replace(/\W/g, "_")}: __typename }` } } } });
		assert.equal(answer.status, 201, answer.text);
		return answer.json.data.id;
	},
	user: (creator, admin) => server.psql(`with made as (insert into open.users (email, hashed_password, confirmed_at) values ('${unique("made")}@example.test', 'x', now()) returning id)
		insert into open.memberships (organization_id, user_id) select '${admin.org.id}', id from made returning user_id`),
	invitation: (creator, admin) => server.psql(`insert into open.invitations (organization_id, email, role, expires_at)
		values ('${admin.org.id}', '${unique("made")}@example.test', 'user', now() + interval '1 day') returning id`),
	session: (creator) => server.psql(`select open.session_create(u.id, '${creator.org.id}', sha256(gen_random_uuid()::text::bytea), interval '1 hour', '192.0.2.7', 'a browser')
		from open.users u where u.email = '${creator.user.email}'`),
};

async function makeThings(creator, admin) {
	const all = { op: "lua", organization: admin.org.id };
	all.dag = await make.dag(creator);
	all.waiting = (await creator.active(waits)).id;
	all.active = (await creator.active({ nodes: [{ name: "a", for_each: [1], ...lua("return 'only ours'") }] })).id;
	all.execution = await make.execution(creator, admin, all);
	all.ended = (await creator.start(all.waiting)).id;
	const sent = await creator.api("POST", `/api/v1/executions/${all.ended}/signals`, { body: { data: { type: "signals", attributes: { name: "go" } } } });
	assert.equal(sent.status, 201, sent.text);
	all.signal = sent.json.data.id;
	await creator.finished(all.ended);
	all.node = `${all.ended.slice(0, 28)}00000001`;
	[{ id: all.version }] = await creator.get(`/api/v1/dag-versions?filter[dag]=${all.active}`);
	for (const kind of ["secret", "token", "session", "invitation", "operation"]) all[kind] = await make[kind](creator, admin, all);
	[{ id: all.user }] = await server.rows(`select id from open.users where email = '${creator.user.email}'`);
	return all;
}

before(async () => {
	server = await startServer({ env: { OPEN_RATE_RESET_ADDRESS: "10000/1s", OPEN_RATE_REFUSED: "off", OPEN_RATE_CREDENTIAL: "off", OPEN_RATE_SIGN_IN: "off", OPEN_RATE_SIGN_IN_ADDRESS: "off", OPEN_RATE_SIGN_IN_ACCOUNT: "off", OPEN_RATE_REGISTER: "off" } });
	openapi = (await server.api("GET", "/api/v1/openapi.json")).json;
	actors = await makeActors(server);
	const { admin, stranger } = actors;
	makers = actors.creator;
	[things, strangers] = await Promise.all([makeThings(makers, admin), makeThings(stranger, stranger)]);
});
after(() => server?.stop());

// --- the operations ---------------------------------------------------------------------------------------------

// "METHOD /path/{id}" of all that kore.conf serves.
async function operations() {
	const routes = fs.readFileSync(path.join(ROOT, "kore.conf"), "utf8").matchAll(/^\s*route\s+(\S+)\s+(\w+)$/gm);
	const all = [];
	for (const [, pattern, handler] of routes) {
		if (handler === "web_not_found") continue;
		const target = pattern.replace(/^\^|\$$/g, "").replaceAll("[^/]+", "{id}");
		assert.match(target, /^[\w/{}.-]+$/, `${pattern} is not understood by this test`);
		const { status, headers } = await actors.admin.api("PUT", target.replaceAll("{id}", NOWHERE));
		assert.equal(status, 405, target);
		for (const method of headers.get("allow").split(", ")) if (method !== "HEAD") all.push(`${method} ${target}`);
	}
	return all;
}

test("every route of the server is in the matrix, and nothing else; the API describes it", async () => {
	const all = await operations();
	assert.deepEqual([...all].sort(), Object.keys(OPERATIONS).sort());
	for (const operation of all.filter((o) => o.includes("/api/v1/") && !/openapi|ops/.test(o))) {
		const [method, target] = operation.split(" ");
		assert.ok(openapi.paths[target]?.[method.toLowerCase()], `${operation} is not in openapi.json`);
	}
});

// One attempt: what is asked of `all` things, whose fresh ones `creator` and `admin` make.
async function attempt(operation, who, all, { id, creator = makers, admin = actors.admin, more, query } = {}) {
	const expected = OPERATIONS[operation];
	const [method, target] = operation.split(" ");
	const subject = id ?? (expected.fresh ? await make[expected.on](creator, admin, all) : all[expected.on ?? expected.names]);
	const asked = query ?? expected.query?.(all);
	return who.api(method, target.replace("{id}", encodeURIComponent(subject)) + (asked ? `?${asked}` : ""), { type: expected.type, body: expected.body?.(subject, more) });
}

const expectation = (expected, actor) => {
	if (expected.scope === undefined) return expected.admin;
	if (["none", "made up", "expired", "revoked"].includes(actor)) return 401;
	if (!actor.startsWith("scope ")) return expected[actor];
	return expected.scope === null || actor === `scope ${expected.scope}` ? expected.admin : 403;
};

test("each operation answers each actor as the table says", async () => {
	const wrong = [];
	const cells = Object.keys(OPERATIONS).flatMap((operation) => Object.keys(actors).map((actor) => [operation, actor]));
	await each(cells, async ([operation, actor]) => {
		const answer = await attempt(operation, actors[actor], things);
		const expected = expectation(OPERATIONS[operation], actor);
		const codes = { 401: actor === "none" ? "unauthorized" : "invalid_token", 403: actor.startsWith("scope ") ? "insufficient_scope" : "forbidden" };
		if (answer.status !== expected) wrong.push(`${operation} as ${actor}: ${answer.status}, not ${expected}: ${answer.text.slice(0, 200)}`);
		else if (OPERATIONS[operation].code && expected === OPERATIONS[operation].admin) {
			if (![OPERATIONS[operation].code, "insufficient_scope"].includes(answer.codes[0])) wrong.push(`${operation} as ${actor}: ${answer.codes}`);
		} else if (codes[expected] && answer.codes[0] !== codes[expected]) wrong.push(`${operation} as ${actor}: ${answer.codes}`);
		else if (expected === 401 && !/^Bearer/.test(answer.headers.get("www-authenticate") ?? "")) wrong.push(`${operation} as ${actor}: no challenge`);
	});
	assert.deepEqual(wrong, []);
	assert.ok(cells.length >= 12 * 35);
});

// --- GraphQL ---------------------------------------------------------------------------------------------------------

// The field's query and what of the answer tells whether it was seen.
function fieldQuery(name, { kind, more }) {
	const given = more.replace(/\b(ended|node)$/, (what) => `"${things[what]}"`);
	const selection = kind === null ? "__typename" : "id";
	if (name.endsWith("Connection")) return `{ ${name}${given ? `(${given})` : ""} { edges { node { ${selection} } } } }`;
	if (kind !== null && name.endsWith("s") === false) return `{ ${name}(id: "${things[kind]}") { ${selection} } }`;
	return `{ ${name}${given ? `(${given})` : ""} { ${selection} } }`;
}

test("each root field of GraphQL answers each actor as the table says", async () => {
	const schema = fs.readFileSync(path.join(ROOT, "assets/schema.graphql"), "utf8");
	const query = /^schema \{[^}]*query: (\w+)/m.exec(schema)?.[1] ?? "Query";
	const body = new RegExp(`^type ${query} \\{\n([^]*?)^\\}`, "m").exec(schema)[1].replace(/"""[^]*?"""/g, "");
	assert.deepEqual([...body.matchAll(/^  (\w+)/gm)].map(([, name]) => name).sort(), Object.keys(FIELDS).sort());
	const wrong = [];
	const columns = ["member", "creator", "admin"];
	const cells = Object.keys(FIELDS).flatMap((name) => [...columns, "stranger", ...SCOPES.map((s) => `scope ${s}`)].map((actor) => [name, actor]));
	await each(cells, async ([name, actor]) => {
		const { scope, kind, cells: expected } = FIELDS[name];
		const answer = await actors[actor].api("POST", "/graphql", { type: "application/json", body: { query: fieldQuery(name, FIELDS[name]) } });
		const codes = (answer.json.errors ?? []).map((e) => e.extensions?.code);
		const got = codes.some((c) => ["forbidden", "insufficient_scope"].includes(c)) ? "x"
			: kind === null || JSON.stringify(answer.json.data ?? null).includes(things[kind]) ? "+" : "-";
		const wanted = actor === "stranger" ? (kind === null ? "+" : "-") : !actor.startsWith("scope") ? expected[columns.indexOf(actor)]
			: actor === `scope ${scope}` ? expected[2] : "x";
		if (got !== wanted) wrong.push(`${name} as ${actor}: ${got}, not ${wanted}: ${answer.text.slice(0, 200)}`);
	});
	assert.deepEqual(wrong, []);
});

// --- what another organization can learn ---------------------------------------------------------------------------

const neutral = (answer) => `${answer.status} ${answer.text.replace(word, "ID").replace(/\s/g, "")}`;
const nowhere = (kind) => (kind === "node" ? `${NOWHERE.slice(0, 28)}00000001` : NOWHERE);

test("another organization's id is answered exactly as one that does not exist, on every path", async () => {
	const before = await server.rows(`select to_jsonb(d) - 'updated_at' as d from open.dags d where organization_id = '${actors.admin.org.id}' and id in ('${things.dag}', '${things.active}', '${things.waiting}') order by id`);
	await each(Object.keys(OPERATIONS).filter((o) => OPERATIONS[o].stranger === 404), async (operation) => {
		const { on, names } = OPERATIONS[operation];
		const [foreign, missing] = [await attempt(operation, actors.stranger, things, { id: things[on ?? names] }),
			await attempt(operation, actors.stranger, things, { id: nowhere(on) })];
		assert.equal(foreign.status, 404, `${operation}: ${foreign.text}`);
		assert.equal(neutral(foreign), neutral(missing), operation);
	});
	assert.deepEqual(await server.rows(`select to_jsonb(d) - 'updated_at' as d from open.dags d where organization_id = '${actors.admin.org.id}' and id in ('${things.dag}', '${things.active}', '${things.waiting}') order by id`), before);
});

// GET operations with their query parameters.
const lists = () => Object.entries(openapi.paths).flatMap(([target, item]) => item.get?.parameters ? [[target, item.get.parameters]] : []);
const own = (target) => target.replace("{id}", (() => {
	const on = OPERATIONS[`GET ${target}`].on;
	return on ? strangers[on] : "";
})());
// What a list requires is given.
const required = (target, all) => OPERATIONS[`GET ${target}`].query?.(all) ?? "";

// The audit log has the ids that the organization itself asked for in vain.
const attempts = (target) => target.startsWith("/api/v1/audit-log");

const told = (answer, what) => {
	const text = JSON.stringify([answer.json?.data, answer.json?.included, answer.json?.errors]);
	for (const [kind, id] of Object.entries(things)) if (kind !== "op" && id !== what) assert.ok(!text.includes(id), `${kind} of another organization: ${text.slice(0, 300)}`);
	assert.ok(!text.includes("only ours") || text.includes(strangers.active), text.slice(0, 300));
};

test("another organization's ids as filters find what ids that don't exist find", async () => {
	const asked = lists().filter(([target]) => !attempts(target)).flatMap(([target, parameters]) => parameters.filter((p) => p.schema.format === "uuid" && p.name.startsWith("filter"))
		.flatMap((p) => Object.values(things).filter((id) => id.match(word)).map((id) => [target, p.name, id])));
	assert.ok(asked.length > 50);
	await each(asked, async ([target, name, id]) => {
		const given = required(target, strangers);
		const ask = (value) => actors.stranger.api("GET", `${own(target)}?${given.startsWith(name) ? "" : `${given}&`}${name}=${value}`.replace("?&", "?"));
		const [foreign, missing] = [await ask(id), await ask(NOWHERE)];
		assert.equal(neutral(foreign), neutral(missing), `${target} ${name}`);
		told(foreign, id);
	});
});

test("lists, in every order, with every include and each other's cursors, hold only the own organization's", async () => {
	let included = 0;
	await each(lists().filter(([target]) => !attempts(target)), async ([target, parameters]) => {
		const given = required(target, strangers);
		const sorts = parameters.find((p) => p.name === "sort")?.schema.enum ?? [undefined];
		const type = /^fields\[(.*)\]$/.exec(parameters.find((p) => p.name.startsWith("fields"))?.name ?? "")?.[1];
		const includes = Object.keys(openapi.components.schemas[type]?.properties.relationships?.properties ?? {});
		for (const sort of sorts) {
			const mine = await actors.stranger.api("GET", `${own(target)}?${given}${sort ? `&sort=${sort}&page[size]=1` : ""}`);
			assert.equal(mine.status, 200, `${target} ${sort}: ${mine.text}`);
			told(mine);
			if (!sort || target.includes("{id}")) continue;
			const page = await actors.admin.api("GET", `${target}?${required(target, things)}&sort=${sort}&page[size]=1`);
			const cursor = /page%5Bafter%5D=([^&"]+)/.exec(page.json?.links?.next ?? "")?.[1];
			if (!cursor) continue;
			const answer = await actors.stranger.api("GET", `${own(target)}?${given}&sort=${sort}&page[after]=${cursor}`);
			assert.ok([200, 400].includes(answer.status), answer.text);
			told(answer);
		}
		for (const include of includes) {
			const answer = await actors.stranger.api("GET", `${own(target)}?${given}&include=${include}`);
			assert.ok(answer.status === 200 || answer.codes[0] === "invalid_include", answer.text);
			included += answer.json.included?.length ?? 0;
			told(answer);
		}
	});
	assert.ok(included > 10, String(included));
});

test("names and keys of another organization are free", async () => {
	const [{ name }] = await server.rows(`select name from open.dags where id = '${things.dag}'`);
	assert.equal((await actors.stranger.tryCreate({ nodes: [{ name: "a" }] }, { name })).status, 201);
	const [secretRow] = await server.rows(`select name from open.secrets where id = '${things.secret}'`);
	assert.equal((await actors.stranger.api("POST", "/api/v1/secrets", { body: { data: { type: "secrets", attributes: { name: secretRow.name, value: "v" } } } })).status, 201);
	const key = { headers: { "idempotency-key": unique("key") } };
	const [ours, theirs] = [await actors.admin.tryStart(things.active, {}, key), await actors.stranger.tryStart(strangers.active, {}, key)];
	assert.deepEqual([ours.status, theirs.status], [ours.status, ours.status]);
	assert.notEqual(ours.json.data.id, theirs.json.data.id);
});

// --- hostile values ---------------------------------------------------------------------------------------------------

// No fault of the server, and, but for what was given, no word of SQL in an error.
const sound = (answer, what, given) => {
	assert.ok(answer.status < 500, `${what}: ${answer.status} ${answer.text}`);
	const rest = answer.text.replaceAll(JSON.stringify(given).slice(1, -1), "");
	// A document of GraphQL that can't be read is a "Syntax Error:" by itself.
	if (answer.status >= 400) assert.doesNotMatch(rest.replaceAll("Syntax Error: ", ""), /syntax error|pg_|relation "|column "|SQLSTATE|select |open\.\w/i, what);
};

test("SQL in the place of ids and in every query parameter is a value, or refused", async () => {
	const count = () => server.rows("select (select count(*) from open.users) as users, (select count(*) from open.organizations) as organizations, (select count(*) from open.api_tokens where revoked_at is null) as tokens");
	const before = await count();
	const asked = [];
	for (const text of INJECTIONS) {
		const value = encodeURIComponent(text);
		for (const [operation, { on }] of Object.entries(OPERATIONS)) if (on) asked.push([text, operation.split(" ")[0], operation.split(" ")[1].replace("{id}", value)]);
		for (const [target, parameters] of lists()) {
			const given = required(target, strangers);
			for (const { name } of parameters) asked.push([text, "GET", `${own(target)}?${given.startsWith(name) ? "" : `${given}&`}${encodeURIComponent(name)}=${value}`.replace("?&", "?")]);
		}
	}
	await each(asked, async ([text, method, target]) => {
		const answer = await actors.stranger.api(method, target);
		sound(answer, `${method} ${target}`, text);
		if (!attempts(target)) told(answer);
		assert.equal(answer.headers.get("set-cookie"), null);
	});
	assert.ok(asked.length > 2000, String(asked.length));
	assert.deepEqual(await count(), before);
});

test("SQL in every string of a body is a value, or refused; what is stored is read back as it was given", async () => {
	const asked = [];
	for (const [operation, expected] of Object.entries(OPERATIONS)) {
		if (!expected.body || expected.type) continue;
		const given = Object.entries(expected.body(NOWHERE).data.attributes);
		for (const text of INJECTIONS) {
			for (const [name] of given) asked.push([operation, { [name]: text }]);
			asked.push([operation, { [text]: text }]);
		}
	}
	await each(asked, async ([operation, more]) => {
		const answer = await attempt(operation, actors.stranger, strangers, { more, creator: actors.stranger, admin: actors.stranger });
		const [[name, text]] = Object.entries(more);
		sound(answer, `${operation} ${JSON.stringify(more)}`, text);
		if (answer.status < 300 && operation === "POST /api/v1/dags") assert.equal(answer.json.data.attributes[name], text, operation);
	});
	assert.ok(asked.length > 200, String(asked.length));
});

test("attributes that nobody may give are refused in every body, and nothing comes of it", async () => {
	const asked = Object.keys(OPERATIONS).filter((o) => OPERATIONS[o].body && !OPERATIONS[o].type).flatMap((operation) => Object.entries(NOT_TO_BE_GIVEN).filter(([name]) => !OPERATIONS[operation].takes?.includes(name)).map(([name, value]) => [operation, name, value]));
	await each(asked, async ([operation, name, value]) => {
		const answer = await attempt(operation, actors.admin, things, { more: { [name]: value }, creator: actors.admin });
		assert.ok(answer.status >= 400 && answer.status < 500, `${operation} with ${name}: ${answer.status} ${answer.text}`);
		assert.equal(answer.json.errors[0].source.pointer, `/data/attributes/${name}`, `${operation} with ${name}: ${answer.text}`);
	});
	const [{ strays }] = await server.rows(`select count(*) as strays from open.dags where organization_id not in ('${actors.admin.org.id}', '${actors.stranger.org.id}')
		and organization_id <> (select id from open.organizations where slug = 'demo')`);
	assert.equal(Number(strays), 0);
});

test("what was refused is in the audit log, and it holds nothing of another organization", async () => {
	await until("the refusals are written", async () =>
		(await actors.admin.get("/api/v1/audit-log?filter[outcome]=insufficient_scope&page[size]=1000")).length >= 10);
	const [{ id: asker }] = await server.rows(`select id from open.users where email = '${actors.stranger.user.email}'`);
	const entries = (await actors.stranger.api("GET", "/api/v1/audit-log?page[size]=1000&sort=at")).json.data;
	// The ids that he himself asked for in vain are his own.
	for (const { attributes } of entries) if (attributes.outcome !== "done" && attributes.user_id === asker) delete attributes.subject_id;
	const text = JSON.stringify(entries);
	assert.ok(!text.includes(actors.admin.org.id));
	assert.ok(!text.includes(things.user));
});
