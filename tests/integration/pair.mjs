// Two servers on one database that outlives both, with leases so short that a death is soon noticed.
import fs from "node:fs";
import path from "node:path";
import { Client, Server, freePort, temporary, until } from "./harness.mjs";

export const LEASE = 4; // seconds; the shorter the lease, the sooner the tests

export class Pair {
	// files: names of files in a folder beside the database that commands of any server may write; see file().
	async start({ env = {}, files = [] } = {}) {
		// A folder with nothing but the cluster, which outlives the servers.
		this.database = new Server({ data: temporary(), port: await freePort(), env: {} });
		await this.database.database("start");
		const url = await this.database.database("url");
		this.env = {
			OPEN_WORKERS: "2", OPEN_COMMAND_SANDBOX: "off", OPEN_LEASE: `${LEASE}s`, OPEN_DATABASE_URL: url,
			OPEN_DATABASE_OWNER_URL: url.replace("open_login", "open_owner"),
			OPEN_SECRET_KEY_FILE: path.join(this.database.data, "secret-key"),
			...env,
		};
		for (const name of files) {
			fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
			fs.chmodSync(path.dirname(this.file(name)), 0o777);
			fs.writeFileSync(this.file(name), "", { mode: 0o666 });
			fs.chmodSync(this.file(name), 0o666);
		}
		this.a = await this.#another();
		this.b = await this.#another();
		this.client = await this.a.makeClient(); // Speaks to a; the same organization and token work on b.
		return this;
	}

	async stop() {
		for (const server of [this.a, this.b]) await server?.stop();
		await this.database?.database("stop");
		await this.database?.destroy();
	}

	async #another() {
		const server = new Server({ data: temporary(), port: await freePort(), env: this.env });
		server.socketFolder = this.database.sockets();
		return server.start();
	}

	file(name) {
		return path.join(this.database.data, "shared", name);
	}

	// The pair's client, speaking to that server.
	through(server) {
		return new Client(server, this.client.org, this.client.user, this.client.token);
	}

	idOf(server) {
		return fs.readFileSync(path.join(server.data, "server-id"), "utf8").trim();
	}

	async ownerOf(id) {
		const [row] = await this.database.rows(`select server_id from open.executions where id = '${id}'`);
		return row.server_id;
	}

	// Both work, and have for as long as they must to judge each other.
	bothSteady() {
		return until("both servers are steady", async () => (await this.database.rows(`select from open.servers
			where id in ('${this.idOf(this.a)}', '${this.idOf(this.b)}') and ended_at is null and lease_until > now() and steady_at < now() - lease`)).length === 2);
	}
}
