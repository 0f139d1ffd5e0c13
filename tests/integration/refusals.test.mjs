// What the database refuses, what it holds damaged, and what a server must not lose because of it.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { byName, lua, recordFaults, shell, soundRecord, startServer, test, until } from "./harness.mjs";

let server;
let client;

before(async () => {
	server = await startServer();
	client = await server.makeClient();
});
after(() => server?.stop());

// --- the journal ---------------------------------------------------------------------------------------------------

test("one entry that the database refuses is written without results, all others whole", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return {word = context.word}") }, { name: "b", dependencies: ["a"], ...lua("return 1") }] });
	await server.psql("alter table open.node_history add constraint no_poison check (results is null or results::text not like '%poison%') not valid");
	try {
		const words = Array.from({ length: 60 }, (_, i) => (i === 37 ? "poison" : `word${i}`));
		const started = await Promise.all(words.map((word) => client.start(dag, { word })));
		for (const e of started) await client.finished(e.id);
		for (const [i, e] of started.entries()) {
			const { execution, nodes } = await client.withNodes(e.id);
			assert.equal(execution.attributes.status, "success");
			assert.equal(nodes.a.status, "success", `execution ${i}`);
			assert.equal(nodes.b.status, "success", `execution ${i}`);
			assert.deepEqual(nodes.a.result, i === 37 ? null : { word: words[i] });
		}
		assert.deepEqual(await recordFaults(server, started.map((e) => e.id)), soundRecord);
	} finally {
		await server.psql("alter table open.node_history drop constraint no_poison");
	}
});

test("an entry that the database never takes is given up; those after it are written", async () => {
	const dag = await client.active({ nodes: [{ name: "a", ...lua("return 1") }] });
	await server.psql(`create function open.refuse() returns trigger language plpgsql as $$ begin
		if new.organization_id = '${client.org.id}' then raise 'never' using errcode = '22000'; end if; return new; end $$;
		create trigger refuse before insert on open.node_history for each row execute function open.refuse()`);
	const other = await server.makeClient();
	const fine = await other.active({ nodes: [{ name: "a", ...lua("return 1") }] });
	try {
		const lost = await client.start(dag);
		const kept = await Promise.all(Array.from({ length: 20 }, () => other.start(fine)));
		for (const e of kept) assert.equal((await other.finished(e.id)).attributes.status, "success");
		await until("the log tells what is not recorded", () => server.log().includes(`${lost.id}: 1 completions of nodes are not recorded`));
	} finally {
		await server.psql("drop trigger refuse on open.node_history; drop function open.refuse()");
	}
	const again = await client.run(dag);
	assert.equal(again.nodes.a.result, 1);
});

test("results that jsonb can't hold don't hide an execution and its nodes", async () => {
	for (const [what, node] of [
		["a NUL in a string", lua("return {s = 'a\\0b'}")],
		["a number beyond all limits", shell(`printf '{"n": 1e999999}'`)],
		["a NUL that a command escaped", shell(`printf '{"s": "a\\\\u0000b"}'`)],
		["a lone surrogate", shell(`printf '"\\\\ud800"'`)],
		["a deep array", shell("head -c 30000 /dev/zero | tr '\\0' '['; head -c 30000 /dev/zero | tr '\\0' ']'")],
	]) {
		const dag = await client.active({ nodes: [{ name: "a", ...node }, { name: "b", dependencies: ["a"], trigger: "all_done", ...lua("return 2") }] });
		const e = await client.start(dag);
		const { attributes } = await client.finished(e.id);
		assert.ok(["success", "failed"].includes(attributes.status), what);
		const answer = await client.api("GET", `/api/v1/executions/${e.id}?include=node-executions`);
		assert.equal(answer.status, 200, `${what}: ${answer.text}`);
		const nodes = byName(answer.json.included);
		assert.ok(["success", "failed"].includes(nodes.a.status), `${what}: ${JSON.stringify(nodes.a)}`);
		assert.equal(nodes.b.result, 2, what);
	}
});

// --- plans ---------------------------------------------------------------------------------------------------------

test("a plan that is damaged in the database is compiled again from its definition, and stored", async () => {
	for (const [damage, name] of [
		["set_byte(plan, length(plan) / 2, get_byte(plan, length(plan) / 2) # 255)", "a flipped byte"],
		["substring(plan for 40)", "a plan cut off"],
		["'\\x'::bytea", "an empty plan"],
	]) {
		const dag = await client.active({ nodes: [{ name: "a", ...lua(`return '${name}'`) }, { name: "b", dependencies: ["a"], ...lua("return nodes.a.result") }] });
		const [before] = await server.rows(`select encode(plan, 'hex') as plan, encode(plan_hash, 'hex') as hash from open.dag_versions where dag_id = '${dag.id}'`);
		await server.psql(`update open.dag_versions set plan = ${damage} where dag_id = '${dag.id}'`);
		const { execution, nodes } = await client.run(dag);
		assert.equal(execution.attributes.status, "success", name);
		assert.equal(nodes.b.result, name);
		const [after] = await server.rows(`select encode(plan, 'hex') as plan, encode(plan_hash, 'hex') as hash from open.dag_versions where dag_id = '${dag.id}'`);
		assert.deepEqual(after, before, `${name}: the same program makes the same plan`);
	}
	assert.ok(server.log().includes("was compiled again"));
});

test("a version whose definition can't be compiled ends its executions with the reason", async () => {
	const dag = await client.active({ nodes: [{ name: "a" }] });
	await server.psql(`alter table open.dag_versions disable trigger dag_versions_immutable;
		update open.dag_versions set plan = '\\x', definition = '{"nodes": [{"name": "a", "op": "gone"}]}' where dag_id = '${dag.id}';
		alter table open.dag_versions enable trigger dag_versions_immutable`);
	const e = await client.start(dag);
	const { attributes } = await client.finished(e.id);
	assert.equal(attributes.status, "failed");
	assert.match(attributes.error_message, /gone/);
});
