// faults.mjs - what is killed, and how it comes back. Each kind has a loop of its own, so they meet in every way.
import fs from "node:fs";
import path from "node:path";
import { alive, kill, pause, processes, until } from "../integration/harness.mjs";

export class Faults {
	constructor({ database, servers, next, seconds, most }) {
		Object.assign(this, { database, servers, next, most, counts: {}, errors: [] });
		this.end = Date.now() + seconds * 1000;
		this.pace = (seconds * 1000) / (most + 1);
		this.starting = new Map(servers.map((s) => [s, false]));
	}

	pick(list) {
		return list[Math.floor(this.next() * list.length)];
	}

	// A server whose processes are there.
	#server() {
		return this.pick(this.servers.filter((s) => !this.starting.get(s)));
	}

	async #kill(kind, victim) {
		if (!victim || !alive(victim)) return false;
		kill(victim);
		this.counts[kind] = (this.counts[kind] ?? 0) + 1;
		return true;
	}

	worker() {
		return this.#kill("worker", this.pick(this.#server()?.workers() ?? []));
	}

	runner() {
		const named = (this.#server()?.processes() ?? []).filter((p) => /^open-(runner|guard)$/.test(p.name));
		return this.#kill("runner", this.pick(named));
	}

	// Undefined while it is dead or starts.
	#master() {
		try {
			return this.database.postmaster();
		} catch (error) {
			if (error.code !== "ENOENT") throw error;
		}
	}

	backend() {
		const master = this.#master();
		if (!master) return false;
		return this.#kill("backend", this.pick(processes().filter((p) => p.parent === master.pid && /open_login/.test(p.command))));
	}

	async postmaster() {
		const master = this.#master();
		if (!(await this.#kill("postmaster", master))) return false;
		await until("the postmaster is dead", () => !alive(master));
		await this.#startDatabase();
		return true;
	}

	// A machine that is busy may not manage it in the harness's time; what PostgreSQL said is told when it never does.
	async #startDatabase() {
		for (let i = 0; ; i++) {
			try {
				await this.database.database("start");
				return;
			} catch (error) {
				if (i < 3) continue;
				const log = fs.readFileSync(path.join(this.database.data, "log/postgres.log"), "utf8").split("\n").slice(-20).join("\n");
				throw new Error(`PostgreSQL did not start: ${error.message}\n${log}`, { cause: error });
			}
		}
	}

	// The whole server goes with its parent; build.sh, which started it, ends.
	async parent() {
		const server = this.#server();
		const victim = server?.koreParent();
		if (!victim) return false;
		this.starting.set(server, true);
		try {
			if (!(await this.#kill("parent", victim))) return false;
			await server.exited;
			await until("nothing of it is left", () => server.processes().length === 0, { seconds: 30 });
			await this.#start(server);
			return true;
		} finally {
			this.starting.set(server, false);
		}
	}

	// The database may be away just then.
	async #start(server) {
		for (const begin = Date.now(); ; ) {
			try {
				await server.start({ seconds: 60, quiet: true });
				return;
			} catch (error) {
				if (Date.now() - begin > 600000) throw new Error(`a server did not start: ${server.tail(20)}`, { cause: error });
				await pause(500);
			}
		}
	}

	async #loop(kind) {
		await pause(this.next() * this.pace);
		while (Date.now() < this.end || (this.counts[kind] ?? 0) < this.most) {
			const begin = Date.now();
			let done = false;
			try {
				done = await this[kind]();
			} catch (error) {
				this.errors.push(error);
				this.most = this.end = 0; // of all loops
				return;
			}
			const rest = done ? this.pace * (0.6 + 0.6 * this.next()) - (Date.now() - begin) : 200;
			await pause(Math.max(100, Math.min(rest, this.end - Date.now())));
		}
	}

	// All kinds at once, until the time is over and each has happened often enough.
	async run() {
		await Promise.all(["parent", "worker", "runner", "backend", "postmaster"].map((kind) => this.#loop(kind)));
		if (this.errors.length > 0) throw this.errors[0];
	}
}
