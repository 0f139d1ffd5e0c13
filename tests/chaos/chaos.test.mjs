// Two servers on one database; their parents, workers and runners and the database's backends and postmaster are killed
// with kill -9 at random, under load. CHAOS_SECONDS (20; `./build.sh test chaos`: 300) says for how long, CHAOS_SEED
// repeats the choices.
//
// lost       an execution that was acknowledged (201) and has not ended, or has not ended with success
// run twice  a node that did something after its completion was committed: the time of a line or a request, seen from
//            outside, against PostgreSQL's own time of the commit (track_commit_timestamp), both of this machine's clock
import assert from "node:assert/strict";
import { before, after } from "node:test";
import path from "node:path";
import { Client, Server, SLOW, freePort, temporary, test, until } from "../integration/harness.mjs";
import { Effects, Load, definitions, random } from "./load.mjs";
import { Faults } from "./faults.mjs";

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 20);
const SEED = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1e9));
const EACH = Math.max(1, Math.floor(SECONDS / 15)); // kills of each kind: 20 in 5 minutes
const AWAY = SECONDS >= 300 ? 60 : 8; // seconds without PostgreSQL
const LEASE = 5;

let database;
let servers = [];
let clients, dags, effects;
const next = random(SEED);

before(async () => {
	database = new Server({ data: temporary(), port: await freePort(), env: {} });
	await database.database("start");
	await database.psql("alter system set track_commit_timestamp = on", { role: "postgres", database: "postgres" });
	await database.database("stop");
	await database.database("start");
	const url = await database.database("url");
	for (let i = 0; i < 2; i++) {
		const server = new Server({
			data: temporary(), port: await freePort(), env: {
				OPEN_WORKERS: "2", OPEN_COMMAND_SANDBOX: "off", OPEN_LEASE: `${LEASE}s`, OPEN_REQUEST_TIMEOUT: "5s", OPEN_DATABASE_URL: url,
				OPEN_DATABASE_OWNER_URL: url.replace("open_login", "open_owner"), OPEN_SECRET_KEY_FILE: path.join(database.data, "secret-key"),
			},
		});
		server.socketFolder = database.sockets();
		server.keep = true; // A start that fails must not take the folder away.
		servers.push(await server.start());
	}
	effects = await new Effects(path.join(database.data, "effects")).listen();
	const client = await servers[0].makeClient();
	await servers[0].ctl(["org", "set", "allow_private_addresses=true", "--slug", client.org.slug]);
	clients = servers.map((s) => new Client(s, client.org, client.user, client.token));
	dags = [];
	for (const [name, definition] of Object.entries(definitions(effects))) dags.push(await client.active(definition, { name }));
});
after(async () => {
	await effects?.close();
	for (const server of servers) {
		server.keep = false;
		await server.stop();
	}
	await database?.database("stop").catch(() => {});
	await database?.destroy();
});

const one = async (query) => (await database.rows(query))[0];

const nothingOpen = (seconds) => until("every execution has ended", async () => {
	const { open } = await one("select count(*)::integer as open from open.executions where completed_at is null");
	return open === 0;
}, { seconds, every: 200 });

// Acknowledged executions that are not there, or did not end as they must.
async function lost(accepted) {
	return database.rows(`select a.id, e.status, e.error_message
		from unnest('{${accepted.join(",")}}'::uuid[]) a(id) left join open.executions e on e.id = a.id
		where e.status is distinct from 'success'`);
}

// Completions (never more than one of a node, or an element of one) with the time of their commit.
const COMPLETIONS = `select h.execution_id, c.node, c.element, c.state, pg_xact_commit_timestamp(h.xmin) as committed
	from open.node_history h
	cross join lateral unnest(h.nodes, h.states, h.elements) c(node, state, element)
	where c.state in ('s', 'f', 'k', 'c')`;

async function recordedTwice() {
	return database.rows(`select execution_id, node, element, count(*) from (${COMPLETIONS}) c group by 1, 2, 3 having count(*) > 1`);
}

