// Credentials as an attacker would try them: tokens made up, used after their end, from another page, too often; on
// several workers and on two servers of one database.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before } from "node:test";
import fs from "node:fs";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { execute, freePort, JSONAPI, Server, SLOW, temporary, test, unique, until } from "./harness.mjs";

const PAGE = "https://app.example.test"; // configured
const EVIL = "https://evil.example.test";
let database;
let server; // several workers
let second; // on the same database
let client;
let member;
let slow; // clients that send a header and a body without ever ending them

async function another(env) {
	const url = await database.database("url");
	const made = new Server({
		data: temporary(), port: await freePort(), env: {
			OPEN_WORKERS: "3", OPEN_COMMAND_SANDBOX: "off", OPEN_DATABASE_URL: url,
			OPEN_DATABASE_OWNER_URL: url.replace("open_login", "open_owner"),
			OPEN_SECRET_KEY_FILE: path.join(database.data, "secret-key"), ...env,
		},
	});
	made.socketFolder = database.sockets();
	return made.start();
}

before(async () => {
	database = new Server({ data: temporary(), port: await freePort(), env: {} });
	await database.database("start");
	server = await another({ OPEN_ORIGINS: `https://other.example.test, ${PAGE}`, OPEN_RATE_CREDENTIAL: "200/1m", OPEN_SESSION_LIFETIME: "10m" });
	second = await another({ OPEN_WORKERS: "2", OPEN_RATE_REFUSED: "100/1h", OPEN_RATE_SIGN_IN_ACCOUNT: "5/1h", OPEN_PROXIES: "127.0.0.1, 10.0.0.1" });
	client = await server.makeClient();
	member = await server.makeUser(client.org, { role: "user" });
	slow = Promise.all(["GET /healthz HTTP/1.1\r\nhost", `POST ${DAGS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await fresh()}\r\ncontent-length: 10\r\n\r\n{`]
		.map((text) => raw(text, server, { half: true })));
});
after(async () => {
	for (const each of [server, second]) await each?.stop();
	await database?.database("stop");
	await database?.destroy();
});

const DAGS = "/api/v1/dags";
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const fresh = () => server.makeToken(client.user); // a token that no other test has used up
const status = async (token, on = server, options = {}) => (await on.api("GET", DAGS, { token, ...options })).status;
const resource = (type, attributes) => ({ data: { type, attributes } });

// CRC-32C (RFC 3720, B.4) in base62, as a stranger would write it who has read how tokens look.
function sum(text) {
	let crc = ~0;
	for (const byte of Buffer.from(text)) {
		crc ^= byte;
		for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
	}
	let n = ~crc >>> 0;
	let out = "";
	for (let i = 0; i < 6; i++, n = Math.floor(n / 62)) out = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[n % 62] + out;
	return out;
}
const guess = (kind = "t") => {
	const head = `open_${kind}_${randomBytes(60).toString("base64").replace(/[^A-Za-z0-9]/g, "").slice(0, 43)}`;
	return head + sum(head);
};

// A session of a user, as signing in makes it.
async function session({ email = client.user.email, lifetime = "10 minutes" } = {}) {
	const token = guess("s");
	const id = await server.psql(`select open.session_create(u.id, '${client.org.id}', '\\x${sha256(token)}', '${lifetime}', '192.0.2.7', 'a browser')
		from open.users u where u.email = '${email}'`);
	return { token, id };
}

// So many requests on connections of their own, that all workers get some.
const everywhere = (token, on = server, count = 24) => Promise.all(Array.from({ length: count }, () => status(token, on, { headers: { connection: "close" } })));

// --- guessing ------------------------------------------------------------------------------------------------------

test("a token that was made up is refused, formed or not, and the answer tells nothing of why", async () => {
	const token = await fresh();
	const answers = [];
	for (const wrong of [guess(), guess("s"), guess("r"), token.slice(0, -1), `${token}x`, token.replace(/.$/, (c) => (c === "x" ? "y" : "x")),
		"open_t_", "open_", "x", token.toUpperCase(), "a".repeat(3000)]) {
		answers.push(await server.api("GET", DAGS, { token: wrong }));
	}
	for (const answer of answers) {
		assert.equal(answer.status, 401);
		assert.deepEqual(answer.json, answers[0].json);
		assert.deepEqual(answer.codes, ["invalid_token"]);
	}
	assert.equal(await status(token), 200);
});

// --- revocation ----------------------------------------------------------------------------------------------------

