// GraphQL: what is asked comes back as it was asked for, and only of the organization
// that asks. REST tells what the truth is.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import fs from "node:fs";
import path from "node:path";
import { OPENCTL, ROOT, execute, lua, startServer, test } from "./harness.mjs";

let server;
let us;
let them;
let dag; // ours, run twice
let wide; // ours, of 1,000 nodes, run once
let run;

const ask = async (client, query, variables) => {
	const answer = await server.api("POST", "/graphql", {
		token: client.token,
		headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
		body: { query, variables },
	});
	return { status: answer.status, ...answer.json };
};
const data = async (client, query, variables) => {
	const answer = await ask(client, query, variables);
	assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
	return answer.data;
};
const codes = (answer) => (answer.errors ?? []).map((e) => e.extensions.code);

before(async () => {
	server = await startServer();
	[us, them] = [await server.makeClient(), await server.makeClient()];
	dag = await us.active({ nodes: [{ name: "a", ...lua("return 1") }, { name: "b", dependencies: ["a"], ...lua("error('no')") }] });
	await us.run(dag, { n: 1 });
	run = await us.run(dag, { n: 2 });
	wide = await us.active({ nodes: Array.from({ length: 1000 }, (_, i) => ({ name: `n${i}` })) }, { name: "wide" });
	await us.run(wide);
});
after(() => server?.stop());

test("the committed schema is the one that follows from the tables", async () => {
	const { stdout } = await execute(OPENCTL, ["graphql", "schema"]);
	assert.equal(stdout, fs.readFileSync(path.join(ROOT, "assets/schema.graphql"), "utf8"));
});

test("the specification's queries answer by its names", async () => {
	const id = run.execution.id;
	const got = await data(us, `query ($dag: ID!, $execution: ID!) {
		dag(id: $dag) { id name status version }
		dags { id }
		execution(id: $execution) { id status startedAt completedAt result dag { id } triggeredBy { id } }
		executions(dagId: $dag) { id }
		currentUser { id role organization { id slug } }
		__typename
	}`, { dag: dag.id, execution: id });
	const rest = run.execution.attributes;
	assert.deepEqual(got.dag, { id: dag.id, name: dag.attributes.name, status: "ACTIVE", version: 1 });
	assert.equal(got.dags.length, 2);
	assert.deepEqual([got.execution.id, got.execution.status, got.execution.dag.id], [id, "FAILED", dag.id]);
	assert.deepEqual([got.execution.startedAt, got.execution.completedAt], [rest.started_at, rest.completed_at]);
	assert.equal(got.executions.length, 2);
	assert.equal(got.currentUser.organization.slug, us.org.slug);
	assert.equal(got.__typename, "Query");
});

test("relations at any depth hold what REST lists", async () => {
	const { dag: got } = await data(us, `query ($id: ID!) { dag(id: $id) {
		versions { number creator { id } dag { name } }
		executions(first: 5) { id context nodeExecutions { nodeName status execution { dag { id } } }
			nodeExecutionsConnection(first: 1) { totalCount edges { node { nodeName } } pageInfo { hasNextPage } } }
	} }`, { id: dag.id });
	assert.deepEqual(got.versions.map((v) => [v.number, v.dag.name]), [[1, dag.attributes.name]]);
	assert.deepEqual(got.executions.map((e) => e.context), [{ n: 2 }, { n: 1 }]);
	assert.equal(got.executions[0].id, run.execution.id);
	for (const e of got.executions) {
		assert.deepEqual(e.nodeExecutions.map((n) => [n.nodeName, n.status, n.execution.dag.id]), [["a", "SUCCESS", dag.id], ["b", "FAILED", dag.id]]);
		assert.deepEqual(e.nodeExecutionsConnection, { totalCount: 2, edges: [{ node: { nodeName: "a" } }], pageInfo: { hasNextPage: true } });
	}
});

test("1,000 nodes of an execution and 1,000 DAGs are those of REST", async () => {
	const many = await server.makeClient();
	await server.psql(`insert into open.dags (organization_id, name) select o.id, 'd' || lpad(i::text, 4, '0')
		from open.organizations o, generate_series(1, 1000) i where o.slug = '${many.org.slug}'`);
	const rest = (await many.api("GET", "/api/v1/dags?page[size]=1000")).json.data;
	const { dags } = await data(many, "{ dags(limit: 1000) { id name status version insertedAt creator { name } executions(first: 1) { id } } }");
	assert.deepEqual(dags.map((d) => [d.id, d.name, d.insertedAt]), rest.map((d) => [d.id, d.attributes.name, d.attributes.inserted_at]));
	const [{ id }] = (await data(us, "query ($id: ID!) { executions(dagId: $id) { id } }", { id: wide.id })).executions;
	const nodes = (await us.api("GET", `/api/v1/executions/${id}/node-executions?page[size]=1000`)).json.data;
	const got = await data(us, "query ($id: ID!) { execution(id: $id) { nodeExecutions(first: 1000) { id nodeName startedAt completedAt retryCount } } }", { id });
	assert.deepEqual(got.execution.nodeExecutions, nodes.map((n) => ({
		id: n.id, nodeName: n.attributes.node_name, startedAt: n.attributes.started_at, completedAt: n.attributes.completed_at, retryCount: n.attributes.retry_count,
	})));
});

