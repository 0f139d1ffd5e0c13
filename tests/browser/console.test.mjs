// The web console in a browser: people sign in, run DAGs and watch them, and can't act any more once they signed out; the
// pages that mails link to.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { after, before } from "node:test";
import { ROOT, lua, startServer, test, unique, until } from "../integration/harness.mjs";
import { startSmtp } from "../integration/smtp.mjs";

const { chromium } = createRequire(path.join(ROOT, "build/clients/package.json"))("playwright-core");
const PASSWORD = "correct horse battery staple"; // the harness's
const OTHER = "seventeen violet herons 9";
const shots = path.join(ROOT, "build/browser");
let server;
let smtp;
let client;
let browser;

before(async () => {
	fs.mkdirSync(shots, { recursive: true });
	smtp = await startSmtp();
	server = await startServer({ env: { OPEN_SMTP_URL: smtp.url, OPEN_SMTP_TLS: "off", OPEN_MAIL_RETRY: "50ms" } });
	client = await server.makeClient();
	browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
	await browser?.close();
	await server?.stop();
	await smtp?.stop();
});

// A page of a browser that nobody used; faults: what it complained of, and requests to other hosts. A refused request is
// logged by the browser itself, which is no fault of the page.
async function open(hash = "", options = {}) {
	const context = await browser.newContext({ baseURL: server.url, ...options });
	const page = await context.newPage();
	const faults = [];
	page.on("console", (m) => m.type() === "error" && !/Failed to load resource/.test(m.text()) && faults.push(m.text()));
	page.on("pageerror", (e) => faults.push(String(e)));
	page.on("request", (r) => !r.url().startsWith(server.url) && !r.url().startsWith("data:") && faults.push(r.url()));
	page.setDefaultTimeout(15_000);
	await page.goto(`/${hash}`);
	return { context, page, faults };
}
async function signIn(page, email, password = PASSWORD) {
	await page.getByLabel("Email").fill(email);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Sign in" }).click();
}
const heading = (page, name) => page.getByRole("heading", { name }).waitFor();
const node = (page, name) => page.getByRole("row").filter({ hasText: name }).locator(".badge");
const shot = (page, name) => page.screenshot({ path: path.join(shots, `${name}.png`) });

test("someone signs in, starts a DAG, watches its nodes live, signs out and can't act any more", async () => {
	const name = unique("watched");
	await client.active({ nodes: [{ name: "begin" }, { name: "gate", op: "wait_for", with: { signal: "go" }, dependencies: ["begin"] },
		{ name: "finish", ...lua("return 1", { dependencies: ["gate"] }) }] }, { name });
	const { context, page, faults } = await open();
	await shot(page, "sign-in");
	await signIn(page, client.user.email, "not the password at all");
	await page.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
	await signIn(page, client.user.email);
	await heading(page, "DAGs");
	await shot(page, "dags");
	const [cookie] = await context.cookies();
	assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ["open_session", true, "Lax"]);
	assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)), "{}{}");

	await page.getByRole("button", { name: `Start ${name}` }).click();
	await heading(page, name);
	await until("the gate runs", async () => (await node(page, "gate").textContent()) === "running");
	await shot(page, "execution");
	const id = page.url().split("/").at(-1);
	const sent = await client.api("POST", `/api/v1/executions/${id}/signals`, { headers: { "idempotency-key": "go" }, body: { data: { type: "signals", attributes: { name: "go", value: 1 } } } });
	assert.equal(sent.status, 201, sent.text);
	await until("the last node ended, untouched by hand", async () => (await node(page, "finish").textContent()) === "success");
	await page.locator(".status").filter({ hasText: "success" }).waitFor();
	await page.getByRole("link", { name: "Executions" }).click();
	await page.getByRole("row").filter({ hasText: name }).getByText("success").waitFor();
	await shot(page, "executions");

	await page.getByRole("button", { name: "Sign out" }).click();
	await heading(page, "Sign in");
	await page.goBack();
	await heading(page, "Sign in");
	assert.equal(await page.getByText(name).count(), 0);
	await context.addCookies([cookie]); // as who stole it would
	await page.goto("/#/dags");
	await page.reload();
	await heading(page, "Sign in");
	const start = await page.evaluate(async () => (await fetch("/api/v1/executions", { method: "POST", headers: { "content-type": "application/vnd.api+json" }, body: "{}" })).status);
	assert.equal(start, 401);
	assert.deepEqual(faults, []);
	await context.close();
});