test("a revoked token is good nowhere: on this server's workers at once, on another server within two seconds", async () => {
	const [token, other] = [await fresh(), await fresh()];
	for (const on of [server, second]) assert.deepEqual(new Set(await everywhere(token, on, 12)), new Set([200]));
	await status(other);
	const { data } = (await server.api("GET", "/api/v1/tokens?sort=-inserted_at", { token: other })).json;
	const mine = data.find((t) => t.attributes.prefix === token.slice(0, 11));
	assert.equal((await server.api("DELETE", `/api/v1/tokens/${mine.id}`, { token: other })).status, 204);
	await until("it is refused here", async () => (await status(token)) === 401, { seconds: 1 });
	assert.deepEqual(new Set(await everywhere(token, server, 12)), new Set([401]));
	await until("it is refused there", async () => [401, 429].includes(await status(token, second)), { seconds: 2 });
	assert.deepEqual(new Set((await everywhere(token, second, 12)).map((s) => s === 200)), new Set([false]));
	assert.equal((await server.api("DELETE", `/api/v1/tokens/${mine.id}`, { token: other })).status, 404);
});

test("a token that was revoked while a server heard nothing is refused as soon as it hears again", async () => {
	const token = await fresh();
	assert.equal(await status(token, second), 200);
	// The trigger that notifies is off, as if every notification were lost.
	await database.psql("alter table open.api_tokens disable trigger user");
	try {
		await database.psql(`update open.api_tokens set revoked_at = now() where token_hash = '\\x${sha256(token)}'`);
	} finally {
		await database.psql("alter table open.api_tokens enable trigger user");
	}
	await database.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'open'", { role: "postgres" });
	await until("it is refused", async () => [401, 429].includes(await status(token, second)), { seconds: 5 });
});

test("a user who is removed, or gets another role, has it on every request that follows", async () => {
	const user = await server.makeUser(client.org);
	const token = await server.makeToken(user);
	assert.equal((await server.api("GET", "/api/v1/secrets", { token })).status, 200);
	await server.psql(`update open.memberships set role = 'user' where user_id = (select id from open.users where email = '${user.email}')`);
	await until("he is no admin any more", async () => (await server.api("GET", "/api/v1/secrets", { token })).status === 403, { seconds: 2 });
	await server.psql(`delete from open.memberships where user_id = (select id from open.users where email = '${user.email}')`);
	await until("he is nobody any more", async () => (await status(token)) === 401, { seconds: 2 });
});

test("an organization's new settings hold for the next request", async () => {
	const token = await fresh();
	const dag = { name: unique("d"), definition: { nodes: [{ name: "a", op: "command", with: { shell: "true" } }] } };
	const made = await server.api("POST", DAGS, { token, body: resource("dags", dag) });
	assert.equal(made.status, 201);
	const activate = () => server.api("POST", `${DAGS}/${made.json.data.id}/activate`, { token });
	await server.allowCommands(client.org.slug, false);
	await until("commands are refused", async () => (await activate()).status === 422, { seconds: 2 });
	await server.allowCommands(client.org.slug, true);
	await until("commands are allowed", async () => (await activate()).status === 200, { seconds: 2 });
});

// --- expiry and use --------------------------------------------------------------------------------------------------

test("a token ends when it says, also one that is known", async () => {
	const token = await server.makeToken(client.user, "--expires", "2s");
	assert.equal(await status(token), 200);
	await until("it has ended", async () => (await status(token)) === 401, { seconds: 5 });
	assert.deepEqual(new Set(await everywhere(token, server, 6)), new Set([401]));
});

test("use is noted in the background, and a session that is used lives longer", async () => {
	const [token, used] = [await fresh(), await session()];
	assert.equal(await status(token), 200);
	assert.equal(await status(used.token), 200);
	const ends = `select extract(epoch from expires_at - now())::integer from open.sessions where id = '${used.id}'`;
	await server.psql(`update open.sessions set last_used_at = now() - interval '1 hour', expires_at = now() + interval '5 minutes' where id = '${used.id}'`);
	assert.ok(Number(await server.psql(ends)) <= 300);
	await until("the token's use is noted", async () => (await server.psql(`select last_used_at is not null from open.api_tokens where token_hash = '\\x${sha256(token)}'`)) === "t");
	await until("the session lives longer", async () => {
		await status(used.token);
		return Number(await server.psql(ends)) > 500;
	});
	assert.equal(await server.psql(`select last_used_at > now() - interval '1 minute' from open.sessions where id = '${used.id}'`), "t");
});

test("a session that was not used for its time is over", async () => {
	const { token } = await session({ lifetime: "1 second" });
	await until("it is over", async () => (await status(token)) === 401, { seconds: 5 });
});

// --- scopes, tokens and sessions over REST ---------------------------------------------------------------------------