test("every operator of a filter chooses the rows it says", async () => {
	const names = (filters) => data(us, "query ($f: DAGFilters) { dags(filters: $f) { name } }", { f: filters }).then((d) => d.dags.map((x) => x.name));
	const [other, all] = [dag.attributes.name, [dag.attributes.name, "wide"].sort()];
	const cases = [
		[{ name: { eq: "wide" } }, ["wide"]], [{ name: { notEq: "wide" } }, [other]], [{ name: { in: ["wide", "x"] } }, ["wide"]],
		[{ name: { notIn: ["wide"] } }, [other]], [{ name: { like: "wi%" } }, ["wide"]], [{ name: { ilike: "WI%" } }, ["wide"]],
		[{ name: { contains: "id" } }, ["wide"]], [{ name: { contains: "%" } }, []], [{ name: { isNil: true } }, []], [{ name: { isNil: false } }, all],
		[{ version: { lt: 2 } }, all], [{ version: { gt: 1 } }, []], [{ version: { lte: 1, gte: 1 } }, all],
		[{ insertedAt: { gt: "2020-01-01T00:00:00Z" } }, all], [{ status: { in: ["ACTIVE"] } }, all], [{ status: { notEq: "ACTIVE" } }, []],
		[{ or: [{ name: { eq: "wide" } }, { name: { eq: other } }] }, all], [{ and: [{ name: { eq: "wide" } }, { name: { eq: other } }] }, []],
		[{ not: { name: { eq: "wide" } } }, [other]], [{ executions: { status: { eq: "FAILED" } } }, [other]],
		[{ executions: { status: { eq: "SUCCESS" }, dag: { name: { eq: "wide" } } } }, ["wide"]], [{ creator: { role: { eq: "ADMIN" } } }, (await names({ creator: { role: { eq: "ADMIN" } } })).sort()],
		[{ id: { eq: dag.id } }, [other]], [{ id: { eq: "no id" } }, []], [{ id: { notEq: "no id" } }, all], [{ creatorId: { isNil: true } }, []], [{}, all],
	];
	for (const [filters, expected] of cases) assert.deepEqual((await names(filters)).sort(), expected, JSON.stringify(filters));
	const { executions } = await data(us, `{ executions(filters: {duration: {gt: "PT0S", lt: "1h"}, avgNodeDuration: {isNil: false}, successRate: {eq: 50}},
		sort: [{field: DURATION, order: DESC_NULLS_LAST}, {field: ID}]) { duration successRate failedNodes totalNodes } }`);
	assert.equal(executions.length, 2);
	assert.deepEqual(executions.map((e) => [e.successRate, e.failedNodes, e.totalNodes]), [[50, 1, 2], [50, 1, 2]]);
	assert.match(executions[0].duration, /^PT\d+(\.\d+)?S$/);
});

