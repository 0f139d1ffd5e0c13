// GraphQL's matrix: every mutation and subscription × every kind of actor; every field, filter, operator and sort key seen from another
// organization, where all answers are the same whether ours exists or not; its ids and SQL in every argument.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { ROOT, ended, lua, startServer, test, unique, until } from "./harness.mjs";
import { NOWHERE, altered, another, each, makeActors, waits } from "./actors.mjs";
import { FIELDS, INJECTIONS } from "./matrix_operations.mjs";
import { FIELDS_OF, FILTERS, INPUTS, LISTS, MUTATIONS, OPERATORS, SORTS, SUBSCRIPTIONS, missing, readSchema } from "./matrix_graphql.mjs";

const { WebSocket } = createRequire(path.join(ROOT, "build/clients/package.json"))("ws");
const schema = readSchema(fs.readFileSync(path.join(ROOT, "assets/schema.graphql"), "utf8"));
const tables = { queries: FIELDS, mutations: MUTATIONS, subscriptions: SUBSCRIPTIONS, fields: FIELDS_OF, filters: FILTERS, operators: OPERATORS, sorts: SORTS, inputs: INPUTS };
const MARK = unique("only_ours").replaceAll("-", "_");

let server;
let actors; // name → client
let ours; // one of each
let theirs; // the same of the other organization

const ask = (who, query, variables, more) => who.api("POST", "/graphql", { type: "application/json", body: { query, variables }, ...more });
const word = (prefix) => unique(prefix).replaceAll("-", "_").toUpperCase();

async function secret(admin, name = word("S")) {
	const { json, text } = await ask(admin, 'mutation ($name: String!) { createSecret(name: $name, value: "hidden") { id } }', { name });
	assert.ok(json.data?.createSecret, text);
	return json.data.createSecret.id;
}

const make = {
	dag: async (creator) => (await creator.create({ nodes: [{ name: "a" }] })).id,
	execution: async (creator, admin, all) => (await creator.start(all.waiting)).id,
	active: (creator, admin, all) => all.active,
	ended: (creator, admin, all) => all.ended,
	secret: (creator, admin) => secret(admin),
};

async function makeThings(creator, admin, mark) {
	const all = { organization: admin.org.id };
	const told = { name: mark, description: `${mark} described` };
	all.active = (await creator.active({ nodes: [{ name: `${mark}_n`, for_each: [1, 2], ...lua(`return '${mark} result'`) }] }, told)).id;
	all.waiting = (await creator.active(waits, { name: `${mark}_waiting` })).id;
	all.run = (await creator.run(all.active, { [mark]: mark })).execution.id;
	all.node = `${all.run.slice(0, 28)}00000001`;
	all.ended = (await creator.start(all.waiting)).id;
	const sent = await ask(creator, `mutation ($id: ID!) { sendSignal(executionId: $id, name: "go", value: "${mark} value") { id } }`, { id: all.ended });
	all.signal = sent.json.data.sendSignal.id;
	await creator.finished(all.ended);
	all.execution = await make.execution(creator, admin, all);
	all.secret = await secret(admin, word(mark));
	[{ id: all.version }] = await creator.get(`/api/v1/dag-versions?filter[dag]=${all.active}`);
	[{ id: all.user }] = await server.rows(`select id from open.users where email = '${creator.user.email}'`);
	[{ id: all.admin }] = await server.rows(`select id from open.users where email = '${admin.user.email}'`);
	await server.psql(`update open.users set name = '${mark} called' where id in ('${all.user}', '${all.admin}');
		update open.organizations set name = '${mark} organization' where id = '${admin.org.id}'`);
	all.session = await server.psql(`select open.session_create('${all.admin}', '${admin.org.id}', sha256(gen_random_uuid()::text::bytea), interval '1 hour', '192.0.2.7', '${mark} browser')`);
	return all;
}

before(async () => {
	server = await startServer({ env: { OPEN_RATE_REFUSED: "off", OPEN_RATE_CREDENTIAL: "off" } });
	actors = await makeActors(server);
	const { admin, stranger, creator } = actors;
	actors.outsider = await another(stranger, "user");
	for (const scope of ["execute", "write"]) actors[`scopes read ${scope}`] = await altered(admin, `scopes = '{read,${scope}}'`);
	[ours, theirs] = await Promise.all([makeThings(creator, admin, MARK), makeThings(stranger, stranger, "of_the_others")]);
});
after(() => server?.stop());

