// GraphQL over HTTP: npm's audits of servers, and what they don't ask.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before } from "node:test";

import { ROOT, startServer, test, unique } from "../integration/harness.mjs";

// The package's index would load the reference implementation, which needs a newer Node; the audits stand alone.
const { serverAudits } = createRequire(import.meta.url)(path.join(ROOT, "build/clients/node_modules/graphql-http/lib/audits/server.js"));

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

const authorized = (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${client.token}` } });

async function post(body, { accept = "application/json", type = "application/json", method = "POST", url = "/graphql" } = {}) {
	const response = await authorized(server.url + url, { method, headers: { ...(accept && { accept }), ...(type && { "content-type": type }) },
		body: method === "GET" ? undefined : typeof body === "string" ? body : JSON.stringify(body) });
	const text = await response.text();
	return { status: response.status, type: response.headers.get("content-type"), headers: response.headers, text, json: text === "" ? null : JSON.parse(text) };
}

test("every audit of graphql-http holds: each MUST, SHOULD and MAY", async () => {
	const audits = serverAudits({ url: `${server.url}/graphql`, fetchFn: authorized });
	assert.ok(audits.length >= 60, `${audits.length} audits`);
	const told = [];
	for (const audit of audits) {
		const result = await audit.fn();
		if (result.status !== "ok") told.push(`${audit.id} ${audit.name}: ${result.status} ${result.reason}`);
	}
	assert.deepEqual(told, []);
});

test("media types: the newer is answered where it is wanted as much, others are 406", async () => {
	const asked = async (accept) => (await post({ query: "{ __typename }" }, { accept })).type?.split(";")[0];
	const [newer, older] = ["application/graphql-response+json", "application/json"];
	assert.equal(await asked(`${newer}, ${older}`), newer);
	assert.equal(await asked(`${older}, ${newer}`), newer);
	assert.equal(await asked(`${newer};q=0.5, ${older};q=0.9`), older);
	assert.equal(await asked("*/*"), older);
	assert.equal(await asked("text/html, application/*;q=0.1"), older);
	for (const accept of ["text/html", "application/json;q=0", "application/json; charset=iso-8859-1"]) {
		assert.equal((await post({ query: "{ __typename }" }, { accept })).status, 406, accept);
	}
});

test("statuses: 405 and what is allowed, 413, 415, batches refused", async () => {
	const put = await post({ query: "{ __typename }" }, { method: "PUT" });
	assert.equal(put.status, 405);
	assert.match(put.headers.get("allow"), /GET.*POST|POST.*GET/);
	assert.equal((await post("query={__typename}", { type: "application/x-www-form-urlencoded" })).status, 415);
	assert.equal((await post("{}", { type: "application/json; charset=utf-16" })).status, 415);
	const batch = await post([{ query: "{ __typename }" }]);
	assert.deepEqual([batch.status, batch.json.errors[0].extensions.code], [400, "batching_not_supported"]);
	assert.equal((await post(`{"query": "${"#".repeat(6 * 1024 * 1024)}"}`).catch(() => ({ status: 413 }))).status, 413);
	for (const body of ["", "{", "null", "7", "{}", { query: 7 }, { query: "{ __typename }", variables: [] }, { query: "{ __typename }", extensions: "x" }]) {
		const answer = await post(body);
		assert.equal(answer.status, 400, JSON.stringify(body));
		assert.ok(answer.json.errors[0].message.length > 0);
		assert.ok(answer.json.errors[0].extensions.code.length > 0);
	}
});

test("GET asks queries and never changes anything", async () => {
	const get = (parameters, options) => post(null, { method: "GET", type: null, url: `/graphql?${new URLSearchParams(parameters)}`, ...options });
	assert.deepEqual((await get({ query: "query A($x: Boolean!) { __typename @skip(if: $x) } query B { b: __typename }", operationName: "B" })).json, { data: { b: "Query" } });
	assert.deepEqual((await get({ query: "query($x: Boolean!) { __typename @skip(if: $x) }", variables: '{"x": true}' })).json, { data: {} });
	const name = unique("dag");
	const query = `mutation { createDAG(input: {name: "${name}", definition: {nodes: [{name: "a"}]}}) { id } }`;
	const refused = await get({ query });
	assert.deepEqual([refused.status, refused.json.errors[0].extensions.code, refused.headers.get("allow")], [405, "method_not_allowed", "POST"]);
	const two = await get({ query: `query Q { __typename } ${query.replace("mutation", "mutation M")}`, operationName: "M" });
	assert.equal(two.status, 405);
	const dags = await post({ query: `{ dags(filters: {name: {eq: "${name}"}}) { id } }` });
	assert.deepEqual(dags.json, { data: { dags: [] } });
});

