// People: sign in and out, passwords, registration, invitations, memberships, settings; and what attackers would try.
import assert from "node:assert/strict";
import { before, after } from "node:test";
import { Client, startServer, test, unique, until } from "./harness.mjs";
import { startSmtp, tokenOf } from "./smtp.mjs";

const PASSWORD = "correct horse battery staple"; // the harness's
const OTHER = "seventeen violet herons 9";
const UNLIMITED = { OPEN_RATE_SIGN_IN: "off", OPEN_RATE_SIGN_IN_ADDRESS: "off", OPEN_RATE_SIGN_IN_ACCOUNT: "off", OPEN_RATE_REGISTER: "off", OPEN_RATE_REFUSED: "off" };
let server;
let smtp;
let ours;
let theirs;

before(async () => {
	smtp = await startSmtp();
	server = await startServer({ env: { ...UNLIMITED, OPEN_REGISTRATION: "open", OPEN_SMTP_URL: smtp.url, OPEN_SMTP_TLS: "off", OPEN_MAIL_RETRY: "50ms", OPEN_MAIL_FROM: "open@example.test", OPEN_PUBLIC_URL: "https://open.example.test" } });
	[ours, theirs] = [await server.makeClient(), await server.makeClient()];
});
after(async () => {
	await server?.stop();
	await smtp?.stop();
});

const body = (type, attributes, more = {}) => ({ data: { type, ...more, attributes } });
const post = (target, type, attributes, options = {}) => server.api("POST", target, { body: body(type, attributes), ...options });
const signIn = (email, password = PASSWORD, more = {}, options = {}) => post("/api/v1/auth/sign-in", "sessions", { email, password, ...more }, options);
const idOf = async (email) => (await server.rows(`select id from open.users where email = '${email}'`))[0]?.id;
const address = (name = "person") => `${unique(name)}@example.test`.toLowerCase();
const refused = (token) => until("the token is refused", async () => (await server.api("GET", "/api/v1/users/me", { token })).status === 401, { seconds: 2 });

async function session(email, password = PASSWORD, more = {}) {
	const answer = await signIn(email, password, more);
	assert.equal(answer.status, 200, answer.text);
	return answer.json.data.attributes.token;
}

test("who signs in gets a session that acts as him, and it ends when he signs out", async () => {
	const answer = await signIn(ours.user.email.toUpperCase());
	assert.equal(answer.status, 200, answer.text);
	const { attributes, relationships } = answer.json.data;
	assert.match(attributes.token, /^open_s_/);
	assert.equal(attributes.role, "admin");
	assert.deepEqual(attributes.organizations.map((o) => o.slug), [ours.org.slug]);
	assert.equal(relationships.organization.data.id, ours.org.id);
	const me = await server.api("GET", "/api/v1/users/me", { token: attributes.token });
	assert.equal(me.status, 200, me.text);
	assert.equal(me.json.data.attributes.email, ours.user.email);
	assert.ok(me.json.data.attributes.last_sign_in);
	assert.equal((await server.api("POST", "/api/v1/auth/sign-out", { token: attributes.token })).status, 204);
	await refused(attributes.token);
	assert.ok(!server.log().includes(attributes.token) && !server.log().includes(PASSWORD));
});

test("an unknown address, a wrong password and a deactivated user are answered alike, after as much work", async () => {
	const user = await server.makeUser(ours.org);
	await server.psql(`update open.users set deactivated_at = now() where email = '${user.email}'`);
	const answers = await Promise.all([signIn(ours.user.email, "not the password"), signIn(address()), signIn("no address at all"),
		signIn(user.email), signIn(ours.user.email, "x".repeat(5000)), signIn("аdmin@demo.test"), signIn(ours.user.email, "")]);
	for (const a of answers) {
		assert.equal(a.status, 401, a.text);
		assert.equal(a.text, answers[0].text);
	}
});

test("a session is always a new one, and nothing that was shown before becomes one", async () => {
	const planted = "open_s_" + "A".repeat(49);
	const [a, b] = [await signIn(ours.user.email, PASSWORD, { cookie: true }, { headers: { cookie: `open_session=${planted}` } }), await signIn(ours.user.email)];
	assert.equal(a.status, 200, a.text);
	const token = a.json.data.attributes.token;
	assert.notEqual(token, planted);
	assert.notEqual(token, b.json.data.attributes.token);
	assert.match(a.headers.get("set-cookie"), new RegExp(`^open_session=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=\\d+$`));
	assert.equal(b.headers.get("set-cookie"), null);
	assert.equal((await server.api("GET", "/api/v1/users/me", { token: planted })).status, 401);
	const [{ stored }] = await server.rows(`select count(*)::integer as stored from open.sessions s where s::text like '%${token}%'`);
	assert.equal(stored, 0);
});

