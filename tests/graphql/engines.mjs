// engines.mjs - our engine (gql_check.c) and the reference implementation (npm's graphql), asked the same.
//
// The reference runs in a process of its own, under the Node from npm where the system's is too old for it.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const FLAVOR = process.env.FLAVOR || "release";
const CLIENTS = path.join(ROOT, "build/clients/node_modules");

function newerNode() {
	const own = Number(process.versions.node.split(".")[0]);
	const name = path.join(CLIENTS, `node-linux-${process.arch}`, "bin/node");
	return own < 22 && fs.existsSync(name) ? name : process.execPath;
}

// The lines of a stream; readline would also end them at U+2028, which JSON holds as it is.
export async function* lines(stream) {
	let rest = "";
	stream.setEncoding("utf8");
	for await (const chunk of stream) {
		const parts = (rest + chunk).split("\n");
		rest = parts.pop();
		yield* parts;
	}
}

// A process that answers each request with one line of JSON, in order.
class Answers {
	constructor(command, args) {
		this.waiting = [];
		this.child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
		this.ended = new Promise((resolve) => this.child.on("exit", resolve));
		this.child.stdin.on("error", () => {});
		this.read();
		this.child.on("exit", (code, signal) => {
			this.over = true;
			for (const { reject } of this.waiting) reject(new Error(`${command} ended: ${code ?? signal}`));
		});
	}

	async read() {
		for await (const line of lines(this.child.stdout)) this.waiting.shift().resolve(JSON.parse(line));
	}

	send(...parts) {
		return new Promise((resolve, reject) => {
			if (this.over) reject(new Error("it has ended"));
			this.waiting.push({ resolve, reject });
			for (const part of parts) this.child.stdin.write(part);
		});
	}

	async end() {
		this.child.stdin.end();
		return this.ended;
	}
}

// ask("parse", text or bytes): gql_check's answer. Answers come in the order of the questions.
export class Engine extends Answers {
	constructor() {
		super(path.join(ROOT, "build", FLAVOR, "checkers/gql_check"), []);
	}

	ask(command, text) {
		const bytes = Buffer.from(text);
		return this.send(`${command} ${bytes.length}\n`, bytes);
	}
}

// ask(command, ...): see reference.mjs, which has a function for each command.
export class Reference extends Answers {
	constructor() {
		super(newerNode(), [path.join(ROOT, "tests/graphql/reference.mjs"), path.join(CLIENTS, "graphql/index.mjs")]);
	}

	ask(command, ...args) {
		return this.send(JSON.stringify([command, ...args]), "\n");
	}
}

// Numbers that look random and are the same in every run: xorshift32.
export function generator(seed) {
	let x = seed;
	return (below) => {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		return (x >>> 0) % below;
	};
}