test("a token is made with scopes, told once, listed without its value, and does no more than it may", async () => {
	const token = await fresh();
	const body = resource("tokens", { name: "ci", scopes: ["read", "execute"], expires_at: new Date(Date.now() + 3600e3).toISOString() });
	const made = await server.api("POST", "/api/v1/tokens", { token, body });
	assert.equal(made.status, 201, made.text);
	assert.equal(made.headers.get("location"), `/api/v1/tokens/${made.json.data.id}`);
	const { value, scopes, prefix } = made.json.data.attributes;
	assert.deepEqual(scopes, ["read", "execute"]);
	assert.ok(value.startsWith(prefix) && prefix.length === 11);
	const list = await server.api("GET", "/api/v1/tokens", { token });
	assert.ok(list.json.data.some((t) => t.id === made.json.data.id));
	assert.ok(!list.text.includes(value));
	assert.ok(!(await server.api("GET", `/api/v1/tokens/${made.json.data.id}`, { token })).text.includes(value));
	assert.equal(await status(value), 200);
	const refused = await server.api("POST", DAGS, { token: value, body: resource("dags", { name: unique("d"), definition: { nodes: [{ name: "a" }] } }) });
	assert.equal(refused.status, 403);
	assert.deepEqual(refused.codes, ["insufficient_scope"]);
	assert.equal((await server.api("GET", "/api/v1/tokens", { token: value })).status, 403);
});

test("no token gives another one more than it has", async () => {
	const token = await server.makeToken(client.user, "--scope", "admin,read");
	const make = (scopes) => server.api("POST", "/api/v1/tokens", { token, body: resource("tokens", { scopes }) });
	assert.equal((await make(["read"])).status, 201);
	const more = await make(["read", "write"]);
	assert.equal(more.status, 403, more.text);
	assert.deepEqual(more.codes, ["insufficient_scope"]);
});

test("a body that makes no token is refused with its place", async () => {
	const token = await fresh();
	for (const [attributes, pointer] of [[{}, "/data/attributes/scopes"], [{ scopes: [] }, "/data/attributes/scopes"], [{ scopes: ["root"] }, "/data/attributes/scopes"],
		[{ scopes: [["read"]] }, "/data/attributes/scopes"], [{ scopes: ["read"], name: "x".repeat(201) }, undefined], [{ scopes: ["read"], name: "x".repeat(801) }, "/data/attributes/name"],
		[{ scopes: ["read"], expires_at: "2020-01-01T00:00:00Z" }, "/data/attributes/expires_at"], [{ scopes: ["read"], expires_at: "soon" }, "/data/attributes/expires_at"],
		[{ scopes: ["read"], value: "open_t_mine" }, "/data/attributes/value"], [{ scopes: ["read"], prefix: "x" }, "/data/attributes/prefix"],
		[{ scopes: ["read"], user_id: client.org.id }, "/data/attributes/user_id"]]) {
		const answer = await server.api("POST", "/api/v1/tokens", { token, body: resource("tokens", attributes) });
		assert.equal(answer.status, 422, `${JSON.stringify(attributes)}: ${answer.text}`);
		if (pointer) assert.equal(answer.json.errors[0].source.pointer, pointer);
	}
});

test("a member sees and revokes his own tokens, an admin all of the organization's, nobody another organization's", async () => {
	const [admin, mine] = [await fresh(), await server.makeToken(member)];
	const stranger = await (await server.makeClient()).token;
	const ids = async (token) => (await server.api("GET", "/api/v1/tokens?page[size]=1000", { token })).json.data.map((t) => t.id);
	const idOf = async (token) => server.psql(`select id from open.api_tokens where token_hash = '\\x${sha256(token)}'`);
	const [adminId, mineId] = [await idOf(admin), await idOf(mine)];
	assert.deepEqual(await ids(mine), [mineId]);
	const all = await ids(admin);
	assert.ok(all.includes(adminId) && all.includes(mineId));
	assert.ok(!(await ids(stranger)).some((id) => all.includes(id)));
	for (const [token, id] of [[mine, adminId], [stranger, mineId], [stranger, adminId]]) {
		for (const method of ["GET", "DELETE"]) {
			const answer = await server.api(method, `/api/v1/tokens/${id}`, { token });
			assert.equal(answer.status, 404);
			assert.deepEqual(answer.codes, ["token_not_found"]);
		}
	}
	assert.equal((await server.api("DELETE", `/api/v1/tokens/${mineId}`, { token: admin })).status, 204);
	await until("it is revoked", async () => (await status(mine)) === 401, { seconds: 2 });
});

test("sessions are listed and ended one by one, by their user alone", async () => {
	const [one, two, other] = [await session(), await session(), await session({ email: member.email })];
	const list = await server.api("GET", "/api/v1/sessions", { token: one.token });
	const found = Object.fromEntries(list.json.data.map((s) => [s.id, s.attributes]));
	assert.equal(found[one.id].current, true);
	assert.equal(found[two.id].current, false);
	assert.equal(found[one.id].address, "192.0.2.7");
	assert.equal(found[one.id].user_agent, "a browser");
	assert.ok(!(other.id in found));
	assert.equal((await server.api("DELETE", `/api/v1/sessions/${other.id}`, { token: one.token })).status, 404);
	assert.equal((await server.api("DELETE", `/api/v1/sessions/${two.id}`, { token: one.token })).status, 204);
	await until("it is over", async () => (await status(two.token)) === 401, { seconds: 1 });
	assert.deepEqual(new Set(await everywhere(two.token, server, 6)), new Set([401]));
	assert.equal(await status(one.token), 200);
	assert.equal(await status(other.token), 200);
});