test("sign out everywhere ends all sessions, of all organizations, but no API token", async () => {
	const user = await server.makeUser(ours.org);
	const api = await server.makeToken(user);
	const [a, b] = [await session(user.email), await session(user.email)];
	assert.deepEqual((await server.api("POST", "/api/v1/auth/sign-out-everywhere", { token: api })).codes, ["session_needed"]);
	assert.equal((await server.api("POST", "/api/v1/auth/sign-out-everywhere", { token: a })).status, 204);
	await Promise.all([refused(a), refused(b)]);
	assert.equal((await server.api("GET", "/api/v1/users/me", { token: api })).status, 200);
});

test("a changed password ends the other sessions, and the old one opens nothing", async () => {
	const user = await server.makeUser(ours.org);
	const [mine, other] = [await session(user.email), await session(user.email)];
	const change = (current, password) => post("/api/v1/auth/password", "passwords", { current, password }, { token: mine });
	assert.deepEqual((await change("not the password", OTHER)).codes, ["wrong_password"]);
	for (const [password, code] of [["short", "password_too_short"], ["P@ssw0rd123456", "password_too_common"], ["x".repeat(1025), "password_too_long"]]) {
		const answer = await change(PASSWORD, password);
		assert.equal(answer.status, 422);
		assert.deepEqual(answer.codes, [code]);
	}
	assert.equal((await change(PASSWORD, OTHER)).status, 204);
	await refused(other);
	assert.equal((await server.api("GET", "/api/v1/users/me", { token: mine })).status, 200);
	assert.equal((await signIn(user.email)).status, 401);
	assert.equal((await signIn(user.email, OTHER)).status, 200);
	await smtp.mail(user.email, "changed");
});

test("a password that was stored at a lower cost opens, and is stored at today's from then on", async () => {
	const user = await server.makeUser(ours.org);
	await server.psql(`update open.users set hashed_password = '$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$aQWrBdLJrbGXrDwoGLimz8LtQU7l+XRn++Sx19Z/80Y' where email = '${user.email}'`);
	const stored = async () => (await server.rows(`select hashed_password as h from open.users where email = '${user.email}'`))[0].h;
	assert.equal((await signIn(user.email, "something else")).status, 401);
	assert.match(await stored(), /ln=4,/);
	assert.equal((await signIn(user.email, "pleaseletmein")).status, 200);
	assert.match(await stored(), /^\$scrypt\$ln=15,r=8,p=3\$/);
	assert.equal((await signIn(user.email, "pleaseletmein")).status, 200);
});

test("registration: a stranger asks, the address's owner confirms and makes an organization", async () => {
	const email = address("new");
	const slug = unique("made").toLowerCase();
	assert.equal((await post("/api/v1/auth/register", "users", { email, name: "New" })).status, 202);
	assert.equal((await signIn(email, OTHER)).status, 401);
	const token = tokenOf(await smtp.mail(email, "Confirm"));
	const confirm = (more) => post("/api/v1/auth/confirm", "users", { token, password: OTHER, organization_slug: slug, ...more });
	assert.deepEqual((await confirm({ password: "password1234" })).codes, ["password_too_common"]);
	assert.deepEqual((await confirm({ organization_slug: ours.org.slug, organization_name: slug })).codes, ["slug_taken"]);
	assert.deepEqual((await confirm({ token: token.slice(0, -1) + "x" })).codes, ["invalid_token"]);
	const both = await Promise.all([confirm(), confirm({ organization_slug: `${slug}-2` })]);
	assert.deepEqual(both.map((a) => a.status).sort(), [204, 422]);
	assert.deepEqual((await confirm()).codes, ["invalid_token"]);
	const { attributes } = (await signIn(email, OTHER)).json.data;
	assert.equal(attributes.role, "admin");
	assert.equal(attributes.organizations.length, 1);
});

test("a known address is answered as an unknown one; only its owner learns it", async () => {
	const known = await post("/api/v1/auth/register", "users", { email: ours.user.email });
	const unknown = await post("/api/v1/auth/register", "users", { email: address() });
	assert.deepEqual([known.status, known.text], [unknown.status, unknown.text]);
	await smtp.mail(ours.user.email, "already");
	assert.equal((await signIn(ours.user.email)).status, 200);
});

