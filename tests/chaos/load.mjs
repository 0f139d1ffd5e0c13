// load.mjs - what runs while things are killed, and how it is seen from outside.
//
// Every node that does something tells it where no part of OPEN can change it afterwards: a command appends a line to a
// file, a request is counted by our own HTTP server, each with the execution, the node and the time.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { delay, layered, lua, pause, shell } from "../integration/harness.mjs";

// Numbers from a seed, so that a run's choices can be made again (what the operating system does, can't).
export function random(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

export class Effects {
	constructor(folder) {
		fs.mkdirSync(folder);
		fs.chmodSync(folder, 0o777);
		this.file = path.join(folder, "ran");
		fs.writeFileSync(this.file, "");
		fs.chmodSync(this.file, 0o666);
		this.hits = [];
		this.server = http.createServer((request, response) => {
			const [, execution, node] = request.url.split("/");
			this.hits.push({ execution, node, at: Date.now() * 1000 });
			response.setHeader("content-type", "application/json");
			response.end('{"hit": true}');
		});
	}

	async listen() {
		await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
		this.port = this.server.address().port;
		return this;
	}

	close() {
		this.server.closeAllConnections();
		return new Promise((resolve) => this.server.close(resolve));
	}

	// A retry may cure everything that a dying runner or server can do to a node.
	command(line = "", more = {}) {
		return shell(`echo "$OPEN_EXECUTION_ID $OPEN_NODE $(date +%s%6N)" >> ${this.file}; ${line}`,
			{ retry: { limit: 50, backoff: "100ms", factor: 1 }, ...more });
	}

	request(node, more = {}) {
		return {
			op: "http", with: { url: `http://127.0.0.1:${this.port}/\${{ execution.id }}/${node}`, timeout: "5s" },
			retry: { limit: 50, backoff: "100ms", factor: 1 }, ...more,
		};
	}

	// [execution, node name, microseconds since 1970] of every run of a node that did something.
	all() {
		const ran = fs.readFileSync(this.file, "utf8").split("\n").filter(Boolean).map((line) => line.split(" "));
		return [...ran.map(([e, n, t]) => [e, n, Number(t)]), ...this.hits.map((h) => [h.execution, h.node, h.at])];
	}
}

// The DAG that the shape "children" runs, and the shape whose executions wait for a signal.
export const CHILD = "commands";
export const WAITING = "signals";

// The mix: each shape of work that can be caught in the middle. Every one of them must end with success.
export function definitions(effects) {
	const chain = (n, op) => Array.from({ length: n }, (_, i) => ({ name: `n${i}`, ...(i ? { dependencies: [`n${i - 1}`] } : {}), ...op(i, `n${i}`) }));
	return {
		layers: layered(5, 10),
		waits: { nodes: [{ name: "a", ...effects.command() }, { name: "b", dependencies: ["a"], ...delay("1500ms") }, { name: "c", dependencies: ["b"], ...effects.request("c") }] },
		commands: { nodes: chain(6, () => effects.command("sleep 0.05")) },
		requests: { nodes: chain(8, (i, name) => effects.request(name)) },
		sync: { durability: "sync", nodes: chain(6, (i, name) => (i % 2 ? effects.request(name) : effects.command())) },
		retries: { nodes: [{ name: "a", ...effects.command('test "$OPEN_ATTEMPT" -ge 3') }, { name: "b", dependencies: ["a"], ...effects.request("b") }] },
		mixed: layered(4, 6, {
			op: (layer, i) => {
				const name = `n${layer}-${i}`;
				if (i === 0) return effects.command();
				if (i === 1) return effects.request(name);
				if (i === 2) return delay(`${100 + layer * 150}ms`);
				if (i === 3) return lua(`return {layer = ${layer}}`);
				return {};
			},
		}),
		elements: {
			nodes: [{ name: "list", ...lua("local t = array({}) for i = 1, 12 do t[i] = i end return t") },
				{ name: "each", dependencies: ["list"], for_each: "${{ nodes.list.result }}", concurrency: 4, ...effects.request("each.${{ index }}") },
				{ name: "last", dependencies: ["each"], ...effects.command() }],
		},
		children: { nodes: [{ name: "child", op: "dag", with: { name: CHILD }, retry: { limit: 50, backoff: "100ms", factor: 1 } }, { name: "last", dependencies: ["child"], ...effects.request("last") }] },
		[WAITING]: { nodes: [{ name: "go", op: "wait_for", with: { signal: "go" } }, { name: "last", dependencies: ["go"], ...effects.request("last") }] },
		memory: { durability: "memory", nodes: [{ name: "a" }, { name: "b", dependencies: ["a"], ...delay("500ms") }, { name: "c", dependencies: ["b"] }] },
	};
}

// Starts executions until told to stop; keeps those that were acknowledged.
export class Load {
	constructor(clients, dags, next) {
		Object.assign(this, { clients, dags, next, accepted: [], signals: [], refused: 0, unknown: 0, running: true });
		this.loops = Array.from({ length: 6 }, () => this.#loop());
	}

	async #loop() {
		while (this.running) {
			await pause(100 + this.next() * 200);
			const dag = this.dags[Math.floor(this.next() * this.dags.length)];
			const answer = await this.#client().tryStart(dag, {}, { seconds: 20 }).catch(() => undefined);
			if (answer?.status === 201) {
				this.accepted.push(answer.json.data.id);
				if (dag.attributes.name === WAITING) this.signals.push(this.#signal(answer.json.data.id));
			} else if (answer) {
				this.refused++;
			} else {
				this.unknown++;
			}
		}
	}

	// Sent again until somebody says that he has it; so it may be sent twice, of which one is taken.
	async #signal(id) {
		for (;;) {
			await pause(this.next() * 1000);
			const answer = await this.#client().api("POST", `/api/v1/executions/${id}/signals`, {
				seconds: 20, body: { data: { type: "signals", attributes: { name: "go", value: { n: 1 } } } },
			}).catch(() => undefined);
			if (answer?.status === 201 || answer?.codes.includes("execution_ended")) return;
			if (answer && answer.status < 500 && answer.status !== 429) throw new Error(`signal: ${answer.status} ${answer.text}`);
		}
	}

	#client() {
		return this.clients[Math.floor(this.next() * this.clients.length)];
	}

	async stop() {
		this.running = false;
		await Promise.all(this.loops);
		await Promise.all(this.signals);
	}
}
