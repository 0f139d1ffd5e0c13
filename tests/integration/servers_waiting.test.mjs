// Executions that wait - for a signal, for a child - while servers come and go: what any server is told reaches the one
// that runs them, and who takes them over knows all of it.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { lua, recordFaults, soundRecord, test, unique, until } from "./harness.mjs";
import { Pair } from "./pair.mjs";

const pair = new Pair();
let database;
let a, b;
let client; // speaks to a
let other; // speaks to b

before(async () => {
	await pair.start();
	({ database, a, b, client } = pair);
	other = pair.through(b);
});
after(() => pair.stop());

const waiting = (...signals) => ({ nodes: signals.map((signal, i) => ({
	name: `wait${i}`, op: "wait_for", with: { signal }, ...(i > 0 && { dependencies: [`wait${i - 1}`] }) })) });
const waits = (id) => until("it waits", async () => (await database.rows(`select from open.waits where execution_id = '${id}'`)).length === 1);
const childrenOf = (id) => other.get(`/api/v1/executions/${id}/children`);
const childOf = (id) => until("its child runs", async () => {
	const [one] = await childrenOf(id);
	return one?.attributes.status === "running" && one;
});

async function send(by, id, name, value) {
	const answer = await by.api("POST", `/api/v1/executions/${id}/signals`, { body: { data: { type: "signals", attributes: { name, value } } } });
	assert.equal(answer.status, 201, answer.text);
	return answer.json.data.attributes;
}

// The values of the signals that its two nodes took.
async function heard(id) {
	const { nodes } = await other.withNodes(id);
	return [nodes.wait0.result.value, nodes.wait1.result.value];
}

// An execution on a, whose node "inner" runs a child that waits for the signal "go".
async function parentAndChild(more = {}) {
	const name = unique("child");
	await client.active(waiting("go"), { name });
	const dag = await client.active({ nodes: [{ name: "inner", op: "dag", with: { name }, ...more },
		{ name: "read", ...lua("return nodes.inner.result.wait0.value", { dependencies: ["inner"] }) }] });
	const { id } = await client.start(dag, {});
	const child = await childOf(id);
	await waits(child.id);
	assert.equal(await pair.ownerOf(id), pair.idOf(a));
	return { id, child };
}

test("a signal sent to one server wakes the node on the other", async () => {
	const { id } = await client.start(await client.active(waiting("x", "y")), {});
	await waits(id);
	assert.equal((await send(other, id, "y", 2)).delivered, false);
	assert.equal((await send(other, id, "x", 1)).delivered, true);
	await other.finished(id);
	assert.deepEqual(await heard(id), [1, 2]);
	assert.equal(await pair.ownerOf(id), pair.idOf(a));
});

test("a signal sent while the server that waits for it is dead is heard by the one that takes over", async () => {
	await pair.bothSteady();
	const dag = await client.active(waiting("first", "second"));
	const ids = (await Promise.all(Array.from({ length: 20 }, () => client.start(dag, {})))).map((e) => e.id);
	for (const id of ids) await waits(id);
	for (const id of ids.slice(0, 10)) await send(client, id, "first", "before");
	await a.crash();
	// The lease runs on: nobody executes these now.
	for (const id of ids) await send(other, id, "second", id);
	for (const id of ids.slice(10)) await send(other, id, "first", "while dead");
	for (const [i, id] of ids.entries()) {
		assert.equal((await other.finished(id)).attributes.status, "success");
		assert.deepEqual(await heard(id), [i < 10 ? "before" : "while dead", id]);
		assert.deepEqual((await other.get(`/api/v1/executions/${id}/signals`)).map((s) => s.attributes.taken_attempt), [1, 1]);
	}
	assert.deepEqual(await recordFaults(database, ids), soundRecord);
	assert.deepEqual(await database.rows(`select from open.waits where execution_id in (${ids.map((id) => `'${id}'`).join(",")})`), []);
	await a.start();
});

test("parent and child survive their server's death: the child is not started twice, its result comes up", async () => {
	await pair.bothSteady();
	const all = await Promise.all(Array.from({ length: 5 }, () => parentAndChild()));
	await a.crash();
	// Some children hear before anyone took them over, some after.
	for (const { child } of all.slice(0, 2)) await send(other, child.id, "go", child.id);
	await until("the other one has all", async () => (await Promise.all(all.flatMap((one) => [one.id, one.child.id])
		.map(async (id) => (await pair.ownerOf(id)) === pair.idOf(b) || (await other.execution(id)).attributes.completed_at !== null))).every(Boolean));
	for (const { child } of all.slice(2)) await send(other, child.id, "go", child.id);
	for (const { id, child } of all) {
		const { attributes } = await other.finished(id);
		assert.equal(attributes.status, "success", JSON.stringify(attributes));
		assert.equal(attributes.result.read, child.id);
		assert.deepEqual((await childrenOf(id)).map((c) => c.id), [child.id]);
	}
	assert.deepEqual(await recordFaults(database, all.flatMap(({ id, child }) => [id, child.id])), soundRecord);
	await a.start();
});

test("parent on one server, child on the other: each side's death loses nothing", async () => {
	await pair.bothSteady();
	for (const dead of ["parent", "child"]) {
		const { id, child } = await parentAndChild();
		// As after a takeover in which only one of the two had to move.
		await database.psql(`update open.executions set server_id = '${pair.idOf(b)}' where id = '${dead === "parent" ? child.id : id}'`);
		await a.crash();
		await b.crash();
		await b.start();
		await send(other, child.id, "go", 7);
		assert.equal((await other.finished(id)).attributes.result.read, 7);
		assert.deepEqual((await childrenOf(id)).map((c) => c.id), [child.id]);
		await a.start();
		await pair.bothSteady();
	}
});

test("a cancel through the other server goes down to the child, dead server or not", async () => {
	const living = await parentAndChild();
	assert.equal((await other.cancel(living.id)).status, 202);
	for (const one of [living.id, living.child.id]) assert.equal((await other.finished(one)).attributes.status, "cancelled");

	await pair.bothSteady();
	const { id, child } = await parentAndChild();
	await a.crash();
	assert.equal((await other.cancel(id)).status, 202);
	for (const one of [id, child.id]) assert.equal((await other.finished(one)).attributes.status, "cancelled");
	await a.start();
});

test("a child that someone cancels while its parent's server is dead fails the parent's node after the takeover", async () => {
	await pair.bothSteady();
	const { id, child } = await parentAndChild();
	await a.crash();
	assert.equal((await other.cancel(child.id)).status, 202);
	assert.equal((await other.finished(child.id)).attributes.status, "cancelled");
	const { attributes } = await other.finished(id);
	assert.equal(attributes.status, "failed");
	assert.match((await other.withNodes(id)).nodes.inner.error, /was cancelled/);
	await a.start();
});