test("every root field, field, filter, operator and sort key of the schema is in the matrix, and nothing else", () => {
	assert.deepEqual(missing(schema, tables), { absent: [], extra: [] });
	assert.ok(Object.keys(schema).length > 80);
	for (const type of Object.keys(FILTERS)) assert.ok(LISTS[type.slice(0, -"Filters".length)], type);
});

test("what is made up is told as missing, wherever it stands", () => {
	for (const type of ["Query", "Mutation", "Subscription", "Execution", "DAGFilters", "StringFilter", "UserSortField", "UpdateDAGInput"]) {
		const grown = { ...schema, [type]: { ...schema[type], fields: { ...schema[type].fields, madeUp: {} } } };
		assert.deepEqual(missing(grown, tables), { absent: [`${type}.madeUp`], extra: [] });
		const [first] = Object.keys(schema[type].fields);
		const { [first]: gone, ...rest } = schema[type].fields;
		assert.deepEqual(missing({ ...schema, [type]: { ...schema[type], fields: rest } }, tables), { absent: [], extra: [`${type}.${first}`] });
	}
	assert.deepEqual(missing({ ...schema, Made: { kind: "type", fields: { up: {} } } }, tables).absent, ["Made.up"]);
});

// --- actors ---------------------------------------------------------------------------------------------------------

const expectation = (row, actor) => {
	if (actor === "none") return "unauthorized";
	if (["made up", "expired", "revoked"].includes(actor)) return "invalid_token";
	if (actor.startsWith("scopes ")) return actor.includes(row.scope) ? row.admin : "insufficient_scope";
	if (!actor.startsWith("scope ")) return row[actor];
	if (actor !== `scope ${row.scope}`) return "insufficient_scope";
	return row.unread ? "unread" : row.admin;
};

// All that a mutation could change, of every organization; who used a credential when is not among it.
const state = async () => (await Promise.all(["dags", "dag_versions", "executions", "executions_unfinished", "node_history", "signals", "secrets"].map((table) =>
	server.psql(`select '${table} ' || count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') from open.${table} t`)))).join("\n");

// Done, but the token may not read what came of it.
const unread = ({ text }) => text.includes("The token's scopes don't reach what the field reads.");
const outcome = (answer, name) => (unread(answer) ? "unread" : answer.codes[0]) ?? (answer.json?.data?.[name] ? "ok" : answer.text);

function cellsOf(table, refused) {
	return Object.keys(table).flatMap((name) => Object.keys(actors).filter((actor) => !["ok", "unread"].includes(expectation(table[name], actor)) === refused).map((actor) => [name, actor]));
}

async function mutate(name, actor, id) {
	const { document, variables } = MUTATIONS[name];
	const answer = await ask(actors[actor], document, variables(id, word("N")));
	const [got, wanted] = [outcome(answer, name), expectation(MUTATIONS[name], actor)];
	return got === wanted ? [] : [`${name} as ${actor}: ${got}, not ${wanted}: ${answer.text.slice(0, 200)}`];
}

test("a mutation that the table refuses is refused with its code, and changes nothing", async () => {
	const things = { ...ours, dag: await make.dag(actors.creator) };
	const wrong = [];
	const cells = cellsOf(MUTATIONS, true);
	const before = await state();
	await each(cells, async ([name, actor]) => wrong.push(...await mutate(name, actor, things[MUTATIONS[name].on])));
	assert.deepEqual(wrong, []);
	assert.equal(await state(), before);
	assert.ok(cells.length > 100, String(cells.length));
});

test("a mutation that the table allows is done", async () => {
	const wrong = [];
	await each(cellsOf(MUTATIONS, false), async ([name, actor]) => {
		const { on } = MUTATIONS[name];
		wrong.push(...await mutate(name, actor, on && await make[on](actors.creator, actors.admin, ours)));
	});
	assert.deepEqual(wrong, []);
});