test("a forgotten password is set by the page that the mail links to", async () => {
	const user = await server.makeUser(client.org, { role: "user" });
	const { context, page, faults } = await open("#/forgot");
	await page.getByLabel("Email").fill(user.email);
	await page.getByRole("button", { name: "Send me a link" }).click();
	await heading(page, "Look into your mail");
	const mail = await smtp.mail(user.email, "Set a new password");
	await page.goto(mail.body.match(/^http\S+#\/reset\/\S+$/m)[0]);
	await heading(page, "Set a new password");
	await page.getByLabel("New password").fill("short");
	await page.getByRole("button", { name: "Set password" }).click();
	await page.getByRole("alert").filter({ hasText: "12" }).waitFor();
	await page.getByLabel("New password").fill(OTHER);
	await page.getByRole("button", { name: "Set password" }).click();
	await heading(page, "Your password is set");
	await page.getByRole("link", { name: "Sign in" }).click();
	await signIn(page, user.email, OTHER);
	await heading(page, "DAGs");
	assert.deepEqual(faults, []);
	await context.close();
});

test("an invitation is accepted on the page that the mail links to", async () => {
	const email = `${unique("guest")}@example.test`.toLowerCase();
	const invited = await client.api("POST", "/api/v1/invitations", { body: { data: { type: "invitations", attributes: { email, role: "user" } } } });
	assert.equal(invited.status, 201, invited.text);
	const mail = await smtp.mail(email, "You are invited");
	const { context, page, faults } = await open();
	await page.goto(mail.body.match(/^http\S+#\/invitation\/\S+$/m)[0]);
	await heading(page, "Accept an invitation");
	await page.getByLabel("Your name").fill("Guest");
	await page.getByLabel("A password").fill(OTHER);
	await page.getByRole("button", { name: "Accept" }).click();
	await heading(page, "You are a member now");
	await page.getByRole("link", { name: "Sign in" }).click();
	await signIn(page, email, OTHER);
	await heading(page, "DAGs");
	assert.deepEqual(faults, []);
	await context.close();
});

test("what tenants wrote is shown as text", async () => {
	const marked = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";
	await client.active({ nodes: [{ name: "a" }] }, { name: unique("plain"), description: marked });
	const { context, page, faults } = await open("", { viewport: { width: 390, height: 800 }, colorScheme: "dark" });
	await signIn(page, client.user.email);
	await page.getByText(marked).waitFor();
	assert.equal(await page.title(), "DAGs · OPEN");
	assert.equal(await page.locator("main img, main script").count(), 0);
	await shot(page, "narrow-dark");
	assert.deepEqual(faults, []);
	await context.close();
});

test("the pages may load this server's files and nothing else; there are no others", async () => {
	for (const target of ["/", "/console/console.js", "/console/api.js", "/console/console.css"]) {
		const answer = await fetch(server.url + target);
		assert.equal(answer.status, 200, target);
		const policy = answer.headers.get("content-security-policy");
		assert.match(policy, /default-src 'none'/);
		assert.doesNotMatch(policy, /unsafe|\*|http/);
	}
	for (const target of ["/console/", "/console/../conf/open.yaml", "/console/%2e%2e/kore.conf", "/index.html"]) assert.equal((await fetch(server.url + target)).status, 404, target);
});