test("openctl makes tokens with scopes, lists and revokes tokens and sessions", async () => {
	const { org, user } = client;
	const made = JSON.parse(await server.ctl(["token", "create", "--org", org.slug, "--user", user.email, "--scope", "read,execute", "--name", "both", "--json"]));
	const listed = JSON.parse(await server.ctl(["token", "list", "--org", org.slug, "--json"])).find((t) => t.id === made.id);
	assert.equal(listed.scopes, "read,execute");
	assert.ok(made.token.startsWith(listed.prefix));
	assert.equal((await server.openctl(["token", "create", "--org", org.slug, "--user", user.email, "--scope", "root"])).code, 2);
	const used = await session();
	const sessions = JSON.parse(await server.ctl(["session", "list", "--org", org.slug, "--user", user.email, "--json"]));
	assert.equal(sessions.find((s) => s.id === used.id).user, user.email);
	assert.equal(await status(used.token), 200);
	await server.ctl(["session", "revoke", used.id]);
	await server.ctl(["token", "revoke", made.id]);
	await until("both are over", async () => (await status(used.token)) === 401 && (await status(made.token)) === 401, { seconds: 2 });
	assert.equal((await server.openctl(["session", "revoke", org.id])).code, 1);
	for (const command of [["session", "list"], ["session", "revoke"], ["token", "create"]]) assert.match(await server.ctl([...command, "--help"]), /openctl/);
});

test("openctl lists members, changes their role, and who is deactivated can't act until reactivated; the last admin stays", async () => {
	const { org } = await server.makeClient();
	const email = `${unique("member")}@example.test`;
	await server.ctl(["user", "create", "--org", org.slug, "--email", email, "--role", "admin", "--password-stdin"], { stdin: "correct horse battery" });
	const show = async () => JSON.parse(await server.ctl(["user", "show", email.toUpperCase(), "--org", org.slug, "--json"]))[0];
	const { token } = JSON.parse(await server.ctl(["token", "create", "--org", org.slug, "--user", email, "--json"]));
	const listed = JSON.parse(await server.ctl(["user", "list", "--org", org.slug, "--json"]));
	assert.deepEqual(listed.find((u) => u.email === email), await show());
	assert.equal(await status(token), 200);
	await server.ctl(["user", "deactivate", email, "--org", org.slug]);
	assert.equal((await show()).active, false);
	await until("he can't act", async () => (await status(token)) === 401, { seconds: 2 });
	await server.ctl(["user", "reactivate", email, "--org", org.slug]);
	await until("he can again", async () => (await status(token)) === 200, { seconds: 2 });
	for (const other of listed.filter((u) => u.email !== email && u.role === "admin")) await server.ctl(["user", "role", other.email, "user", "--org", org.slug]);
	for (const command of [["deactivate", email], ["role", email, "user"]]) {
		const { code, stderr } = await server.openctl(["user", ...command, "--org", org.slug]);
		assert.equal(code, 1);
		assert.match(stderr, /last admin/);
	}
	assert.deepEqual([(await show()).role, (await show()).active], ["admin", true]);
	assert.equal((await server.openctl(["user", "role", email, "root", "--org", org.slug])).code, 2);
	const { code, stderr } = await server.openctl(["user", "show", email, "--org", client.org.slug]);
	assert.equal(code, 1);
	assert.match(stderr, /is no member/);
});

// --- browsers --------------------------------------------------------------------------------------------------------

// Over a socket: fetch sets no Origin, Cookie or Host of our choosing.
function raw(text, on = server, { half = false } = {}) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(on.port, "127.0.0.1", () => socket.write(text));
		let answer = "";
		socket.on("data", (d) => {
			answer += d;
			const head = answer.indexOf("\r\n\r\n");
			const length = /content-length: (\d+)/i.exec(answer)?.[1] ?? 0;
			if (!half && head >= 0 && answer.length >= head + 4 + Number(length)) socket.destroy();
		});
		socket.on("close", () => resolve({
			status: Number(answer.split(" ")[1]), text: answer,
			header: (name) => new RegExp(`^${name}: (.*)\r$`, "im").exec(answer)?.[1],
		}));
		socket.on("error", reject);
	});
}
const ask = (method, target, headers, body = "") => raw(`${method} ${target} HTTP/1.1\r\n${Object.entries({ host: `127.0.0.1:${server.port}`, ...headers })
	.filter(([, v]) => v !== undefined).map(([k, v]) => `${k}: ${v}\r\n`).join("")}${body ? `content-type: ${JSONAPI}\r\ncontent-length: ${body.length}\r\n` : ""}\r\n${body}`);