// The first event or error of an event stream.
async function streamed(name, actor) {
	const { token } = actors[actor];
	const end = new AbortController();
	const response = await fetch(`${server.url}/graphql`, { method: "POST", signal: end.signal, body: JSON.stringify({ query: SUBSCRIPTIONS[name].document, variables: { id: ours.execution } }),
		headers: { accept: "text/event-stream", "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) } });
	let text = "";
	for await (const part of response.body) {
		text += Buffer.from(part);
		if (/"(data|code)"/.test(text)) break;
	}
	end.abort();
	return text.match(/"code":\s*"(\w+)"/)?.[1] ?? (text.includes(ours.execution.slice(0, 28)) ? "ok" : text);
}

// The same over a WebSocket; a connection that isn't let in is closed.
async function socketed(name, actor) {
	const { token } = actors[actor];
	const ws = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
	try {
		return await new Promise((resolve, reject) => {
			ws.on("error", reject);
			ws.on("close", (code) => resolve(code));
			ws.on("open", () => ws.send(JSON.stringify({ type: "connection_init", payload: token ? { Authorization: `Bearer ${token}` } : {} })));
			ws.on("message", (data) => {
				const message = JSON.parse(data);
				if (message.type === "connection_ack") ws.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: SUBSCRIPTIONS[name].document, variables: { id: ours.execution } } }));
				else resolve(String(data).match(/"code":\s*"(\w+)"/)?.[1] ?? (String(data).includes(ours.execution.slice(0, 28)) ? "ok" : String(data)));
			});
		});
	} finally {
		ws.terminate();
	}
}

test("a subscription tells whom the table says, over event streams and WebSockets; who has no credential gets no connection", async () => {
	await until("it waits", async () => (await actors.admin.withNodes(ours.execution)).nodes.w?.status === "running");
	const wrong = [];
	await each(Object.keys(SUBSCRIPTIONS).flatMap((name) => Object.keys(actors).map((actor) => [name, actor])), async ([name, actor]) => {
		const wanted = expectation(SUBSCRIPTIONS[name], actor);
		const [stream, socket] = [await streamed(name, actor), await socketed(name, actor)];
		if (stream !== wanted) wrong.push(`${name} as ${actor}: ${stream}, not ${wanted}`);
		const there = ["unauthorized", "invalid_token"].includes(wanted) ? 4403 : wanted;
		if (socket !== there) wrong.push(`${name} as ${actor} over a WebSocket: ${socket}, not ${there}`);
	});
	assert.deepEqual(wrong, []);
});

// --- another organization ----------------------------------------------------------------------------------------

const scalars = (type) => Object.keys(schema[type].fields).filter((f) => schema[schema[type].fields[f].type]?.kind !== "type");
// What to ask of a field.
function selection(type) {
	if (schema[type]?.kind !== "type") return "";
	if (!type.endsWith("Connection")) return ` { ${scalars(type).join(" ")} }`;
	const node = type.slice(0, -"Connection".length);
	return ` { edges { cursor node { id } } nodes${selection(node)} pageInfo${selection("PageInfo")} totalCount }`;
}

// Arguments of a type's root list: of the actor's own things, and more.
const given = (type, all, ...more) => {
	const [, name, what] = LISTS[type];
	const parts = [...(name ? [`${name}: "${all[what]}"`] : []), ...more];
	return parts.length ? `(${parts.join(", ")})` : "";
};

const fieldQueries = (all) => Object.entries(LISTS).flatMap(([type, [root]]) => [
	...Object.entries(schema[type].fields).map(([name, { type: of }]) => [`${type}.${name}`, `{ ${root}${given(type, all, "first: 100")} { ${name}${selection(of)} } }`]),
	[`${root}Connection`, `{ ${root}Connection${given(type, all)}${selection(`${type}Connection`)} }`],
]);

const sortQueries = (all) => Object.keys(SORTS).filter((s) => s !== "SortOrder").flatMap((name) => {
	const type = name.slice(0, -"SortField".length);
	return Object.keys(schema[name].fields).flatMap((field) => Object.keys(schema.SortOrder.fields).map((order) =>
		[`${name}.${field} ${order}`, `{ ${LISTS[type][0]}${given(type, all, `sort: [{field: ${field}, order: ${order}}]`)} { id } }`]));
});

