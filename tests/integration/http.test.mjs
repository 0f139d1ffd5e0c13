// Op http through the whole server, its workers behind their filter of system calls; and the ops fail and assert.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { execute, lua, startServer, temporary, test, until } from "./harness.mjs";

let server;
let client;
let strict; // Of an organization that does not allow private addresses.
let peer;
let secure;
let folder;

// A certificate for one name, made by openssl: {key, cert} and its file.
async function certificate(name) {
	const [key, cert] = ["key", "pem"].map((end) => path.join(folder, `${name}.${end}`));
	const { code, stderr } = await execute("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-days", "1", "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-keyout", key, "-out", cert]);
	if (code !== 0) throw new Error(`openssl: ${stderr}`);
	return { key: fs.readFileSync(key), cert: fs.readFileSync(cert), file: cert };
}

function listen(made) {
	return new Promise((resolve) => made.listen(0, "127.0.0.1", () => {
		made.port = made.address().port;
		made.url = `http://127.0.0.1:${made.port}`;
		resolve(made);
	}));
}

// What it was asked for, and the sockets of those that hang.
function makePeer() {
	const requests = [];
	const hanging = new Set();
	const made = http.createServer((request, response) => {
		const url = new URL(request.url, "http://peer");
		requests.push(url.pathname);
		if (url.pathname === "/hang" && !made.patient) {
			hanging.add(request.socket);
			request.socket.on("close", () => hanging.delete(request.socket));
		} else if (url.pathname === "/drip") {
			response.writeHead(200, { "content-length": 1e6 });
			const timer = setInterval(() => response.write("x"), 5);
			request.socket.on("close", () => clearInterval(timer));
		} else if (url.pathname === "/5gb") {
			response.writeHead(200, url.searchParams.has("length") ? { "content-length": 5 * 2 ** 30 } : {});
			const chunk = Buffer.alloc(1 << 16);
			const more = () => { while (!response.destroyed && response.write(chunk)); };
			response.on("drain", more);
			more();
		} else if (url.pathname === "/circle") {
			response.writeHead(302, { location: "/circle" }).end();
		} else if (url.pathname.startsWith("/status/")) {
			response.writeHead(Number(url.pathname.slice(8)), { "content-type": "text/plain" }).end("so it is");
		} else {
			const body = [];
			request.on("data", (d) => body.push(d)).on("end", () => {
				const answer = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(body).toString() };
				response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
			});
		}
	});
	return Object.assign(made, { requests, hanging, patient: false });
}

const allowPrivate = (org) => server.psql(
	`update open.organizations set settings = settings || '{"allow_private_addresses": true}' where slug = '${org.slug}'`);

before(async () => {
	folder = temporary("open-http-");
	const good = await certificate("localhost");
	const other = await certificate("example.test");
	peer = await listen(makePeer());
	const answer = (request, response) => response.end('"secure"');
	secure = {
		good: await listen(https.createServer(good, answer)),
		other: await listen(https.createServer(other, answer)),
	};
	server = await startServer({ env: { SSL_CERT_FILE: good.file, http_proxy: "http://127.0.0.1:1", all_proxy: "http://127.0.0.1:1" } });
	client = await server.makeClient();
	strict = await server.makeClient();
	await allowPrivate(client.org);
});
after(async () => {
	for (const one of [peer, secure?.good, secure?.other]) {
		one?.closeAllConnections?.();
		one?.close();
	}
	await server?.stop();
	if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

const request = (parameters, more = {}) => ({ op: "http", with: parameters, ...more });

test("a request's answer is a result that the next nodes see, as documented", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "get", ...request({ url: `${peer.url}/orders?day=\${{ context.day }}`, query: { "a b": ["c&d", 1] }, headers: { "X-Day": "${{ context.day }}" } }) },
			{ name: "sum", dependencies: ["get"], ...lua("return nodes.get.result.status + #nodes.get.result.body.url") },
			{ name: "post", dependencies: ["get"], ...request({ url: `${peer.url}/new`, json: { got: "${{ nodes.get.result.body.method }}" } }) },
			{ name: "put", ...request({ method: "PUT", url: `${peer.url}/x`, body: "plain" }) },
			{ name: "text", ...request({ url: `${peer.url}/status/404`, status: ["2xx", 404] }) },
			{ name: "name", ...request({ url: `http://localhost:${peer.port}/named` }) },
		],
	}, { day: 7 });
	assert.equal(execution.attributes.status, "success", JSON.stringify(nodes));
	assert.equal(nodes.get.result.status, 200);
	assert.equal(nodes.get.result.headers["content-type"], "application/json");
	assert.equal(nodes.get.result.body.url, "/orders?day=7&a%20b=c%26d&a%20b=1");
	assert.equal(nodes.get.result.body.headers["x-day"], "7");
	assert.equal(nodes.sum.result, 200 + "/orders?day=7&a%20b=c%26d&a%20b=1".length);
	assert.equal(nodes.post.result.body.method, "POST");
	assert.equal(nodes.post.result.body.headers["content-type"], "application/json");
	assert.deepEqual(JSON.parse(nodes.post.result.body.body), { got: "GET" });
	assert.equal(nodes.put.result.body.body, "plain");
	assert.deepEqual([nodes.text.result.status, nodes.text.result.body], [404, "so it is"]);
	assert.equal(nodes.name.result.body.url, "/named");
});

