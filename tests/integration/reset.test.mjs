// A password is set anew by who reads the mails to its owner's address, through a real SMTP server.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { createHash } from "node:crypto";
import { startServer, test, unique, until } from "./harness.mjs";
import { startSmtp, tokenOf } from "./smtp.mjs";

const PASSWORD = "new-Kestrel plough 91 quiet";
const ASK = "/api/v1/auth/password-reset";
const USE = "/api/v1/auth/password-reset/confirm";
let server;
let smtp;
let org;

before(async () => {
	smtp = await startSmtp();
	server = await startServer({ env: {
		OPEN_SMTP_URL: smtp.url, OPEN_SMTP_TLS: "off", OPEN_MAIL_RETRY: "50ms", OPEN_MAIL_TIMEOUT: "2s",
		OPEN_REQUEST_TIMEOUT: "60s", // twenty passwords are hashed one after the other
		OPEN_RATE_REGISTER: "10000/1s", OPEN_RATE_RESET_ADDRESS: "10000/1s",
	} });
	org = await server.makeOrg();
});
after(async () => {
	await smtp?.stop();
	await server?.stop();
});

const document = (attributes, type = "password-resets") => ({ body: { data: { type, attributes } } });
const ask = (email) => server.api("POST", ASK, document({ email }));
const use = (token, password = PASSWORD) => server.api("POST", USE, document({ token, password }));
const one = async (query) => Object.values((await server.rows(query))[0])[0];
const stored = (user) => one(`select hashed_password from open.users where email = '${user.email}'`);
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

// A user and the token of a mail to him.
async function forgetful() {
	const user = await server.makeUser(org, { role: "user" });
	assert.equal((await ask(user.email)).status, 202);
	const mail = await smtp.mail(user.email, "Set a new password");
	return { ...user, mail, token: tokenOf(mail) };
}

// Lets a session of his be, as if he had signed in; its token.
async function session(user) {
	const token = `open_s_${unique("x")}`;
	await server.psql(`insert into open.sessions (user_id, organization_id, token_hash, expires_at)
		select id, '${org.id}', decode('${sha256(token)}', 'hex'), now() + interval '1 hour' from open.users where email = '${user.email}'`);
	return token;
}
const alive = (token) => one(`select count(*) from open.sessions where token_hash = decode('${sha256(token)}', 'hex') and revoked_at is null`);

test("a mail with a link comes, sets the password once, ends all sessions, and the owner is told", async () => {
	const user = await forgetful();
	const before = await stored(user);
	const sessions = [await session(user), await session(user)];
	assert.match(user.mail.body, new RegExp(`^${server.url}/#/reset/${user.token}$`, "m"));
	assert.equal(await one(`select count(*) from open.user_tokens where token_hash = decode('${sha256(user.token)}', 'hex')`), 1);
	const answer = await use(user.token);
	assert.equal(answer.status, 204, answer.text);
	const after = await stored(user);
	assert.notEqual(after, before);
	assert.match(after, /^\$scrypt\$/);
	for (const token of sessions) assert.equal(await alive(token), 0);
	const told = await smtp.mail(user.email, "Your password was changed");
	assert.ok(!told.body.includes(PASSWORD));
	const again = await use(user.token, "another-Kestrel plough 92");
	assert.deepEqual([again.status, again.codes], [422, ["invalid_token"]]);
	assert.equal(await stored(user), after);
});

test("a token that is used twenty times at once is used once", async () => {
	const user = await forgetful();
	const answers = await Promise.all([...Array(20)].map((_, i) => use(user.token, `${PASSWORD} ${i}`)));
	const good = answers.filter((a) => a.status === 204);
	assert.equal(good.length, 1, answers.map((a) => a.status).join());
	for (const a of answers) assert.ok(a.status === 204 || a.codes[0] === "invalid_token" || a.codes[0] === "overloaded", a.text);
	assert.equal(await one(`select count(*) from open.outbox where recipient = '${user.email}' and template = 'password_changed'`), 1);
});

test("using one token uses up the owner's others, and nobody else's", async () => {
	const user = await forgetful();
	const other = await forgetful();
	await ask(user.email);
	const mails = await until("the second mail", () => smtp.to(user.email).length === 2 && smtp.to(user.email));
	const [first, second] = mails.map(tokenOf);
	assert.notEqual(first, second);
	const both = await Promise.all([use(first), use(second)]);
	assert.deepEqual(both.map((a) => a.status).sort(), [204, 422]);
	assert.equal((await use(other.token)).status, 204);
	assert.notEqual(await stored(user), await stored(other));
});