const ID_OF = { DAG: "active", DAGVersion: "version", Execution: "run", NodeExecution: "node", Element: "node", Secret: "secret", Organization: "organization", Signal: "signal", User: "user", AuditEntry: "run", APIToken: "user", Session: "session" };
const FALLBACK = { Boolean: true, DateTime: "2026-01-01T00:00:00Z", Duration: "PT1S", Float: 1, ID: NOWHERE, Int: 1, String: "x", UUID: NOWHERE };

// The rows of ours as filters may name their values: type → field → value.
async function valuesOf(all, client) {
	const values = {};
	for (const [type, [root]] of Object.entries(LISTS)) {
		const { json, text } = await ask(client, `{ ${root}${given(type, all)} { ${scalars(type).join(" ")} } }`);
		assert.equal(json.errors, undefined, text);
		values[type] = Object.fromEntries(scalars(type).map((name) => [name, json.data[root].map((row) => row[name]).find((v) => v !== null)]));
	}
	return values;
}

// Each filter field with each operator, given our own values.
function filterQueries(values, all) {
	const queries = [];
	for (const filters of Object.keys(FILTERS)) {
		const type = filters.slice(0, -"Filters".length);
		const add = (name, filter) => {
			queries.push([`${filters}.${name}`, `{ ${LISTS[type][0]}Connection${given(type, all, `filters: ${filter}`)} { totalCount nodes { id } } }`]);
		};
		for (const [name, { type: of }] of Object.entries(schema[filters].fields)) {
			if (of.endsWith("Filters")) {
				const target = ID_OF[of.slice(0, -"Filters".length)];
				for (const inner of [`{id: {eq: "${ours[target]}"}}`, `{id: {notEq: "${ours[target]}"}}`, `{not: {id: {in: ["${ours[target]}"]}}}`]) {
					add(`${name} ${inner}`, `{${name}: ${["and", "or"].includes(name) ? `[${inner}]` : inner}}`);
				}
				continue;
			}
			for (const [operator, { type: value }] of Object.entries(schema[of].fields)) {
				const own = values[type][name] ?? FALLBACK[value] ?? Object.keys(schema[value].fields)[0];
				let text = schema[value]?.kind === "enum" ? own : JSON.stringify(["like", "ilike"].includes(operator) ? `%${own}%` : own);
				if (operator === "isNil") text = "true";
				if (["in", "notIn"].includes(operator)) text = `[${text}]`;
				add(`${name} ${operator}`, `{${name}: {${operator}: ${text}}}`);
			}
		}
	}
	return queries;
}

