// harness.mjs - a whole server for a test file: `./build.sh run` with a data folder and a port of its own.
//
// Everything waits for a state with a deadline (until); nothing sleeps and hopes. Nothing here knows the inside of the
// server: it is watched through HTTP, openctl, SQL and /proc.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import nodeTest from "node:test";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const FLAVOR = process.env.FLAVOR || "release";
export const OPENCTL = path.join(ROOT, "build", FLAVOR, "openctl");
export const JSONAPI = "application/vnd.api+json";
// Sanitizers and emulated machines are slower; deadlines are there to end a test, not to measure.
export const SLOW = FLAVOR === "asan" ? 4 : 1;

const servers = new Set();

// --- time and claims ---------------------------------------------------------------------------------------------

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Polls fn until it returns something true; its last error or value is told when the time is over.
export async function until(what, fn, { seconds = 20, every = 25 } = {}) {
	const end = Date.now() + seconds * 1000 * SLOW;
	let last;
	for (;;) {
		try {
			last = await fn();
			if (last) return last;
		} catch (error) {
			last = error;
		}
		if (Date.now() > end) {
			const told = last instanceof Error ? last.stack : JSON.stringify(last);
			throw new Error(`waited ${seconds * SLOW} s in vain: ${what} (last: ${told})`);
		}
		await pause(every);
	}
}

// A test that shows what the servers said when its claim doesn't hold.
export function test(claim, options, fn) {
	if (typeof options === "function") [options, fn] = [{}, options];
	return nodeTest(claim, options, async (t) => {
		try {
			await fn(t);
		} catch (error) {
			for (const server of servers) {
				console.error(`--- the server's last lines (${server.data}):\n${server.tail(60)}\n---`);
			}
			throw error;
		}
	});
}

// --- processes ---------------------------------------------------------------------------------------------------

function readProc(pid, file) {
	try {
		return fs.readFileSync(`/proc/${pid}/${file}`, "latin1");
	} catch {
		return "";
	}
}

// Every process: {pid, parent, state, started, command}; a pid with its start time names a process for ever.
export function processes() {
	const all = [];
	for (const name of fs.readdirSync("/proc")) {
		if (!/^\d+$/.test(name)) continue;
		const stat = readProc(name, "stat");
		const close = stat.lastIndexOf(")");
		if (close < 0) continue;
		const fields = stat.slice(close + 2).split(" ");
		all.push({
			pid: Number(name),
			name: stat.slice(stat.indexOf("(") + 1, close),
			state: fields[0],
			parent: Number(fields[1]),
			started: fields[19],
			command: readProc(name, "cmdline").replaceAll("\0", " ").trim(),
		});
	}
	return all;
}

// A time of the API as text that sorts: PostgreSQL leaves out trailing zeros of the fraction, and "…1Z" > "…12Z".
export function instant(time) {
	const [, second, fraction = ""] = /^(.{19})(?:\.(\d{1,6}))?Z$/.exec(time);
	return `${second}.${fraction.padEnd(6, "0")}`;
}

export function alive(process) {
	return processes().some((p) => p.pid === process.pid && p.started === process.started && p.state !== "Z");
}

function descendants(roots, all = processes()) {
	const found = new Map();
	const visit = (pid) => {
		if (found.has(pid)) return;
		const self = all.find((p) => p.pid === pid);
		if (!self) return;
		found.set(pid, self);
		for (const p of all) if (p.parent === pid) visit(p.pid);
	};
	roots.forEach(visit);
	return [...found.values()];
}

// --- running things ----------------------------------------------------------------------------------------------

// Runs a program to its end: {code, stdout, stderr}. Never blocks the event loop.
export function execute(file, args, { stdin = "", env = {}, cwd = ROOT, seconds = 120 } = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
		const out = [];
		const err = [];
		const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1000 * SLOW);
		child.stdout.on("data", (d) => out.push(d));
		child.stderr.on("data", (d) => err.push(d));
		child.stdin.on("error", () => {}); // It need not read all of it.
		child.on("error", reject);
		child.on("close", (code, signal) => {
			clearTimeout(timer);
			resolve({ code: signal ?? code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
		});
		child.stdin.end(stdin);
	});
}

export function freePort() {
	return new Promise((resolve, reject) => {
		const probe = net.createServer();
		probe.on("error", reject);
		probe.listen(0, "127.0.0.1", () => {
			const { port } = probe.address();
			probe.close(() => resolve(port));
		});
	});
}