test("without credentials, or with wrong ones, GraphQL answers 401 in its own form", async () => {
	for (const authorization of [undefined, "Bearer nonsense"]) {
		const response = await fetch(`${server.url}/graphql`, { method: "POST", body: JSON.stringify({ query: "{ dags { id } }" }),
			headers: { "content-type": "application/json", ...(authorization && { authorization }) } });
		assert.equal(response.status, 401);
		assert.match(response.headers.get("www-authenticate"), /^Bearer/);
		const [error] = (await response.json()).errors;
		assert.ok(["unauthorized", "invalid_token"].includes(error.extensions.code), JSON.stringify(error));
		assert.ok(error.message.length > 0);
	}
});

test("an operation that was sent with its hash can be asked for by the hash alone", async () => {
	const query = `query Persisted { dags(limit: 1) { id } } # ${unique("p")}`;
	const sha256Hash = createHash("sha256").update(query).digest("hex");
	const extensions = { persistedQuery: { version: 1, sha256Hash } };
	const first = await post({ extensions });
	assert.equal(first.json.errors[0].message, "PersistedQueryNotFound");
	assert.equal(first.json.errors[0].extensions.code, "PERSISTED_QUERY_NOT_FOUND");
	// Each worker remembers for itself: a client sends both again wherever it must, as Apollo's does.
	for (let i = 0; i < 20; i++) {
		const alone = await post({ extensions });
		const answer = alone.json.errors === undefined ? alone : await post({ query, extensions });
		assert.ok(Array.isArray(answer.json.data.dags), answer.text);
	}
	const wrong = await post({ query: "{ __typename }", extensions });
	assert.deepEqual([wrong.status, wrong.json.errors[0].extensions.code], [400, "invalid_request"]);
	assert.equal((await post({ extensions: { persistedQuery: { version: 2, sha256Hash } } })).status, 400);
});

test("with graphql_status_codes at draft: 400 what can't be read, 422 what is refused, 294 data beside errors; application/json as ever", async () => {
	const drafted = await startServer({ env: { OPEN_GRAPHQL_STATUS_CODES: "draft" } });
	try {
		const { token } = await drafted.makeClient();
		const status = async (body, accept) => {
			const response = await fetch(`${drafted.url}/graphql`, { method: "POST", headers: { accept, authorization: `Bearer ${token}`, "content-type": "application/json" },
				body: typeof body === "string" ? body : JSON.stringify(body) });
			const answer = await response.json();
			return [response.status, "data" in answer, answer.errors?.[0].extensions.code];
		};
		const [newer, older] = ["application/graphql-response+json", "application/json"];
		const cases = [
			["{", 400, 400], [{ query: "{" }, 400, 200], [{ query: "{ nothing }" }, 422, 200], [{ query: "query A { a: __typename } query B { b: __typename }" }, 422, 200],
			[{ query: "query ($n: Int!) { dags(limit: $n) { id } }" }, 422, 200], [{}, 422, 400], [{ query: 7 }, 422, 400], [{ query: "{ __typename }", variables: [7] }, 422, 400], [[], 422, 400],
			[{ query: "{ __typename }" }, 200, 200], [{ query: '{ __typename dag(id: "none") { id } }' }, 200, 200],
			[{ query: "{ __typename dags(limit: 5000) { id } }" }, 294, 200], [{ query: 'mutation { archiveDAG(id: "none") { id } }' }, 294, 200],
		];
		for (const [body, wanted, before] of cases) {
			const got = await status(body, newer);
			assert.equal(got[0], wanted, JSON.stringify([body, got]));
			assert.equal(got[1], wanted < 300, JSON.stringify([body, got]));
			assert.equal((await status(body, older))[0], before, JSON.stringify(body));
		}
	} finally {
		await drafted.stop();
	}
});