async function answers(client, queries) {
	const all = new Map();
	await each(queries, async ([name, query]) => {
		const { json, text } = await ask(client, query);
		assert.equal(json?.errors, undefined, `${name}: ${query}: ${text}`);
		all.set(name, text.replace(/"lastUsedAt": ?"[^"]*"/g, '"lastUsedAt":"then"'));
	});
	return all;
}

test("SQL and another organization's ids, in every argument, are nothing but text: nothing is told, nothing changes", async () => {
	const before = await state();
	const wrong = [];
	const look = (what, answer, sent) => {
		const { text } = answer;
		const told = sent === undefined ? text : text.replaceAll(JSON.stringify(sent).slice(1, -1), "");
		if (answer.status >= 500 || /syntax error at|pg_|SQLSTATE|relation "|unterminated|ciphertext|hashed_password/i.test(told)) wrong.push(`${what}: ${answer.status} ${text.slice(0, 200)}`);
	};
	const blind = (id) => (id === ours.node ? `${NOWHERE.slice(0, 28)}00000001` : NOWHERE);
	const neutral = ({ status, text }, id) => `${status} ${text.replaceAll(id, "ID").replaceAll(blind(id), "ID")}`;
	const asked = [];
	for (const [kind, root] of [["query", "Query"], ["mutation", "Mutation"]]) {
		for (const [name, field] of Object.entries(schema[root].fields)) {
			const required = field.arguments.filter(([, type]) => type.endsWith("!"));
			for (const [argument, type] of field.arguments) {
				if (!/^\[?(ID|String|JSON)/.test(type)) continue;
				const declared = [...new Map([...required, [argument, type]]).entries()];
				const document = `${kind} (${declared.map(([a, t]) => `$${a}: ${t}`).join(", ")}) { ${name}(${declared.map(([a]) => `${a}: $${a}`).join(", ")})${field.type === "Boolean" ? "" : " { __typename }"} }`;
				const rest = Object.fromEntries(required.map(([a, t]) => [a, /^ID/.test(t) ? NOWHERE : /Input/.test(t) ? { name: word("I"), definition: waits } : "x"]));
				const put = (value) => ({ ...rest, [argument]: type.startsWith("[") ? [value] : value });
				asked.push([`${name}(${argument})`, document, put, type]);
			}
		}
	}
	await each(asked, async ([what, document, put, type]) => {
		for (const text of INJECTIONS) {
			if (/^create/.test(what)) continue; // They make what is named so: below.
			look(`${what} ${text}`, await ask(actors.stranger, document, put(text)), text);
		}
		if (!type.startsWith("ID")) return;
		for (const id of Object.values(ours)) {
			const [foreign, none] = [await ask(actors.stranger, document, put(id)), await ask(actors.stranger, document, put(blind(id)))];
			if (neutral(foreign, id) !== neutral(none, id)) wrong.push(`${what} ${id}: ${foreign.text.slice(0, 200)} is not ${none.text.slice(0, 200)}`);
		}
	});
	const filters = Object.entries(FILTERS).flatMap(([name]) => Object.entries(schema[name].fields).filter(([, f]) => f.type === "StringFilter").map(([f]) => [name.slice(0, -"Filters".length), f]));
	await each(filters, async ([type, field]) => {
		for (const operator of ["eq", "like", "ilike", "contains", "gt"]) for (const text of INJECTIONS) {
			const answer = await ask(actors.stranger, `query ($t: String) { ${LISTS[type][0]}${given(type, theirs, `filters: {${field}: {${operator}: $t}}`)} { id } }`, { t: text });
			look(`${type} ${field} ${operator} ${text}`, answer, text);
		}
	});
	assert.deepEqual(wrong, []);
	assert.equal(await state(), before);
	assert.ok(asked.length > 40, String(asked.length));
});

test("a document's names reach nothing of another organization: op: dag and secrets of ours are as unknown as made-up ones", async () => {
	const foreigner = await server.makeClient(); // Of an organization of its own: its documents say what is looked for below.
	const run = async (node) => {
		const { json, text } = await ask(foreigner, "mutation ($input: CreateDAGInput!) { createDAG(input: $input) { id } }", { input: { name: word("D"), definition: { nodes: [{ name: "n", ...node }] } } });
		assert.ok(!/pg_|SQLSTATE|syntax error at/.test(text), text);
		if (json.errors) return json.errors.map(({ message, extensions }) => `${message} ${extensions?.code}`).join();
		const id = json.data.createDAG.id;
		const activated = await ask(foreigner, "mutation ($id: ID!) { activateDAG(id: $id) { id } }", { id });
		if (activated.json.errors) return activated.text;
		const started = await ask(foreigner, "mutation ($id: ID!) { executeDAG(dagId: $id) { id } }", { id });
		if (started.json.errors) return started.text;
		await foreigner.finished(started.json.data.executeDAG.id);
		return (await ask(foreigner, `{ execution(id: "${started.json.data.executeDAG.id}") { status errorMessage nodeExecutions { error result log } } }`)).text;
	};
	const same = async (name, none, node) => {
		const [foreign, unknown] = [await run(node(name)), await run(node(none))];
		assert.equal(foreign.replaceAll(name, "NAME"), unknown.replaceAll(none, "NAME"));
	};
	await same(MARK, "nobody_has_this", (name) => ({ op: "dag", with: { name } }));
	await same(ours.active, NOWHERE, (name) => ({ op: "dag", with: { name } }));
	await same(word(MARK), "NOBODY_HAS_THIS", (name) => ({ op: "http", with: { url: "http://192.0.2.1/", headers: { authorization: `\${{ secrets.${name} }}` } } }));
	await each(INJECTIONS, async (text) => {
		for (const node of [{ op: "dag", with: { name: text } }, lua(`return '\${{ secrets.${text} }}'`)]) assert.ok(!(await run(node)).includes(MARK), text);
		for (const document of ["mutation ($t: String!) { createSecret(name: $t, value: $t) { id } }", 'mutation ($t: String!) { createDAG(input: {name: $t, definition: {nodes: [{name: "a"}]}}) { id } }']) {
			const answer = await ask(foreigner, document, { t: text });
			assert.ok(answer.status < 500 && !/SQLSTATE|syntax error at/.test(answer.text), answer.text);
		}
	}, 4);
});

// Every way in which somebody could look for an address.
const addressQueries = (email) => [["users", "", ""], ["dags", "creator: {", "}"], ["dagVersions", "creator: {", "}"], ["executions", "triggeredBy: {", "}"], ["organizations", "users: {", "}"]]
	.flatMap(([root, open, close]) => Object.entries(schema.StringFilter.fields).map(([operator]) => {
		const value = operator === "isNil" ? "false" : ["in", "notIn"].includes(operator) ? `["${email}"]` : JSON.stringify(/like/.test(operator) ? `${email.slice(0, 8)}%` : email);
		return [`${root} ${operator}`, `{ ${root}Connection(filters: {${open}email: {${operator}: ${value}}${close}}) { totalCount nodes { id } } }`];
	})).concat(Object.keys(schema.SortOrder.fields).map((order) => [order, `{ users(sort: [{field: EMAIL, order: ${order}}]) { id email } }`]));

test("a member's answers are the same whatever another's address is: no filter, count or sort tells of it", async () => {
	const queries = addressQueries(actors.admin.user.email);
	const first = await answers(actors.member, queries);
	const seen = await answers(actors.admin, queries);
	assert.match(seen.get("users eq"), new RegExp(ours.admin), "an admin finds it");
	await server.psql(`update open.users set email = 'zz-elsewhere@example.test' where id = '${ours.admin}'`);
	assert.deepEqual(await answers(actors.member, queries), first);
	assert.notDeepEqual(await answers(actors.admin, queries), seen);
	await server.psql(`update open.users set email = '${actors.admin.user.email}' where id = '${ours.admin}'`);
});

test("another organization sees nothing of ours in any field, filter, count or sort: its answers are the same when ours is gone", async () => {
	for (const who of [actors.admin, actors.stranger]) {
		for (const e of await who.get("/api/v1/executions?page[size]=100")) if (!ended(e.attributes.status)) {
			await who.cancel(e.id);
			await who.finished(e.id);
		}
	}
	await server.psql(`update open.api_tokens set last_used_at = '2001-02-03T04:05:06Z' where organization_id = '${ours.organization}'`);
	// What the stranger was refused is in his own audit log, with the ids that he sent.
	await server.psql(`delete from open.audit_log where organization_id = '${theirs.organization}' and outcome <> 'done'`);
	const values = await valuesOf(ours, actors.admin);
	const queries = [...fieldQueries(theirs), ...sortQueries(theirs), ...filterQueries(values, theirs)];
	assert.ok(queries.length > 1500, String(queries.length));
	assert.equal(new Set(queries.map(([name]) => name)).size, queries.length);
	// That there is something to be seen: we see it.
	const own = [...(await answers(actors.admin, fieldQueries(ours))).values()].join("\n");
	assert.ok(own.split(MARK).length > 20);
	for (const kind of ["active", "run", "node", "secret", "signal", "user", "organization"]) assert.ok(own.includes(ours[kind]), kind);

	const seen = await answers(actors.stranger, queries);
	for (const [name, text] of seen) {
		for (const [kind, id] of Object.entries(ours)) assert.ok(!text.includes(id), `${name} tells of our ${kind}: ${text.slice(0, 300)}`);
		assert.ok(!text.toLowerCase().includes(MARK.toLowerCase()), `${name}: ${text.slice(0, 300)}`);
	}
	await server.psql(`delete from open.organizations where id = '${ours.organization}'`);
	const alone = await answers(actors.stranger, queries);
	const moved = queries.map(([name]) => name).filter((name) => alone.get(name) !== seen.get(name));
	assert.deepEqual(moved.map((name) => `${name}: ${seen.get(name).slice(0, 200)} became ${alone.get(name).slice(0, 200)}`), []);
});