test("pages follow each other without gaps or repeats while rows are inserted", async () => {
	const org = await server.makeClient();
	const insert = (from, to) => server.psql(`insert into open.dags (organization_id, name, description, created_by)
		select o.id, 'p' || lpad(i::text, 3, '0'), (i % 3)::text, case when i % 2 = 0 then m.user_id end
		from open.organizations o join open.memberships m on m.organization_id = o.id, generate_series(${from}, ${to}) i where o.slug = '${org.org.slug}'`);
	await insert(1, 40);
	for (const sort of ["{field: NAME}", "{field: CREATOR_ID, order: DESC_NULLS_LAST}, {field: DESCRIPTION}", "{field: CREATOR_ID}", "{field: INSERTED_AT, order: DESC}, {field: NAME}"]) {
		const before = (await data(org, `{ dags(limit: 1000, sort: [${sort}]) { name } }`)).dags.map((d) => d.name);
		const seen = [];
		for (let after = null, more = true; more; ) {
			const { page } = await data(org, `query ($after: String) { page: dagsConnection(first: 7, after: $after, sort: [${sort}]) {
				totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, { after });
			assert.equal(page.pageInfo.hasPreviousPage, after !== null);
			assert.equal(page.pageInfo.endCursor, page.edges.at(-1).cursor);
			assert.equal(page.pageInfo.startCursor, page.edges[0].cursor);
			assert.ok(page.totalCount >= before.length);
			seen.push(...page.edges.map((e) => e.node.name));
			if (after === null) await insert(before.length + 1, before.length + 3);
			[after, more] = [page.pageInfo.endCursor, page.pageInfo.hasNextPage];
		}
		assert.equal(new Set(seen).size, seen.length, sort);
		assert.deepEqual(seen.filter((n) => before.includes(n)), before, sort);
	}
	const { dags } = await data(org, "{ dags(sort: [{field: NAME}], limit: 2, offset: 3) { name } }");
	assert.deepEqual(dags.map((d) => d.name), ["p004", "p005"]);
	const { page } = await data(org, "{ page: dagsConnection(first: 1) { pageInfo { endCursor } } }");
	const other = await ask(org, "query ($c: String) { dags(after: $c, sort: [{field: STATUS}]) { id } }", { c: page.pageInfo.endCursor });
	assert.deepEqual(codes(other), ["invalid_cursor"]);
	for (const c of ["", "x", "AAAA", "%", "MDAwMDAwMDA5OTk5OTk6"]) assert.deepEqual(codes(await ask(org, "query ($c: String) { dags(after: $c) { id } }", { c })), ["invalid_cursor"]);
});

test("nothing of another organization is found, whatever its ids are given to", async () => {
	const node = run.execution.id.slice(0, 28) + "00000001";
	const got = await data(them, `query ($dag: ID!, $execution: ID!, $node: ID!, $organization: ID!, $user: ID!) {
		dag(id: $dag) { id } execution(id: $execution) { id } nodeExecution(id: $node) { id } organization(id: $organization) { id } user(id: $user) { id }
		executions(dagId: $dag) { id } dagVersions(dagId: $dag) { id } nodeExecutions(executionId: $execution) { id } signals(executionId: $execution) { id }
		elements(nodeExecutionId: $node) { elementIndex } dags(filters: {id: {eq: $dag}}) { id } dagsConnection(filters: {executions: {id: {eq: $execution}}}) { totalCount nodes { id } }
	}`, { dag: dag.id, execution: run.execution.id, node, organization: us.org.id ?? run.execution.relationships.organization.data.id, user: run.execution.relationships["triggered-by"].data?.id ?? node });
	const { dagsConnection, ...rest } = got;
	for (const [field, value] of Object.entries(rest)) assert.ok(value === null || value.length === 0, `${field}: ${JSON.stringify(value)}`);
	assert.deepEqual(dagsConnection, { totalCount: 0, nodes: [] });
});

test("what only admins read is forbidden to others, as in REST", async () => {
	const user = await server.makeUser(us.org, { role: "user" });
	const member = { token: await server.makeToken(user) };
	assert.deepEqual(codes(await ask(member, "{ secrets { name } }")), ["forbidden"]);
	assert.deepEqual(codes(await ask(member, "{ auditLog { action } }")), ["forbidden"]);
	assert.ok(Array.isArray((await data(us, "{ auditLog(first: 5) { action at } secrets { name } apiTokens { prefix scopes } sessions { id } }")).auditLog));
});

test("a fault of a field has its place and path, and null goes as far as it must", async () => {
	const answer = await ask(us, "{\n  ok: currentUser { id }\n  many: dags(limit: 5000) { id }\n}");
	assert.equal(answer.data, null);
	assert.deepEqual(answer.errors.map((e) => [e.locations, e.path, e.extensions.code]), [[[{ line: 3, column: 21 }], ["many"], "invalid_argument"]]);
	assert.equal((await ask(us, "{ dag(id: ")).status, 400);
	assert.deepEqual(codes(await ask(us, "{ nothing }")), ["graphql_validation"]);
	assert.deepEqual(codes(await ask(us, "query ($n: Int!) { dags(limit: $n) { id } }", {})), ["invalid_variable"]);
	const variable = async (type, where, v) => (await ask(us, `query ($v: ${type}) { ${where} { id } }`, { v })).errors?.map((e) => [e.extensions.code, e.locations[0].column, /"(\$[^"]*)"/.exec(e.message)[1]]) ?? [];
	const filters = (v) => variable("ExecutionFilters", "executions(filters: $v)", v);
	assert.deepEqual(await filters({ and: [{}, { insertedAt: { gt: "yesterday" } }, { duration: { lt: "soon" } }] }), [
		["invalid_variable", 8, "$v.and[1].insertedAt.gt"], ["invalid_variable", 8, "$v.and[2].duration.lt"]]);
	assert.deepEqual(await filters({ nothing: 1 }), [["invalid_variable", 8, "$v"]]);
	assert.deepEqual(await filters({ insertedAt: { gt: "2020-01-01T00:00:00Z" }, duration: { lt: "PT1H" } }), []);
	for (const limit of [2147483648, 1.5, "1", [1, 2], true, {}]) assert.deepEqual(await variable("Int", "dags(limit: $v)", limit), [["invalid_variable", 8, "$v"]], JSON.stringify(limit));
	assert.deepEqual(await variable("Int", "dags(limit: $v)", 1.0), []);
	const odd = await ask(us, "{ executions(filters: {insertedAt: {gt: \"yesterday\"}}) { id } }");
	assert.deepEqual(codes(odd), ["invalid_argument"]);
	assert.ok(!JSON.stringify(odd).includes("select"));
});

test("a member learns others' addresses and sign-ins by no filter, count or sort, here or through relations", async () => {
	const member = await server.makeUser(us.org, { role: "user" });
	const asMember = { token: await server.makeToken(member) };
	const { currentUser: admin } = await data(us, "{ currentUser { id email } }");
	const { currentUser: self } = await data(asMember, "{ currentUser { id } }");
	assert.equal(admin.email, us.user.email);
	const found = (client, email) => data(client, `query ($u: UserFilters!, $d: DAGFilters!) {
		users(filters: $u) { id email lastSignIn } usersConnection(filters: $u) { totalCount } dags(filters: $d) { id } }`,
	{ u: { id: { eq: admin.id }, email }, d: { creator: { id: { eq: admin.id }, email } } });
	for (const email of [{ eq: admin.email }, { like: "%@%" }, { ilike: "USER%" }, { contains: "@" }, { in: [admin.email] }, { gte: "" }, { isNil: false }]) {
		const theirs = await found(us, email);
		assert.deepEqual([theirs.users.length, theirs.usersConnection.totalCount], [1, 1], JSON.stringify(email));
		assert.deepEqual(await found(asMember, email), { users: [], usersConnection: { totalCount: 0 }, dags: [] }, JSON.stringify(email));
	}
	assert.equal((await found(us, { eq: admin.email })).dags.length, 2);
	const hidden = (await found(asMember, { isNil: true })).users;
	assert.deepEqual(hidden, [{ id: admin.id, email: null, lastSignIn: null }]);
	// Their order is that of the ids: addresses and sign-ins that nobody shows don't take part.
	for (const [email, name] of [["zz@example.test", "z"], ["aa@example.test", "a"]]) await server.makeUser(us.org, { role: "user", email: `${name}${us.org.slug}.${email}` });
	const others = { not: { id: { eq: self.id } } };
	const order = async (sort) => (await data(asMember, "query ($f: UserFilters!, $s: [UserSort!]) { users(filters: $f, sort: $s) { id } }", { f: others, s: sort })).users.map((u) => u.id);
	const byId = await order([{ field: "ID" }]);
	assert.ok(byId.length >= 3);
	for (const field of ["EMAIL", "LAST_SIGN_IN"]) assert.deepEqual(await order([{ field }, { field: "ID" }]), byId, field);
});

test("skip and include decide with the variables of each request", async () => {
	const query = "query ($all: Boolean!) { currentUser { id email @include(if: $all) role @skip(if: $all) ...F @include(if: $all) } } fragment F on User { name }";
	for (const all of [true, false, true]) {
		const { currentUser } = await data(us, query, { all });
		assert.deepEqual(Object.keys(currentUser), all ? ["id", "email", "name"] : ["id", "role"]);
	}
});

test("each root field is one statement, whatever is nested in it", async () => {
	const asked = async () => Number(/^\S*database_queries_total (\d+)/m.exec((await server.api("GET", "/metrics")).text)[1]);
	const count = async (query) => {
		await data(us, query); // Whose token it is, is known from here on.
		const before = await asked();
		await data(us, query);
		return (await asked()) - before;
	};
	assert.equal(await count("{ __typename }"), 0);
	assert.equal(await count("{ dags { creator { name } versions { number } executions { nodeExecutions { nodeName } dag { name } } } }"), 1);
	assert.equal(await count("{ dags { id } executionsConnection { totalCount edges { node { children { id } } } } currentUser { id } }"), 3);
});

test("no plan is told unless the setting is on", async () => {
	const answer = await server.api("POST", "/graphql", { token: us.token, type: "application/json",
		headers: { "x-explain": "true" }, body: { query: "{ dags { id } }", extensions: { explain: true } } });
	assert.deepEqual(Object.keys(answer.json), ["data"]);
});