// What was seen from outside, with the commit of its completion: every one must have one.
async function ranTwice() {
	const seen = effects.all();
	const values = seen.map(([e, n, t]) => `('${e}'::uuid,'${n}',${t}::bigint)`);
	const rows = await database.rows(`select r.*, c.committed, r.at > extract(epoch from c.committed) * 1000000 as twice
		from (values ${values.join(",")}) r(execution_id, name, at)
		join open.executions e on e.id = r.execution_id
		join open.dag_versions v on v.id = e.dag_version_id
		join (${COMPLETIONS}) c on c.execution_id = r.execution_id and v.node_names[c.node + 1] = split_part(r.name, '.', 1)
		                    and c.element is not distinct from nullif(split_part(r.name, '.', 2), '')::integer`,
	{ first: "set enable_nestloop = off" });
	assert.equal(rows.length, seen.length);
	return rows.filter((r) => r.twice);
}

// Nodes of ended executions without a completion, where completions are kept.
async function missing() {
	return database.rows(`select e.id, v.node_names[n.node + 1] as node
		from open.executions e
		join open.dag_versions v on v.id = e.dag_version_id and v.durability <> 'memory'
		cross join lateral generate_series(0, v.node_count - 1) n(node)
		where not exists (select from (${COMPLETIONS}) c where c.execution_id = e.id and c.node = n.node and c.element is null)
		limit 10`);
}

// No slot and no lease stays behind.
async function atRest() {
	for (const server of servers) {
		await until("no execution is in memory", async () => /^open_executions 0$/m.test((await server.api("GET", "/metrics")).text));
		await until("the server is ready", async () => (await server.api("GET", "/readyz")).status === 200);
		await until("all workers are there", () => server.workers().length === 2);
	}
	await until("both servers work, and nobody else", async () => {
		const rows = await database.rows("select id, ended_at is null and lease_until > now() as alive from open.servers");
		return rows.length === 2 && rows.every((r) => r.alive);
	});
}

async function judge(t, load, faults) {
	await nothingOpen(120);
	const gone = await lost(load.accepted);
	const twice = await ranTwice();
	const recorded = await recordedTwice();
	const { ended } = await one("select count(*)::integer as ended from open.executions");
	const kills = Object.entries(faults ?? {}).map(([kind, n]) => `${kind} ${n}`).join(", ");
	const line = `acknowledged ${load.accepted.length}, finished ${load.accepted.length - gone.length}, lost ${gone.length}, run twice ${twice.length}`
		+ ` | kills: ${kills || "none"} | refused ${load.refused}, without answer ${load.unknown}, ended in all ${ended},`
		+ ` effects ${effects.all().length} | seed ${SEED}`;
	t.diagnostic(line);
	console.log(`chaos: ${line}`);
	assert.deepEqual({ lost: gone.slice(0, 10), twice: twice.slice(0, 10), recorded: recorded.slice(0, 10), missing: await missing() },
		{ lost: [], twice: [], recorded: [], missing: [] });
	assert.ok(load.accepted.length > 0);
}

test(`everything is killed at random for ${SECONDS} s under load: nothing acknowledged is lost, nothing durable runs twice`, async (t) => {
	const load = new Load(clients, dags, next);
	const faults = new Faults({ database, servers, next, seconds: SECONDS * SLOW, most: EACH });
	try {
		await faults.run();
	} finally {
		await load.stop();
		console.log(`chaos: killed ${JSON.stringify(faults.counts)}, acknowledged ${load.accepted.length}`);
	}
	await atRest();
	await judge(t, load, faults.counts);
	for (const kind of ["parent", "worker", "runner", "backend", "postmaster"]) assert.ok(faults.counts[kind] >= EACH, kind);
	await atRest();
});

test(`PostgreSQL is away for ${AWAY} s under load: starts are refused, everything goes on, and no server loses its executions`, async (t) => {
	await until("both servers are steady", async () => (await one(`select count(*)::integer as n from open.servers
		where ended_at is null and lease_until > now() and steady_at < now() - lease`)).n === 2);
	const epochs = await database.rows("select id, epoch from open.servers order by id");
	const load = new Load(clients, dags, next);
	await until("some are acknowledged", () => load.accepted.length > 20);
	await database.database("stop");
	const began = Date.now();
	const before = load.refused;
	await until("starts are refused", () => load.refused > before + 5);
	await until("the time is over", () => Date.now() - began > AWAY * 1000, { seconds: AWAY + 20, every: 200 });
	await database.database("start");
	const more = load.accepted.length;
	await until("starts are accepted again", () => load.accepted.length > more + 5);
	await load.stop();
	await atRest();
	await judge(t, load);
	assert.deepEqual(await database.rows("select id, epoch from open.servers order by id"), epochs);
});
