// smtp.mjs - a real SMTP server (smtp_server.py) and the mails that it took.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ROOT, execute, freePort, temporary, until } from "./harness.mjs";

const PROGRAM = path.join(ROOT, "tests/integration/smtp_server.py");

// A key and a certificate of its own for 127.0.0.1: {key, certificate}, files in folder.
export async function certificate(folder = temporary()) {
	const key = path.join(folder, "key.pem");
	const file = path.join(folder, "certificate.pem");
	const { code, stderr } = await execute("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", file]);
	if (code !== 0) throw new Error(stderr);
	fs.chmodSync(file, 0o644);
	return { key, certificate: file };
}

export class Smtp {
	constructor(port, args = []) {
		Object.assign(this, { port, args, mails: [], url: `smtp://127.0.0.1:${port}` });
	}

	async start() {
		// Debian's Python, whichever else there is: its package is installed for that one.
		this.child = spawn("/usr/bin/python3", ["-W", "ignore", PROGRAM, String(this.port), ...this.args], { stdio: ["ignore", "pipe", "inherit"] });
		this.gone = new Promise((resolve) => this.child.on("close", resolve));
		this.ready = false;
		let rest = "";
		this.child.stdout.on("data", (data) => {
			const lines = (rest + data).split("\n");
			rest = lines.pop();
			for (const line of lines.map((l) => JSON.parse(l))) {
				if (line.listening) this.ready = true;
				else this.mails.push({ ...line, ...parse(line.data) });
			}
		});
		await until("the SMTP server listens", () => this.ready);
		return this;
	}

	async stop() {
		this.child?.kill();
		await this.gone;
		this.child = undefined;
	}

	to(address) {
		return this.mails.filter((m) => m.to.includes(address));
	}

	// The first mail to an address (and with a subject) that comes.
	mail(address, subject = "") {
		return until(`a mail "${subject}" to ${address}`, () => this.to(address).find((m) => m.headers.subject.includes(subject)));
	}
}

export async function startSmtp(...args) {
	return new Smtp(await freePort(), args).start();
}

// Headers by name in small letters, and the body in plain text; a header that is there twice is an error.
export function parse(data) {
	const end = data.indexOf("\r\n\r\n");
	const headers = {};
	for (const line of data.slice(0, end).replace(/\r\n[ \t]/g, " ").split("\r\n")) {
		const [, name, value] = /^([A-Za-z-]+): (.*)$/.exec(line);
		if (name.toLowerCase() in headers) throw new Error(`${name} twice`);
		headers[name.toLowerCase()] = value;
	}
	headers.subject = headers.subject.replace(/\?= =\?/g, "?==?")
		.replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, text) => Buffer.from(text, "base64").toString("latin1"));
	if (/[\x80-\xff]/.test(headers.subject)) headers.subject = Buffer.from(headers.subject, "latin1").toString();
	const bytes = data.slice(end + 4).replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
	return { headers, body: Buffer.from(bytes, "latin1").toString().replace(/\r\n/g, "\n") };
}

// The token in a mail's link.
export const tokenOf = (mail) => /open_[rci]_[A-Za-z0-9]{49}/.exec(mail.body)?.[0];