test("an organization without the setting reaches no private address, by whatever name; a failed request is not tried", async () => {
	const before = peer.requests.length;
	const hosts = { ip: "127.0.0.1", name: "localhost", short: "127.1", number: "2130706433", six: "[::1]", mapped: "[::ffff:127.0.0.1]", any: "0.0.0.0" };
	const { nodes } = await strict.runDefinition({
		nodes: Object.entries(hosts).map(([name, host]) => ({
			name, ...request({ url: `http://${host}:${peer.port}/` }), retry: { limit: 3, backoff: "1ms" },
		})).concat([{ name: "metadata", ...request({ url: "http://169.254.169.254/latest/meta-data/" }) }]),
	});
	for (const name of [...Object.keys(hosts), "metadata"]) {
		assert.equal(nodes[name].status, "failed", name);
		assert.match(nodes[name].error, /allow_private_addresses/, name);
		assert.equal(nodes[name].retry_count, 0, name);
	}
	assert.equal(peer.requests.length, before);
});

test("openctl's executions have their organization's setting too", async () => {
	const definition = { nodes: [{ name: "get", ...request({ url: `${peer.url}/ctl` }) }] };
	for (const [who, code] of [[client, 0], [strict, 1]]) {
		const dag = await who.active(definition);
		const run = await server.openctl(["run", dag.attributes.name, "--org", who.org.slug, "--wait"]);
		assert.equal(run.code, code, run.stderr + run.stdout);
	}
	assert.equal(peer.requests.filter((p) => p === "/ctl").length, 1);
});

test("only a certificate that is trusted and for that name is accepted", async () => {
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "good", ...request({ url: `https://localhost:${secure.good.port}/` }) },
			{ name: "unknown", ...request({ url: `https://localhost:${secure.other.port}/` }) },
			{ name: "name", ...request({ url: `https://127.0.0.1:${secure.good.port}/` }) },
			{ name: "plain", ...request({ url: `https://127.0.0.1:${peer.port}/` }) },
		],
	});
	assert.equal(nodes.good.result?.body, "secure", nodes.good.error);
	assert.match(nodes.unknown.error, /certificate/);
	assert.match(nodes.name.error, /certificate/);
	assert.equal(nodes.plain.status, "failed");
});

test("servers that hang, drip, redirect in circles or answer 5 GB fail their node, and the workers live on", async () => {
	const pids = () => server.workers().map((p) => p.pid);
	const workers = pids();
	const { nodes } = await client.runDefinition({
		nodes: [
			{ name: "hang", ...request({ url: `${peer.url}/hang`, timeout: "100ms" }) },
			{ name: "timeout", ...request({ url: `${peer.url}/hang` }), timeout: "100ms" },
			{ name: "drip", ...request({ url: `${peer.url}/drip`, timeout: "200ms" }) },
			{ name: "circle", ...request({ url: `${peer.url}/circle` }) },
			{ name: "length", ...request({ url: `${peer.url}/5gb?length` }) },
			{ name: "endless", ...request({ url: `${peer.url}/5gb` }) },
			{ name: "small", ...request({ url: `${peer.url}/small`, max_bytes: 10 }) },
			{ name: "nobody", ...request({ url: "http://127.0.0.1:1/" }) },
			{ name: "nowhere", ...request({ url: "http://no.such.name.invalid/" }) },
			{ name: "status", ...request({ url: `${peer.url}/status/503` }), retry: { limit: 2, backoff: "1ms" } },
			{ name: "missing", ...request({ url: `${peer.url}/status/404` }), retry: { limit: 2, backoff: "1ms" } },
		],
	}, undefined, { seconds: 60 });
	const errors = {
		hang: /within 100ms/, timeout: /timeout of 100ms/, drip: /within 200ms/, circle: /more than 5 redirects/, length: /bytes/,
		endless: /bytes/, small: /10 bytes/, nobody: /no connection/, nowhere: /not known/, status: /503/, missing: /404/,
	};
	for (const [name, pattern] of Object.entries(errors)) {
		assert.equal(nodes[name].status, "failed", name);
		assert.match(nodes[name].error, pattern, name);
	}
	assert.equal(nodes.status.retry_count, 2);
	assert.equal(nodes.missing.retry_count, 0);
	assert.deepEqual(pids(), workers);
	await until("the connections are closed", () => peer.hanging.size === 0);
});