test("concurrent registrations of one address make one user, in whatever letters it is written", async () => {
	const email = address("race");
	const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => post("/api/v1/auth/register", "users", { email: i % 2 ? email : email.toUpperCase() })));
	assert.ok(answers.every((a) => a.status === 202), answers[0].text);
	assert.equal((await server.rows(`select count(*)::integer as n from open.users where lower(email) = '${email}'`))[0].n, 1);
	assert.equal((await server.rows(`select count(*)::integer as n from open.users where email <> lower(email)`))[0].n, 0);
});

test("addresses with letters that look like others are refused, and so is what nobody may set", async () => {
	for (const email of ["аdmin@demo.test", "admin@dеmo.test", "admın@demo.test", "admin\u200b@demo.test", "a@b\r\nBcc: c@d", "x"]) {
		const answer = await post("/api/v1/auth/register", "users", { email });
		assert.equal(answer.status, 422, email);
		assert.deepEqual(answer.codes, ["invalid_email"]);
	}
	for (const more of [{ role: "admin" }, { organization_id: ours.org.id }, { confirmed_at: "2026-01-01T00:00:00Z" }, { hashed_password: "x" }, { password: OTHER }]) {
		const answer = await post("/api/v1/auth/register", "users", { email: address(), ...more });
		assert.equal(answer.status, 422, JSON.stringify(more));
		assert.deepEqual(answer.codes, ["unknown_attribute"]);
	}
	const me = await server.api("PATCH", "/api/v1/users/me", { token: ours.token, body: body("users", { role: "user" }) });
	assert.deepEqual(me.codes, ["read_only_attribute"]);
	const renamed = await server.api("PATCH", "/api/v1/users/me", { token: ours.token, body: body("users", { name: "Ada" }) });
	assert.equal(renamed.json.data.attributes.name, "Ada");
});

test("an invitation makes a new user, or a member of one that there is, once and only with the mail's token", async () => {
	const invite = (email, more = {}, client = ours) => client.api("POST", "/api/v1/invitations", { body: body("invitations", { email, ...more }) });
	const accept = (token, more = {}) => post("/api/v1/invitations/accept", "invitations", { token, ...more });
	const email = address("guest");
	const made = await invite(email, { role: "user" });
	assert.equal(made.status, 201, made.text);
	assert.ok(!made.text.includes("open_i_"));
	const token = tokenOf(await smtp.mail(email, "invited"));
	assert.deepEqual((await accept(token)).codes, ["missing_attribute"]);
	const both = await Promise.all([accept(token, { password: OTHER, name: "Guest" }), accept(token, { password: OTHER })]);
	assert.deepEqual(both.map((a) => a.status).sort(), [204, 422]);
	assert.deepEqual((await accept(token, { password: OTHER })).codes, ["invalid_token"]);
	const guest = new Client(server, ours.org, { email }, await session(email, OTHER));
	assert.deepEqual((await invite(email)).codes, ["already_member"]);
	assert.deepEqual((await invite(address(), {}, guest)).codes, ["forbidden"]);

	assert.equal((await invite(email, { role: "admin" }, theirs)).status, 201);
	const second = await until("the other mail", () => smtp.to(email).map(tokenOf).find((t) => t && t !== token));
	assert.equal((await accept(second)).status, 204);
	const both_of_his = (await signIn(email, OTHER)).json.data.attributes.organizations;
	assert.deepEqual(both_of_his.map((o) => [o.slug, o.role]).sort(), [[ours.org.slug, "user"], [theirs.org.slug, "admin"]].sort());

	// He chooses at sign-in, and may switch; what he left does not act any more.
	const there = await session(email, OTHER, { organization: theirs.org.slug });
	assert.equal((await server.api("GET", `/api/v1/organizations/${theirs.org.id}`, { token: there })).status, 200);
	assert.equal((await server.api("GET", `/api/v1/organizations/${ours.org.id}`, { token: there })).status, 404);
	const moved = await post("/api/v1/auth/switch", "sessions", { organization: ours.org.slug }, { token: there });
	assert.equal(moved.status, 200, moved.text);
	assert.equal((await server.api("GET", `/api/v1/organizations/${ours.org.id}`, { token: moved.json.data.attributes.token })).status, 200);
	await refused(there);
	assert.deepEqual((await signIn(email, OTHER, { organization: "no-such" })).codes, ["no_organization"]);

	const revoked = address("revoked");
	const { json } = await invite(revoked);
	const late = tokenOf(await smtp.mail(revoked, "invited"));
	assert.equal((await theirs.api("DELETE", `/api/v1/invitations/${json.data.id}`)).status, 404);
	assert.equal((await ours.api("DELETE", `/api/v1/invitations/${json.data.id}`)).status, 204);
	assert.deepEqual((await accept(late, { password: OTHER })).codes, ["invalid_token"]);
});

