// Mails leave the outbox through a real SMTP server, whatever happens to it.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { freePort, startServer, test, unique, until } from "./harness.mjs";
import { Smtp, certificate, startSmtp, tokenOf } from "./smtp.mjs";

const SECRET = "a+b/c=d e%20f";
let server;
let smtp;
let tls;

const settings = (more) => ({
	OPEN_MAIL_RETRY: "50ms", OPEN_MAIL_TIMEOUT: "2s", OPEN_MAIL_FROM: "OPEN of Example <open@example.test>",
	OPEN_PUBLIC_URL: "https://open.example.test/", ...more,
});

before(async () => {
	tls = await certificate();
	smtp = new Smtp(await freePort(), ["--tls", tls.key, tls.certificate, "starttls", "--user", "mailer@example.test", SECRET]);
	await smtp.start();
	server = await startServer({ env: settings({
		OPEN_SMTP_URL: `smtp://mailer%40example.test@127.0.0.1:${smtp.port}`, OPEN_SMTP_PASSWORD: SECRET,
		OPEN_SMTP_CA_FILE: tls.certificate,
	}) });
});
after(async () => {
	await smtp?.stop();
	await server?.stop();
});

const address = (name = "somebody") => `${unique(name)}@example.test`;
const literal = (text) => `'${text.replaceAll("'", "''")}'`;
const send = (to, template = "password_changed", data = {}, where = server) =>
	where.psql(`select open.send_mail(${literal(to)}, ${literal(template)}, ${literal(JSON.stringify(data))})`);
const row = async (id, where = server) => (await where.rows(`select * from open.outbox where id = '${id}'`))[0];
const metric = async (name) => Number(new RegExp(`^open_${name} (\\d+)$`, "m").exec((await server.api("GET", "/metrics")).text)[1]);

test("a mail has the headers of a mail, is sent through TLS after signing in, and is forgotten", async () => {
	const to = address();
	const id = await send(to);
	const mail = await smtp.mail(to);
	assert.equal(mail.tls, true);
	assert.equal(mail.user, "mailer@example.test");
	assert.equal(mail.sender, "open@example.test");
	assert.deepEqual(mail.to, [to]);
	assert.deepEqual({ ...mail.headers, date: undefined }, {
		from: "OPEN of Example <open@example.test>", to: `<${to}>`, subject: "Your password was changed", date: undefined,
		"message-id": `<${id}@example.test>`, "mime-version": "1.0", "content-type": "text/plain; charset=utf-8",
		"content-transfer-encoding": "quoted-printable", "auto-submitted": "auto-generated",
	});
	assert.ok(Math.abs(Date.parse(mail.headers.date) - Date.now()) < 60_000, mail.headers.date);
	assert.match(mail.body, new RegExp(`The password of ${to} was changed on \\d+ \\w+ \\d{4}, \\d\\d:\\d\\d UTC`));
	assert.match(mail.body, /^https:\/\/open\.example\.test\/#\/forgot$/m);
	const sent = await until("it is written down", async () => (await row(id)).sent_at && row(id));
	assert.deepEqual([sent.attempts, sent.data, sent.error], [1, {}, null]);
	assert.equal(smtp.to(to).length, 1);
});

test("values are only ever text: no line, header or recipient comes of them", async () => {
	const to = address();
	const evil = "Acme\r\nBcc: everybody@example.test\r\n\r\nüñï \u2028 {{token}} =?UTF-8?Q?x?= \0".replace("\0", "\x07");
	const invitation = await server.psql(`insert into open.invitations (organization_id, email, role, expires_at)
		select id, ${literal(to)}, 'user', now() + interval '1 day' from open.organizations limit 1 returning id`);
	await send(to, "invitation", { invitation, organization: evil, inviter: "a\n.\nb", expires: "tomorrow", recipient: "x@example.test", token: "mine" });
	const mail = await smtp.mail(to);
	assert.deepEqual(mail.to, [to]);
	assert.ok(!("bcc" in mail.headers));
	assert.equal(mail.headers.to, `<${to}>`);
	assert.equal(mail.headers.subject, 'You are invited to "Acme  Bcc: everybody@example.test    üñï   {{token}} =?UTF-8?Q?x?=  "');
	assert.match(mail.body, /^a \. b invites you to the organization "Acme {2}Bcc: /m);
	assert.ok(tokenOf(mail), "data can't replace the token");
	for (const bad of ["a@b@example.test", "a b@example.test", "<a@example.test>", "a@example.test\r\nRCPT TO:<x@example.test>", "ü@example.test", "nobody@", "-oQ@"]) {
		const id = await send(bad);
		const failed = await until("it is given up", async () => (await row(id)).failed_at && row(id));
		assert.match(failed.error, /no mail address/);
	}
});

test("what is refused for good is given up at once, and stays to be looked at", async () => {
	const before = await metric("mails_given_up_total");
	const id = await send(address("refuse"), "password_changed", { kept: "yes" });
	const failed = await until("it is given up", async () => (await row(id)).failed_at && row(id));
	assert.match(failed.error, /550/);
	assert.deepEqual([failed.attempts, failed.data], [1, { kept: "yes" }]);
	await until("it is counted", async () => (await metric("mails_given_up_total")) > before);
});

test("refused for now, dripped, cut off in the middle: each is tried again and comes once", async () => {
	const all = ["later-2", "drip-1", "close-2"].map((kind) => [kind, address(kind)]);
	const ids = await Promise.all(all.map(([, to]) => send(to)));
	for (const [i, [kind, to]] of all.entries()) {
		await smtp.mail(to);
		const sent = await until(`${kind} is written down`, async () => (await row(ids[i])).sent_at && row(ids[i]));
		assert.equal(sent.attempts, 1 + Number(kind.slice(-1)), kind);
		assert.equal(smtp.to(to).length, 1, kind);
	}
	assert.ok((await metric("mail_failures_total")) >= 5);
});

test("a server that is away for a while gets everything when it is back, while requests are answered", async () => {
	await smtp.stop();
	const all = [...Array(12)].map(() => address());
	const ids = await Promise.all(all.map((to) => send(to)));
	await until("each was tried", async () => (await Promise.all(ids.map((id) => row(id)))).every((m) => m.attempts > 0 && /connect/i.test(m.error ?? "")));
	assert.equal((await server.api("GET", "/readyz")).status, 200);
	await until("the queue is measured", async () => (await metric("mails_waiting")) > 0, { seconds: 30 });
	await smtp.start();
	for (const to of all) await smtp.mail(to);
	await until("all are written down", async () => (await Promise.all(ids.map((id) => row(id)))).every((m) => m.sent_at));
	for (const to of all) assert.equal(smtp.to(to).length, 1);
});

test("no password, token or address is in the log", () => {
	const log = server.log();
	assert.match(log, /mail: [0-9a-f-]{36} \(password_changed\), attempt 1: .*; tried again later/);
	assert.ok(!log.includes(SECRET));
	assert.ok(!log.includes(encodeURIComponent(SECRET)));
	assert.ok(!/open_[rci]_/.test(log));
	assert.ok(!log.includes("@example.test"));
});