// A folder that other users of the machine may enter: the cluster runs as one of its own when we are root.
export function temporary(name = "open-test-") {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), name));
	fs.chmodSync(folder, 0o755);
	return folder;
}

export const unique = (prefix) => `${prefix}-${randomBytes(5).toString("hex")}`;

// --- the server --------------------------------------------------------------------------------------------------

export class Server {
	constructor({ data, port, env }) {
		this.data = data;
		this.port = port;
		this.url = `http://127.0.0.1:${port}`;
		this.output = [];
		this.env = {
			OPEN_DATA: data,
			OPEN_LISTEN: `127.0.0.1:${port}`,
			OPEN_DATABASE_URL: undefined, // The private cluster, whatever surrounds the tests.
			OPEN_DATABASE_OWNER_URL: undefined,
			OPEN_CONFIG: undefined,
			OPEN_ADMIN_PASSWORD: undefined,
			OPEN_ADMIN_EMAIL: undefined,
			FLAVOR,
			...env,
		};
	}

	// Starts and waits until it is able to serve; this.startup tells how many ms that took.
	// quiet: a start that fails is no news.
	async start({ seconds = 300, quiet = false } = {}) {
		const begin = Date.now();
		this.output.splice(0); // What an earlier run said was judged when it ended.
		this.child = spawn("./build.sh", ["run"], {
			cwd: ROOT,
			env: { ...process.env, ...this.env },
			detached: true, // A process group of its own, as a terminal would give it.
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.exited = new Promise((resolve) => this.child.on("close", (code, signal) => resolve(signal ?? code)));
		this.exitCode = undefined;
		this.child.on("exit", (code, signal) => (this.exitCode = signal ?? code));
		for (const stream of [this.child.stdout, this.child.stderr]) {
			stream.on("data", (d) => this.output.push(d.toString()));
		}
		servers.add(this);
		try {
			await until("the server is ready", async () => {
				if (this.exitCode !== undefined) return true;
				return (await this.api("GET", "/readyz")).status === 200;
			}, { seconds, every: 50 });
			if (this.exitCode !== undefined) throw new Error(`build.sh run ended with ${this.exitCode}`);
		} catch (error) {
			if (!quiet) console.error(this.log());
			await this.destroy();
			throw error;
		}
		this.startup = Date.now() - begin;
		return this;
	}

	log() {
		return this.output.join("");
	}

	tail(lines) {
		return this.log().split("\n").slice(-lines).join("\n");
	}

	// Everything that belongs to this server: build.sh and its children, the cluster and its children, whatever names our folder.
	processes() {
		const all = processes();
		const roots = all.filter((p) => p.pid === this.child?.pid || this.#marked(p)).map((p) => p.pid);
		return descendants(roots, all).filter((p) => p.pid !== process.pid && p.state !== "Z");
	}

	#marked(p) {
		if (p.pid === process.pid || p.parent === process.pid) return false;
		if (p.command.includes(this.data)) return true;
		try {
			if (`${fs.readlinkSync(`/proc/${p.pid}/cwd`)}/`.startsWith(`${this.data}/`)) return true;
		} catch {
			return false; // It ended meanwhile.
		}
		return readProc(p.pid, "environ").includes(`OPEN_DATA=${this.data}\0`);
	}

	koreParent() {
		const kores = this.processes().filter((p) => /^kore/.test(p.name));
		return kores.find((p) => !kores.some((other) => other.pid === p.parent));
	}

	// The workers, by what Kore writes into their command line.
	workers() {
		const parent = this.koreParent();
		return this.processes().filter((p) => p.parent === parent?.pid && /\[(wrk|worker) ?\d+\]/.test(p.command));
	}

	postmaster() {
		const pid = Number(fs.readFileSync(path.join(this.data, "pg/postmaster.pid"), "utf8").split("\n")[0]);
		return processes().find((p) => p.pid === pid);
	}

	// The folder of the cluster's socket, as the cluster itself tells it; it stays the same as long as the data folder.
	sockets() {
		this.socketFolder ??= fs.readFileSync(path.join(this.data, "pg/postmaster.pid"), "utf8").split("\n")[4];
		return this.socketFolder;
	}

	// `./build.sh database start|stop`: the private cluster alone.
	async database(action) {
		const { code, stdout, stderr } = await execute("./build.sh", ["database", action], { env: this.env });
		if (code !== 0) throw new Error(`build.sh database ${action} ended with ${code}: ${stderr}${stdout}`);
		return stdout.trim();
	}

	// Ctrl-C: the signal goes to the whole group, as a terminal sends it. Resolves with what is still there afterwards.
	async interrupt({ seconds = 40 } = {}) {
		const before = this.processes();
		process.kill(-this.child.pid, "SIGINT");
		await until("build.sh ends after Ctrl-C", () => this.exitCode !== undefined, { seconds });
		let left;
		await until("nothing is left behind", () => {
			left = before.filter(alive).concat(this.processes());
			return left.length === 0;
		}, { seconds: 3 }).catch(() => {});
		servers.delete(this);
		this.#judge();
		return left;
	}

	// Whatever a test was about: no sanitizer spoke, nothing was killed by the sandbox or by a fault of its own.
	#judge() {
		const ill = this.log().split("\n").filter((line) =>
			/Sanitizer|runtime error:|sandbox violation|[Aa]ssertion|exited with status (?!0$|9$)\d+/.test(line));
		if (ill.length > 0) throw new Error(`the server's log tells of faults:\n${ill.join("\n")}\n${this.tail(100)}`);
	}

	// The orderly end of a test file: Ctrl-C, and a claim that nothing remains.
	async stop() {
		if (!this.child) return;
		const running = this.exitCode === undefined;
		let left = this.processes();
		try {
			if (running) left = await this.interrupt();
			else this.#judge();
		} finally {
			await this.destroy();
		}
		if (left.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
	}

	// kill -9 of everything at once: as if the power failed, as far as processes go.
	async crash() {
		for (const p of this.processes()) kill(p, "SIGSTOP"); // None may see another one die, and end in order.
		await until("all are dead", () => {
			const all = this.processes(); // Again: who was killed last may have started others meanwhile.
			for (const p of all) kill(p);
			return all.length === 0;
		});
		await this.exited;
		servers.delete(this);
		this.#judge();
	}

	async destroy() {
		await until("all are dead", () => {
			const all = this.processes();
			for (const p of all) kill(p);
			return all.length === 0;
		}).catch(() => {});
		servers.delete(this);
		if (!this.keep) fs.rmSync(this.data, { recursive: true, force: true });
	}

	// --- talking to it ---

	// One request: {status, headers, type, text, json}. body: an object becomes JSON, strings and buffers go as they are.
	async api(method, target, { token, body, headers = {}, type = JSONAPI, seconds = 30 } = {}) {
		const all = { accept: target.startsWith("/graphql") ? "application/json" : JSONAPI, ...headers };
		if (token) all.authorization = `Bearer ${token}`;
		if (body !== undefined && type !== null) all["content-type"] = type;
		const raw = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
		const response = await fetch(target.startsWith("http") ? target : this.url + target, {
			method, headers: all, body: raw, redirect: "manual", signal: AbortSignal.timeout(seconds * 1000 * SLOW),
		});
		const text = await response.text();
		let json;
		try {
			json = JSON.parse(text);
		} catch {
			json = undefined;
		}
		return {
			status: response.status, headers: response.headers, text, json,
			type: (response.headers.get("content-type") ?? "").split(";")[0],
			codes: (json?.errors ?? []).map((e) => e.code ?? e.extensions?.code), // JSON:API's, or GraphQL's.
		};
	}

	openctl(args, options = {}) {
		return execute(OPENCTL, args, { ...options, env: { ...this.env, ...options.env } });
	}

	// openctl that must succeed; returns its stdout without the last newline.
	async ctl(args, options) {
		const { code, stdout, stderr } = await this.openctl(args, options);
		if (code !== 0) throw new Error(`openctl ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
		return stdout.replace(/\n$/, "");
	}

	// SQL as a script; stdout of psql without decoration. role: a login of the cluster.
	async psql(sql, { role = "open_owner", database = "open", ok = true } = {}) {
		const { code, stdout, stderr } = await execute("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
			"-h", this.sockets(), "-U", role, "-d", database, "-f", "-"], { stdin: sql });
		if (ok && code !== 0) throw new Error(`psql: ${stderr}`);
		return ok ? stdout.trimEnd() : { code, stdout: stdout.trimEnd(), stderr };
	}

	// Rows of one query, as objects.
	async rows(query, { first = "", ...options } = {}) {
		return JSON.parse(await this.psql(`${first};\nselect coalesce(json_agg(q), '[]') from (${query}) q`, options));
	}

	// --- making things ---

	async makeOrg({ commands = true, slug = unique("org") } = {}) {
		await this.ctl(["org", "create", slug, "--slug", slug, ...(commands ? ["--set", "allow_commands=true"] : [])]);
		const [{ id }] = await this.rows(`select id from open.organizations where slug = '${slug}'`);
		return { id, slug };
	}

	async allowCommands(slug, allowed) {
		await this.psql(`update open.organizations set settings = settings || '{"allow_commands": ${allowed}}' where slug = '${slug}'`);
	}

	async makeUser(org, { role = "admin", email = `${unique("user")}@example.test` } = {}) {
		await this.ctl(["user", "create", "--org", org.slug, "--email", email, "--role", role, "--password-stdin"],
			{ stdin: "correct horse battery staple\n" });
		return { email, org };
	}

	async makeToken(user, ...more) {
		return this.ctl(["token", "create", "--org", user.org.slug, "--user", user.email, ...more]);
	}

	// An organization with an admin and a client that speaks for it.
	async makeClient(options) {
		const org = await this.makeOrg(options);
		const user = await this.makeUser(org);
		return new Client(this, org, user, await this.makeToken(user));
	}

	// Writes a document to a file of its own; the file's path.
	write(name, text) {
		const folder = path.join(this.data, "documents");
		fs.mkdirSync(folder, { recursive: true });
		const file = path.join(folder, name);
		fs.writeFileSync(file, text);
		return file;
	}
}

export function kill(p, signal = "SIGKILL") {
	try {
		process.kill(p.pid, signal);
	} catch (error) {
		if (error.code !== "ESRCH") throw error;
	}
}

export async function startServer({ data = temporary(), env = {} } = {}) {
	return new Server({ data, port: await freePort(), env }).start();
}

// --- a client of the REST API --------------------------------------------------------------------------------------

export class Client {
	constructor(server, org, user, token) {
		Object.assign(this, { server, org, user, token });
	}

	api(method, target, options = {}) {
		return this.server.api(method, target, { token: this.token, ...options });
	}

	async #ok(method, target, body) {
		const answer = await this.api(method, target, body === undefined ? {} : { body });
		if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
		return answer.json?.data;
	}

	get(target) {
		return this.#ok("GET", target);
	}

	tryCreate(definition, { name = unique("dag"), description } = {}) {
		return this.api("POST", "/api/v1/dags", { body: { data: { type: "dags", attributes: { name, description, definition } } } });
	}

	async create(definition, options) {
		const answer = await this.tryCreate(definition, options);
		if (answer.status !== 201) throw new Error(`create: ${answer.status} ${answer.text}`);
		return answer.json.data;
	}

	update(id, attributes) {
		return this.api("PATCH", `/api/v1/dags/${id}`, { body: { data: { type: "dags", id, attributes } } });
	}

	activate(id) {
		return this.#ok("POST", `/api/v1/dags/${id}/activate`);
	}

	async active(definition, options) {
		const dag = await this.create(definition, options);
		return this.activate(dag.id);
	}

	tryStart(dag, context, more = {}) {
		return this.api("POST", "/api/v1/executions", {
			body: {
				data: {
					type: "executions",
					attributes: context === undefined ? {} : { context },
					relationships: { dag: { data: { type: "dags", id: dag.id ?? dag } } },
				},
			},
			...more,
		});
	}

	async start(dag, context) {
		const answer = await this.tryStart(dag, context);
		if (answer.status !== 201 && answer.status !== 202) throw new Error(`start: ${answer.status} ${answer.text}`);
		return answer.json.data;
	}

	execution(id) {
		return this.get(`/api/v1/executions/${id}`);
	}

	cancel(id) {
		return this.api("POST", `/api/v1/executions/${id}/cancel`);
	}

	pause(id) {
		return this.api("POST", `/api/v1/executions/${id}/pause`);
	}

	resume(id) {
		return this.api("POST", `/api/v1/executions/${id}/resume`);
	}

	// The execution once it has ended.
	finished(id, { seconds = 30 } = {}) {
		return until(`execution ${id} ends`, async () => {
			const execution = await this.execution(id);
			return ended(execution.attributes.status) && execution;
		}, { seconds });
	}

	// The execution with its nodes by name, in any state.
	async withNodes(id) {
		const answer = await this.api("GET", `/api/v1/executions/${id}?include=node-executions&fields[node-executions]=${FIELDS}`);
		if (answer.status !== 200) throw new Error(`execution: ${answer.status} ${answer.text}`);
		return { execution: answer.json.data, nodes: byName(answer.json.included ?? []), included: answer.json.included ?? [] };
	}

	// Starts, waits, and returns the execution with its nodes.
	async run(dag, context, options) {
		const { id } = await this.start(dag, context);
		await this.finished(id, options);
		return this.withNodes(id);
	}

	async runDefinition(definition, context, options) {
		return this.run(await this.active(definition), context, options);
	}
}

// Results and logs come in lists only when asked for.
const FIELDS = "node_name,node_index,status,started_at,completed_at,duration_ms,retry_count,error,result,log,attempts";

export const ended = (status) => ["success", "failed", "cancelled"].includes(status);

// Attributes of node executions by node name.
export const byName = (included) => Object.fromEntries(included.map((n) => [n.attributes.node_name, n.attributes]));

// --- definitions -----------------------------------------------------------------------------------------------------

// layers × width nodes, each depending on up to `fan` of the layer before: every node of a layer is needed by the next.
export function layered(layers, width, { fan = 3, op = () => ({}) } = {}) {
	const nodes = [];
	for (let layer = 0; layer < layers; layer++) {
		for (let i = 0; i < width; i++) {
			const dependencies = [];
			for (let k = 0; layer > 0 && k < fan; k++) dependencies.push(`n${layer - 1}-${(i + k * 7) % width}`);
			nodes.push({
				name: `n${layer}-${i}`,
				...(dependencies.length ? { dependencies: [...new Set(dependencies)] } : {}),
				...op(layer, i),
			});
		}
	}
	return { nodes };
}

export const lua = (script, more = {}) => ({ op: "lua", with: { script }, ...more });
export const shell = (line, more = {}) => ({ op: "command", with: { shell: line }, ...more });
export const delay = (duration, more = {}) => ({ op: "delay", with: { duration }, ...more });

// What SQL knows of executions that must have run to the end: empty arrays where all is well.
//   twice     nodes recorded more than once, or not exactly the definition's
//   early     nodes that started before one of their dependencies had ended
//   undecided nodes without a terminal state, or with an end before their start
export async function recordFaults(server, ids) {
	const list = ids.map((id) => `'${id}'`).join(",");
	const twice = await server.rows(`
		select e.id, v.number, count(h.node) as recorded, count(distinct h.node) as different, cardinality(v.node_names) as defined
		  from open.executions e
		  join open.dag_versions v on v.id = e.dag_version_id
		  left join lateral (select c.node from open.node_history r cross join lateral unnest(r.nodes, r.states, r.elements) as c(node, state, element)
		                      where r.execution_id = e.id and c.state in ('s', 'f', 'k', 'c') and c.element is null) h on true
		 where e.id in (${list})
		 group by e.id, v.id
		having count(h.node) <> cardinality(v.node_names) or count(distinct h.node) <> cardinality(v.node_names)`);
	// Nested loops over unnested arrays take minutes; PostgreSQL knows nothing of their lengths.
	const early = await server.rows(`
		with e as materialized (select id, dag_version_id from open.executions where id in (${list})),
		v as materialized (select id, definition from open.dag_versions where id in (select dag_version_id from e)),
		d as materialized (select v.id as version, x.node ->> 'name' as name, dep.name as needs
		                     from v
		                    cross join lateral jsonb_array_elements(v.definition -> 'nodes') as x(node)
		                    cross join lateral jsonb_array_elements_text(coalesce(x.node -> 'dependencies', '[]')) as dep(name)),
		n as materialized (select execution_id, node_name, status, started_at, completed_at
		                     from open.node_executions where execution_id in (${list}))
		select n.execution_id, n.node_name, n.status, n.started_at, p.node_name as needs, p.completed_at
		  from e
		  join d on d.version = e.dag_version_id
		  join n on n.execution_id = e.id and n.node_name = d.name
		  join n p on p.execution_id = e.id and p.node_name = d.needs
		 where n.started_at < p.completed_at or p.completed_at is null or n.started_at is null
		 limit 10`, { first: "set enable_nestloop = off" });
	const undecided = await server.rows(`
		select execution_id, node_name, status, started_at, completed_at from open.node_executions
		 where execution_id in (${list})
		   and (status in ('pending', 'running') or completed_at is null or completed_at < started_at)
		 limit 10`);
	return { twice, early, undecided };
}

export const soundRecord = { twice: [], early: [], undecided: [] };