test("an expired token, a confirmation's token and one of somebody deactivated can't be used", async () => {
	const late = await forgetful();
	const before = await stored(late);
	assert.equal(await one(`select extract(epoch from expires_at - inserted_at) from open.user_tokens where token_hash = decode('${sha256(late.token)}', 'hex')`), 3600);
	await server.psql(`update open.user_tokens set expires_at = now() where token_hash = decode('${sha256(late.token)}', 'hex')`);
	assert.deepEqual((await use(late.token)).codes, ["invalid_token"]);
	assert.equal(await stored(late), before);

	const other = await forgetful();
	await server.psql(`update open.user_tokens set kind = 'confirm' where token_hash = decode('${sha256(other.token)}', 'hex')`);
	assert.deepEqual((await use(other.token)).codes, ["invalid_token"]);

	const gone = await forgetful();
	await server.psql(`update open.users set deactivated_at = now() where email = '${gone.email}'`);
	assert.deepEqual((await use(gone.token)).codes, ["invalid_token"]);
	await ask(gone.email);
	await until("the row is gone", async () => (await one(`select count(*) from open.outbox where recipient = '${gone.email}' and sent_at is null`)) === 0);
	assert.equal(smtp.to(gone.email).length, 1);
});

test("an unknown address gets the same answer, writes the same row, and gets no mail", async () => {
	const user = await server.makeUser(org);
	const stranger = `${unique("stranger")}@example.test`;
	await smtp.stop();
	const answers = [await ask(user.email), await ask(stranger)];
	const view = (a) => [a.status, a.text, a.type, [...a.headers.keys()].sort().join()];
	assert.deepEqual(view(answers[0]), view(answers[1]));
	await smtp.start();
	await smtp.mail(user.email);
	await until("the stranger's row is gone", async () => (await one(`select count(*) from open.outbox where recipient = '${stranger}'`)) === 0);
	assert.equal(smtp.to(stranger).length, 0);
});

test("who asks again while a mail waits gets one, whatever the letters' case", async () => {
	const user = await server.makeUser(org);
	await smtp.stop();
	for (const email of [user.email, user.email.toUpperCase(), user.email]) assert.equal((await ask(email)).status, 202);
	assert.equal(await one(`select count(*) from open.outbox where recipient = '${user.email}'`), 1);
	await smtp.start();
	await smtp.mail(user.email);
	assert.equal(smtp.to(user.email).length, 1);
});

test("nobody's box is filled: of the fourth request in an hour nothing comes, and its answer is the same", async () => {
	const user = await server.makeUser(org);
	let last;
	for (let n = 1; n <= 4; n++) {
		const answer = await ask(user.email);
		assert.equal(answer.status, 202);
		if (last) assert.equal(answer.text, last.text);
		last = answer;
		if (n <= 3) await until(`mail ${n}`, () => smtp.to(user.email).length === n);
	}
	assert.equal(await one(`select count(*) from open.outbox where recipient = '${user.email}'`), 3);
});

test("bad passwords are refused before the token is used", async () => {
	const user = await forgetful();
	for (const [password, code] of [["short", "password_too_short"], ["x".repeat(1025), "password_too_long"], ["password1234", "password_too_common"]]) {
		const answer = await use(user.token, password);
		assert.deepEqual([answer.status, answer.codes], [422, [code]]);
		assert.equal(answer.json.errors[0].source.pointer, "/data/attributes/password");
	}
	assert.equal((await use(user.token)).status, 204);
});

test("what is no request for a reset is refused, and reveals nothing", async () => {
	for (const email of ["", "nobody", "a@b\r\nBcc: c@d", "a b@c", "' or true --", "x".repeat(300)]) {
		assert.deepEqual((await ask(email)).codes, ["invalid_email"], email);
	}
	for (const body of [undefined, "{", { data: {} }, { data: { type: "dags", attributes: { email: "a@b" } } },
		{ data: { type: "password-resets", attributes: { email: 1 } } },
		{ data: { type: "password-resets", attributes: { email: "a@b", role: "admin" } } }]) {
		const answer = await server.api("POST", ASK, { body });
		assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
	}
	for (const token of ["", "x", "open_r_", `open_r_${"a".repeat(49)}`, "' or true --", "x".repeat(5000)]) {
		assert.deepEqual((await use(token)).codes, ["invalid_token"], token);
	}
});

test("no token, password or address is in the log", () => {
	const log = server.log();
	assert.ok(!/open_[rci]_/.test(log) && !log.includes(PASSWORD) && !log.includes("@example.test"));
});