test("a cancelled execution's requests are ended at once", async () => {
	const dag = await client.active({ nodes: [1, 2, 3].map((n) => ({ name: `n${n}`, ...request({ url: `${peer.url}/hang`, timeout: "1h" }) })) });
	const { id } = await client.start(dag);
	await until("they hang", () => peer.hanging.size === 3);
	await client.cancel(id);
	const execution = await client.finished(id, { seconds: 5 });
	assert.equal(execution.attributes.status, "cancelled");
	await until("the connections are closed", () => peer.hanging.size === 0);
});

test("a thousand requests of one execution are under way at once", async () => {
	const count = 1000;
	const dag = await client.active({ nodes: Array.from({ length: count }, (_, n) => ({ name: `n${n}`, ...request({ url: `${peer.url}/hang`, timeout: "1h" }) })) });
	const { id } = await client.start(dag);
	await until("all of them hang", () => peer.hanging.size === count, { seconds: 30 });
	await client.cancel(id);
	await client.finished(id);
	await until("the connections are closed", () => peer.hanging.size === 0);
});

test("bad parameters are refused with their place when a DAG is saved", async () => {
	const bad = [
		[{ url: "ftp://example.test/" }, "/url"], [{ url: "http://x", method: "get" }, "/method"], [{}, ""],
		[{ url: "http://x", json: 1, body: "x" }, "/body"], [{ url: "http://x", status: "abc" }, "/status"],
		[{ url: "http://x", headers: { "Content-Length": 5 } }, "/headers"], [{ url: "http://x", redirects: 50 }, "/redirects"],
		[{ url: "http://x", proxy: "http://y" }, "/proxy"],
	];
	for (const [parameters, place] of bad) {
		const answer = await client.tryCreate({ nodes: [{ name: "a", ...request(parameters) }] });
		assert.equal(answer.status, 422, JSON.stringify(parameters));
		assert.equal(answer.json.errors[0].source.pointer, `/data/attributes/definition/nodes/0/with${place}`);
	}
});

test("fail and assert end their node as they say", async () => {
	const { execution, nodes } = await client.runDefinition({
		nodes: [
			{ name: "true", op: "assert", with: { that: "${{ context.n > 1 }}" } },
			{ name: "false", op: "assert", with: { that: "${{ context.n > 5 }}", message: "n is ${{ context.n }}" } },
			{ name: "text", op: "assert", with: { that: "yes" } },
			{ name: "fail", op: "fail", with: { message: "no ${{ context.n }}" }, retry: { limit: 2, backoff: "1ms" } },
			{ name: "again", op: "fail", with: { message: "no", retryable: true }, retry: { limit: 2, backoff: "1ms" } },
			{ name: "cleanup", dependencies: ["fail"], trigger: "any_failed" },
		],
	}, { n: 3 });
	assert.equal(execution.attributes.status, "failed");
	assert.equal(nodes.true.status, "success");
	assert.equal(nodes.false.error, "n is 3");
	assert.match(nodes.text.error, /yes/);
	assert.deepEqual([nodes.fail.error, nodes.fail.retry_count], ["no 3", 0]);
	assert.equal(nodes.again.retry_count, 2);
	assert.equal(nodes.cleanup.status, "success");
});

test("a request that was under way when everything was killed is sent again, with the organization's setting", async () => {
	const dag = await client.active({ nodes: [{ name: "slow", ...request({ url: `${peer.url}/hang`, timeout: "1h" }) }] });
	const { id } = await client.start(dag);
	await until("it hangs", () => peer.hanging.size === 1);
	await until("it is durable", async () => (await client.execution(id)).attributes.status === "running");
	await server.crash();
	peer.patient = true; // The next one is answered.
	await server.start();
	const execution = await client.finished(id);
	assert.equal(execution.attributes.status, "success", JSON.stringify(execution));
	peer.patient = false;
});