test("a browser's cookie stands for the session; an API token is no cookie", async () => {
	const { token } = await session();
	assert.equal((await ask("GET", DAGS, { cookie: `open_session=${token}` })).status, 200);
	assert.equal((await ask("GET", DAGS, { cookie: `a=b; open_session=${token}; c=d` })).status, 200);
	assert.equal((await ask("GET", DAGS, { cookie: `open_session=${await fresh()}` })).status, 401);
	assert.equal((await ask("GET", DAGS, { cookie: `xopen_session=${token}` })).status, 401);
	assert.equal((await ask("GET", DAGS, { cookie: "a=b" })).status, 401);
	// One of two may have been planted by a neighbour of the domain.
	assert.equal((await ask("GET", DAGS, { cookie: `open_session=${token}; open_session=${guess("s")}` })).status, 401);
	// A header says more than a cookie.
	assert.equal((await ask("GET", DAGS, { cookie: `open_session=${token}`, authorization: `Bearer ${guess()}` })).status, 401);
});

test("with a cookie nothing is changed for a page of another origin, whatever it hides", async () => {
	const { token } = await session();
	const cookie = `open_session=${token}`;
	const own = `http://127.0.0.1:${server.port}`;
	const body = () => JSON.stringify(resource("dags", { name: unique("csrf"), definition: { nodes: [{ name: "a" }] } }));
	for (const headers of [{ origin: EVIL }, { origin: "null" }, { origin: "" || "http://127.0.0.1" }, { origin: `${own}.evil.test` }, { origin: `http://evil.test:${server.port}` },
		{ origin: "ftp://127.0.0.1:" + server.port }, { origin: `${own}/x` }, { origin: `${PAGE}.evil.test` }, { origin: "*" }, {},
		{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { "sec-fetch-site": "none" }, { referer: `${EVIL}/?${own}/` }, { referer: `${own}.evil.test/` },
		{ referer: "about:blank" }, { origin: EVIL, referer: `${own}/` }, { origin: EVIL, "sec-fetch-site": "same-origin" }]) {
		for (const [method, target, text] of [["POST", DAGS, body()], ["PATCH", `${DAGS}/${client.org.id}`, body()], ["DELETE", `${DAGS}/${client.org.id}`, ""], ["POST", `${DAGS}/${client.org.id}/archive`, ""]]) {
			const answer = await ask(method, target, { cookie, ...headers }, text);
			assert.equal(answer.status, 403, `${method} ${JSON.stringify(headers)}: ${answer.text}`);
			assert.match(answer.text, /"bad_origin"/);
		}
	}
	assert.equal(await server.psql(`select count(*) from open.dags where name like 'csrf-%'`), "0");
});

test("with a cookie a page of our own, or of an origin that is configured, may change things", async () => {
	const { token } = await session();
	const own = `http://127.0.0.1:${server.port}`;
	for (const headers of [{ origin: own }, { origin: PAGE }, { origin: PAGE.toUpperCase() }, { "sec-fetch-site": "same-origin" }, { referer: `${own}/page?x` }, { referer: `${PAGE}/` },
		{ host: "open.test", origin: "https://open.test" }, { host: "open.test:443", origin: "https://open.test" }]) {
		const body = JSON.stringify(resource("dags", { name: unique("page"), definition: { nodes: [{ name: "a" }] } }));
		const answer = await ask("POST", DAGS, { cookie: `open_session=${token}`, ...headers }, body);
		assert.equal(answer.status, 201, `${JSON.stringify(headers)}: ${answer.text}`);
	}
	// A token in the header is no browser's doing.
	const answer = await server.api("POST", DAGS, { token, headers: { origin: EVIL }, body: resource("dags", { name: unique("d"), definition: { nodes: [{ name: "a" }] } }) });
	assert.equal(answer.status, 201, answer.text);
});

test("pages of configured origins may read answers, others not; a preflight comes before everything else", async () => {
	const token = await fresh();
	const preflight = (target, origin) => ask("OPTIONS", target, { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" });
	for (const target of [DAGS, "/api/v1/tokens", "/nowhere", "/healthz"]) {
		const yes = await preflight(target, PAGE);
		assert.equal(yes.status, 204, `${target}: ${yes.text}`);
		assert.equal(yes.header("access-control-allow-origin"), PAGE);
		assert.match(yes.header("access-control-allow-headers"), /authorization/);
		assert.match(yes.header("access-control-allow-methods"), /DELETE/);
		const no = await preflight(target, EVIL);
		assert.equal(no.status, 403, target);
		assert.equal(no.header("access-control-allow-origin"), undefined);
	}
	const [read, not, refused] = [await ask("GET", DAGS, { origin: PAGE, authorization: `Bearer ${token}` }), await ask("GET", DAGS, { origin: EVIL, authorization: `Bearer ${token}` }),
		await ask("GET", DAGS, { origin: PAGE })];
	assert.equal(read.header("access-control-allow-origin"), PAGE);
	assert.equal(read.header("access-control-allow-credentials"), "true");
	assert.equal(not.header("access-control-allow-origin"), undefined);
	assert.equal(refused.status, 401);
	assert.equal(refused.header("access-control-allow-origin"), PAGE);
	for (const answer of [read, not]) assert.equal(answer.header("vary"), "origin");
	// Without the setting, closed.
	const closed = await raw(`OPTIONS ${DAGS} HTTP/1.1\r\nhost: x\r\norigin: ${PAGE}\r\naccess-control-request-method: GET\r\n\r\n`, second);
	assert.equal(closed.status, 403);
	assert.equal(closed.header("access-control-allow-origin"), undefined);
});

test("every answer carries the headers that keep browsers from harm, each once", async () => {
	const token = await fresh();
	for (const answer of [await ask("GET", DAGS, { authorization: `Bearer ${token}` }), await ask("GET", DAGS, {}), await ask("GET", "/nowhere", {}), await ask("GET", "/healthz", {})]) {
		for (const [name, value] of [["x-content-type-options", "nosniff"], ["x-frame-options", "DENY"], ["referrer-policy", "no-referrer"], ["content-security-policy", /default-src 'none'/], ["cache-control", "no-store"]]) {
			const found = answer.text.split("\r\n").filter((l) => l.toLowerCase().startsWith(`${name}:`));
			assert.equal(found.length, 1, `${name}: ${answer.text}`);
			assert.match(found[0], value instanceof RegExp ? value : new RegExp(`: ${value}$`));
		}
		assert.equal(answer.header("strict-transport-security"), undefined);
	}
});

// --- TLS -------------------------------------------------------------------------------------------------------------

async function certificate(folder, name, ...key) {
	const [file, cert] = [path.join(folder, `${name}.key`), path.join(folder, `${name}.pem`)];
	const { code, stderr } = await execute("openssl", ["req", "-x509", "-newkey", ...key, "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", file, "-out", cert]);
	assert.equal(code, 0, stderr);
	return { OPEN_TLS_CERTIFICATE: cert, OPEN_TLS_KEY: file };
}

// Its certificate is trusted, no other.
class TlsServer extends Server {
	api(method, target, { token, headers = {}, tls = {} } = {}) {
		return new Promise((resolve, reject) => {
			const ca = fs.readFileSync(this.env.OPEN_TLS_CERTIFICATE);
			const all = { accept: JSONAPI, ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) };
			const request = https.request({ host: "127.0.0.1", port: this.port, path: target, method, headers: all, ca, agent: false, timeout: 10000, ...tls }, (answer) => {
				const about = { status: answer.statusCode, headers: answer.headers, protocol: answer.socket.getProtocol(), cipher: answer.socket.getCipher().name };
				let text = "";
				answer.on("data", (d) => (text += d));
				answer.on("end", () => resolve({ ...about, text }));
			});
			request.on("error", reject);
			request.on("timeout", () => request.destroy(new Error("no answer")));
			request.end();
		});
	}
}

test("with a certificate the server speaks TLS 1.2 and 1.3 alone, with forward secrecy, and says so to browsers", async () => {
	const folder = temporary();
	try {
		const url = await database.database("url");
		const env = { ...second.env, OPEN_DATABASE_URL: url, ...await certificate(folder, "rsa", "rsa:2048") };
		const ec = await certificate(folder, "ec", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
		const make = async (more) => {
			const made = new TlsServer({ data: temporary(), port: await freePort(), env: { ...env, OPEN_DATA: undefined, OPEN_LISTEN: undefined, ...more } });
			made.env.OPEN_DATA = made.data;
			made.env.OPEN_LISTEN = `127.0.0.1:${made.port}`;
			made.socketFolder = database.sockets();
			return made;
		};
		// A key that belongs to another certificate stops the start.
		const wrong = await make({ OPEN_TLS_KEY: ec.OPEN_TLS_KEY });
		await assert.rejects(wrong.start({ quiet: true, seconds: 60 }));
		assert.match(wrong.log(), /tls_key/);
		const tls = await make({});
		await tls.start();
		try {
			const token = await fresh();
			for (const version of ["TLSv1.2", "TLSv1.3"]) {
				const answer = await tls.api("GET", DAGS, { token, tls: { minVersion: version, maxVersion: version } });
				assert.equal(answer.status, 200);
				assert.equal(answer.protocol, version);
				assert.match(answer.headers["strict-transport-security"], /^max-age=\d{8}/);
			}
			await assert.rejects(tls.api("GET", "/healthz", { tls: { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } }));
			for (const ciphers of ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"]) {
				await assert.rejects(tls.api("GET", "/healthz", { tls: { maxVersion: "TLSv1.2", ciphers } }), undefined, ciphers);
			}
			const answers = await Promise.all(Array.from({ length: 40 }, () => tls.api("GET", DAGS, { token })));
			assert.ok(answers.every((a) => a.status === 200));
			// Over TLS only a page that came over TLS is our own.
			const { token: cookie } = await session();
			const post = (origin) => tls.api("POST", `${DAGS}/${client.org.id}/archive`, { headers: { cookie: `open_session=${cookie}`, origin } });
			assert.equal((await post(`http://127.0.0.1:${tls.port}`)).status, 403);
			assert.equal((await post(`https://127.0.0.1:${tls.port}`)).status, 404);
			assert.ok(!tls.log().includes("PRIVATE KEY"));
		} finally {
			await tls.stop();
		}
	} finally {
		fs.rmSync(folder, { recursive: true, force: true });
	}
});

// --- passwords ---------------------------------------------------------------------------------------------------------

const PASSWORD = "correct horse battery staple"; // the harness gives it to everybody
const signIn = (email, password, { from, cookie, on = second } = {}) => on.api("POST", "/api/v1/auth/sign-in", {
	body: resource("sessions", { email, password, ...(cookie ? { cookie } : {}) }), headers: from ? { "x-forwarded-for": from } : {}, seconds: 120,
});

test("of 10,000 attempts at a password a handful is looked at, the others are refused at once, and others are served meanwhile", async () => {
	const { email } = await server.makeUser(client.org);
	const token = await fresh();
	const counts = {};
	let served = 0;
	for (let i = 0; i < 10000; i += 200) {
		const answers = await Promise.all([...Array.from({ length: 200 }, (_, k) => signIn(k % 2 ? email : email.toUpperCase(), `guess number ${i + k}`, { from: "203.0.113.66" })),
			second.api("GET", "/healthz")]);
		for (const { status } of answers.slice(0, -1)) counts[status] = (counts[status] ?? 0) + 1;
		served += answers.at(-1).status === 200;
	}
	assert.deepEqual(Object.keys(counts).sort(), ["401", "429"]);
	assert.ok(counts[401] >= 5 && counts[401] <= 12, JSON.stringify(counts));
	assert.equal(served, 50);
	assert.equal(await status(token, second), 200);
	const refused = await signIn(email, PASSWORD, { from: "203.0.113.66" });
	assert.equal(refused.status, 429);
	assert.ok(Number(refused.headers.get("retry-after")) > 0);
	// The owner, at an address of his own, never notices.
	assert.equal((await signIn(email, PASSWORD, { from: "198.51.100.66" })).status, 200);
});

test("guesses from many addresses leave the owner his attempts, wherever he is", async () => {
	const { email } = await server.makeUser(client.org);
	for (let i = 0; i < 5; i++) assert.equal((await signIn(email, "guess number one", { from: `203.0.113.${100 + i}` })).status, 401);
	// The account's own limit is used up: each address has three attempts left, not one more.
	const left = [];
	for (let i = 0; i < 5; i++) left.push((await signIn(email, "guess number two", { from: "203.0.113.200" })).status);
	assert.deepEqual(left, [401, 401, 401, 429, 429]);
	for (const from of ["198.51.100.1", "198.51.100.2", "2001:db8:77::1"]) {
		assert.equal((await signIn(email, "mistyped password", { from })).status, 401);
		assert.equal((await signIn(email, PASSWORD, { from })).status, 200, from);
		assert.equal((await signIn(email, PASSWORD, { from })).status, 200, from);
	}
	// What there is not is refused as what there is.
	const nobody = [];
	for (let i = 0; i < 8; i++) nobody.push((await signIn("nobody@example.test", "guess number two", { from: "203.0.113.201" })).status);
	assert.deepEqual(nobody, [401, 401, 401, 401, 401, 429, 429, 429].slice(0, nobody.length));
});

test("signing in always makes a new session, told with where it came from; a cookie that was planted is not taken over", async () => {
	const { email } = await server.makeUser(client.org);
	const planted = (await session()).token;
	const answer = await second.api("POST", "/api/v1/auth/sign-in", {
		body: resource("sessions", { email, password: PASSWORD, cookie: true }), headers: { cookie: `open_session=${planted}`, "x-forwarded-for": "198.51.100.30", "user-agent": "a browser" },
	});
	assert.equal(answer.status, 200, answer.text);
	const set = answer.headers.get("set-cookie");
	const { token } = answer.json.data.attributes;
	assert.ok(set.startsWith(`open_session=${token};`));
	assert.notEqual(token, planted);
	for (const attribute of ["HttpOnly", "SameSite=Lax", "Path=/"]) assert.ok(set.includes(attribute), set);
	const [mine] = (await second.api("GET", "/api/v1/sessions", { token })).json.data;
	assert.deepEqual([mine.attributes.current, mine.attributes.address, mine.attributes.user_agent], [true, "198.51.100.30", "a browser"]);
	const out = await second.api("POST", "/api/v1/auth/sign-out", { token });
	assert.equal(out.status, 204, out.text);
	await until("it is over here", async () => [401, 429].includes(await status(token, second)), { seconds: 1 });
	await until("it is over there", async () => (await status(token)) === 401, { seconds: 2 });
});

// --- how much, how slowly --------------------------------------------------------------------------------------------

test("a header is never written by what a client sends", async () => {
	const { token } = await session();
	for (const text of ["x\r\nset-cookie: a=b", "x\nset-cookie: a=b", "%0d%0aset-cookie: a=b"]) {
		for (const headers of [{ origin: text }, { "x-forwarded-for": text }, { "user-agent": text }, { authorization: `Bearer ${text}` }]) {
			const answer = await ask("GET", DAGS, { cookie: `open_session=${token}`, ...headers });
			assert.ok(!/^set-cookie:/im.test(answer.text), answer.text);
		}
		const answer = await ask("GET", `/api/v1/dags/${encodeURIComponent(text)}`, { cookie: `open_session=${token}` });
		assert.ok(!/^set-cookie:/im.test(answer.text), answer.text);
	}
});

test("headers and bodies that are too large or too deep are refused, and the workers live on", async () => {
	const token = await fresh();
	const bearer = { authorization: `Bearer ${token}` };
	const large = await ask("GET", DAGS, { ...bearer, "x-large": "x".repeat(70000) });
	assert.equal(large.status, 431);
	const body = await raw(`POST ${DAGS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 999999999\r\n\r\n`, server);
	assert.equal(body.status, 413);
	const deep = await server.api("POST", DAGS, { token, body: `{"data":${"[".repeat(100000)}${"]".repeat(100000)}}` });
	assert.equal(deep.status, 400, deep.text);
	assert.equal(await status(token), 200);
});

test("a credential that asks too often is told to wait; another one of the same user is not", async () => {
	const [token, other] = [await fresh(), await fresh()];
	const answers = await Promise.all(Array.from({ length: 260 }, () => server.api("GET", "/api/v1/ops", { token })));
	const refused = answers.filter((a) => a.status === 429);
	assert.ok(refused.length >= 50 && refused.length <= 60, `${refused.length} refused`);
	for (const answer of refused) {
		assert.deepEqual(answer.codes, ["rate_limited"]);
		assert.ok(Number(answer.headers.get("retry-after")) >= 1);
	}
	assert.equal(await status(other), 200);
});

test("tokens stand in no log, no table and no answer", async () => {
	const tokens = [await fresh(), (await session()).token];
	for (const token of tokens) await status(token);
	const rows = await server.psql("select t::text from open.api_tokens t union all select s::text from open.sessions s");
	for (const token of tokens) {
		assert.ok(!server.log().includes(token));
		assert.ok(!rows.includes(token));
	}
});

test("whoever tries many tokens is refused without a question to the database; who is known is not touched by it", async () => {
	const token = await fresh();
	assert.equal(await status(token, second), 200);
	await until("they are too many", async () => (await status(guess(), second)) === 429);
	for (let i = 0; i < 50; i++) {
		const answer = await second.api("GET", DAGS, { token: guess() });
		assert.equal(answer.status, 429);
		assert.deepEqual(answer.codes, ["rate_limited"]);
		assert.ok(Number(answer.headers.get("retry-after")) > 0);
	}
	assert.equal(await status(token, second), 200);
	// Behind a proxy that is named, its clients count by themselves; what they write before it doesn't.
	const from = (forwarded) => status(guess(), second, { headers: { "x-forwarded-for": forwarded } });
	assert.equal(await from("203.0.113.1"), 401);
	await until("he is refused", async () => (await from("198.51.100.9, 203.0.113.1")) === 429);
	for (const forwarded of ["203.0.113.1", "198.51.100.8, 203.0.113.1, 10.0.0.1", "203.0.113.1,10.0.0.1,127.0.0.1"]) assert.equal(await from(forwarded), 429, forwarded);
	for (const forwarded of ["203.0.113.2", "2001:db8::1", "203.0.113.1, 198.51.100.9"]) assert.equal(await from(forwarded), 401, forwarded);
	await until("a network is refused", async () => (await from("2001:db8::2")) === 429);
	assert.equal(await from("2001:db8::ffff:1"), 429);
	assert.equal(await from("2001:db8:0:1::1"), 401);
	// What isn't formed as a token costs nothing anyway.
	assert.equal(await status("open_t_x", second), 401);
});

test("a header or a body that doesn't end is not waited for", async () => {
	for (const answer of await slow) assert.ok(Number.isNaN(answer.status) || answer.status === 408, answer.text);
	assert.equal(await status(await fresh()), 200);
});
