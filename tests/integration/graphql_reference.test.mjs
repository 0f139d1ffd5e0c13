// The reference of GraphQL: it follows from the schema and the examples, every operation has one, and each does what it says.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { operations, readExamples, readSchema, reference } from "../../tools/reference.mjs";
import { ROOT, lua, startServer, test, unique, until } from "./harness.mjs";

const types = readSchema();
const examples = readExamples();
const all = operations(types);

let server;
let client;
let dag;
let waiting;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
	waiting = await client.active({ nodes: [{ name: "w", op: "wait_for", with: { signal: "go" } }] });
	dag = await client.active({ nodes: [{ name: "each", for_each: [1, 2], ...lua("return 1") }] });
	await client.run(dag);
	await made.SESSION();
	await made.SECRET();
});
after(() => server?.stop());

const created = async (target, type, attributes) => {
	const answer = await client.api("POST", target, { body: { data: { type, attributes } } });
	assert.equal(answer.status, 201, answer.text);
	return answer.json.data.id;
};
const waits = async () => {
	const { id } = await client.start(waiting);
	await until("it waits", async () => (await client.withNodes(id)).nodes.w?.status === "running");
	return id;
};

// What a word in capitals stands for among the variables of an example: made anew each time, for the example's client is an admin's.
const made = {
	NAME: () => unique("n").replaceAll("-", "_"),
	DAG: async () => {
		const one = await client.active({ nodes: [{ name: "a" }] });
		await client.run(one);
		return one.id;
	},
	VERSION: async () => (await client.get(`/api/v1/dag-versions?filter[dag]=${dag.id}`))[0].id,
	EXECUTION: async () => (await client.run(dag)).execution.id,
	NODE: async () => `${(await made.EXECUTION()).slice(0, 28)}00000001`,
	WAITING: waits,
	PAUSED: async () => {
		const id = await waits();
		assert.equal((await client.pause(id)).status, 202);
		return id;
	},
	SIGNALLED: async () => {
		const id = await waits();
		await created(`/api/v1/executions/${id}/signals`, "signals", { name: "go", value: 1 });
		return id;
	},
	SIGNAL: async () => created(`/api/v1/executions/${await waits()}/signals`, "signals", { name: "other", value: 1 }),
	SECRET: () => created("/api/v1/secrets", "secrets", { name: made.NAME(), value: "hidden" }),
	TOKEN: () => created("/api/v1/tokens", "tokens", { name: unique("token"), scopes: ["read"] }),
	SESSION: () => server.psql(`select open.session_create(u.id, '${client.org.id}', sha256(gen_random_uuid()::text::bytea), interval '1 hour', '192.0.2.7', 'a browser')
		from open.users u where u.email = '${client.user.email}'`),
	USER: async () => server.psql(`select id from open.users where email = '${client.user.email}'`),
	MEMBER: async () => server.psql(`select id from open.users where email = '${(await server.makeUser(client.org, { role: "user" })).email}'`),
	EMAIL: async () => (await server.makeUser(client.org)).email,
	PASSWORD: () => "correct horse battery staple",
	ORGANIZATION: () => client.org.id,
	SLUG: () => client.org.slug,
};

async function variablesOf({ variables = "{}" }) {
	const given = JSON.parse(variables);
	const fill = async (v) => {
		if (typeof v === "string" && /^[A-Z]+$/.test(v)) {
			assert.ok(made[v], `nothing makes ${v}: add it to graphql_reference.test.mjs`);
			return made[v]();
		}
		if (v === null || typeof v !== "object" || Array.isArray(v)) return v;
		return Object.fromEntries(await Promise.all(Object.entries(v).map(async ([k, inner]) => [k, await fill(inner)])));
	};
	return fill(given);
}

// A client of its own where the example changes something: it may end the very session it is asked with.
async function run(op, example) {
	const token = op.root === "Mutation" ? await server.makeToken(client.user) : client.token;
	const answer = await server.api("POST", "/graphql", { token, type: "application/json", body: { query: example.document, variables: await variablesOf(example) },
		headers: { accept: op.root === "Subscription" ? "text/event-stream" : "application/json" } });
	if (op.root !== "Subscription") return answer.json;
	const first = /^event: next\ndata: (.*)$/m.exec(answer.text);
	assert.match(answer.text, /^event: complete$/m);
	return JSON.parse(first[1]);
}

test("the committed reference is the one that follows from the schema and the examples", () => {
	assert.equal(fs.readFileSync(path.join(ROOT, "assets/docs/graphql-reference.md"), "utf8"), reference(types, examples),
		"node tools/reference.mjs > assets/docs/graphql-reference.md");
});

test("every operation has an example, and every example an operation", () => {
	assert.ok(all.length > 40);
	assert.deepEqual(all.map((o) => o.name).filter((name) => !examples.has(name)), [], "no example: add assets/docs/graphql/NAME.graphql");
	assert.deepEqual([...examples.keys()].filter((name) => !all.some((o) => o.name === name)), [], "an example of nothing");
	const names = new Set(types.map((t) => t.name));
	for (const t of types) for (const m of t.members) if (m.type) assert.ok(/^(ID|Int|Float|String|Boolean)$/.test(/\w+/.exec(m.type)[0]) || names.has(/\w+/.exec(m.type)[0]), `${t.name}.${m.name}`);
});

test("every example does what it says: its field has a value, lists have items, nothing fails", async () => {
	const left = all.filter((o) => examples.has(o.name));
	const count = left.length;
	const failed = [];
	await Promise.all(Array.from({ length: 4 }, async () => {
		for (let op; (op = left.shift()); ) {
			const answer = await run(op, examples.get(op.name));
			const value = answer.data?.[op.name];
			const empty = value === null || value === undefined || (Array.isArray(value) && value.length === 0) || value.edges?.length === 0;
			if (answer.errors || empty) failed.push(`${op.name}: ${JSON.stringify(answer)}`);
		}
	}));
	assert.deepEqual(failed, []);
	assert.ok(count > 40);
});