test("members see each other without addresses, and can't find anybody by one", async () => {
	const user = await server.makeUser(ours.org, { role: "user" });
	const member = new Client(server, ours.org, user, await server.makeToken(user));
	const listed = (await member.api("GET", "/api/v1/users?page[size]=1000")).json.data;
	assert.ok(listed.length > 1);
	for (const { id, attributes } of listed) {
		assert.equal(attributes.email, id === (await idOf(user.email)) ? user.email : null);
	}
	assert.deepEqual((await member.api("GET", `/api/v1/users?filter[email]=${ours.user.email}`)).json.data, []);
	assert.equal((await ours.api("GET", `/api/v1/users?filter[email]=${user.email}`)).json.data.length, 1);
	assert.equal((await member.api("GET", "/api/v1/users?sort=email")).status, 400);
	assert.equal((await theirs.api("GET", `/api/v1/users/${await idOf(user.email)}`)).status, 404);
	const dag = await member.create({ nodes: [{ name: "a" }] });
	const made = await member.api("GET", `/api/v1/users/${await idOf(user.email)}/dags`);
	assert.deepEqual(made.json.data.map((d) => d.id), [dag.id]);
	assert.ok((await ours.api("GET", `/api/v1/organizations/${ours.org.id}/users`)).json.data.length > 1);
});

test("admins change roles, deactivate and remove; one admin always remains, also of two who remove each other", async () => {
	const client = await server.makeClient();
	const user = await server.makeUser(client.org, { role: "user" });
	const [id, own] = [await idOf(user.email), await idOf(client.user.email)];
	const patch = (who, attributes, as = client) => as.api("PATCH", `/api/v1/users/${who}`, { body: body("users", attributes, { id: who }) });
	assert.deepEqual((await patch(own, { role: "user" })).codes, ["last_admin"]);
	assert.deepEqual((await patch(own, { active: false })).codes, ["last_admin"]);
	assert.deepEqual((await client.api("DELETE", `/api/v1/users/${own}`)).codes, ["last_admin"]);
	const token = await session(user.email);
	assert.equal((await patch(id, { role: "owner" })).status, 422);
	assert.equal((await patch(id, { email: "x@y" })).status, 422);
	assert.equal((await patch(id, { active: false })).json.data.attributes.active, false);
	await refused(token);
	assert.deepEqual((await signIn(user.email)).codes, ["no_organization"]);
	assert.equal((await patch(id, { active: true, role: "admin" })).json.data.attributes.role, "admin");
	const other = new Client(server, client.org, user, await session(user.email));
	assert.deepEqual((await patch(id, { role: "user" }, theirs)).codes, ["user_not_found"]);
	const ends = await Promise.all([client.api("DELETE", `/api/v1/users/${id}`), other.api("DELETE", `/api/v1/users/${own}`)]);
	assert.deepEqual(ends.map((a) => a.status === 204).sort(), [false, true], ends.map((a) => a.text).join());
	assert.equal((await server.rows(`select count(*)::integer as n from open.memberships where organization_id = '${client.org.id}'`))[0].n, 1);
});

test("settings are changed by admins, checked as openctl checks them; where anybody registers, not those of the machine", async () => {
	const patch = (attributes, client = ours) => client.api("PATCH", `/api/v1/organizations/${ours.org.id}`, { body: body("organizations", attributes) });
	const changed = await patch({ name: unique("named"), settings: { retention_days: 30, max_nodes: 10 } });
	assert.equal(changed.status, 200, changed.text);
	assert.equal(changed.json.data.attributes.settings.retention_days, 30);
	assert.equal((await patch({ settings: { retention_days: null } })).json.data.attributes.settings.retention_days, undefined);
	for (const settings of [{ max_nodes: 0 }, { pools: { "a b": 1 } }, { retention_days: "x" }]) assert.deepEqual((await patch({ settings })).codes, ["invalid_setting"]);
	assert.deepEqual((await patch({ settings: { other: 1 } })).codes, ["unknown_setting"]);
	for (const attributes of [{ settings: { allow_commands: true } }, { compute_quota: null }, { storage_quota: 5 }]) assert.deepEqual((await patch(attributes)).codes, ["forbidden"]);
	assert.equal((await patch({ slug: "x" })).status, 422);
	assert.equal((await patch({ name: "stolen" }, theirs)).status, 404);
	const { code, stderr } = await server.openctl(["org", "set", "max_nodes=0", "--slug", ours.org.slug]);
	assert.equal(code, 1);
	assert.match(stderr, /max_nodes is a whole number/);
});
