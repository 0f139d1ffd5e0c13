// The console's pages, one function each, chosen by what follows # in the address. What tenants wrote is only ever
// inserted as text.

import { Refused, ask, get, post, subscribe } from "/console/api.js";

const page = document.querySelector("#page");
const bar = document.querySelector("#bar");
let leave = () => {};
let turn = 0; // counts the pages that were asked for

class Left extends Error {}

// As get; throws Left if another page was asked for meanwhile.
async function load(target) {
	const mine = turn;
	const answer = await get(target).catch((e) => { throw mine === turn ? e : new Left(); });
	if (mine !== turn) throw new Left();
	return answer;
}

// An element: attributes, listeners ("onclick"), then children (text or elements).
function el(name, attributes = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
		else if (value === true) element.setAttribute(key, "");
		else if (value !== false && value !== undefined) element.setAttribute(key, value);
	}
	element.append(...children.flat().filter((c) => c !== null && c !== undefined));
	return element;
}

const show = (title, ...children) => {
	document.title = `${title} · OPEN`;
	page.replaceChildren(el("h1", {}, title), ...children);
};
const when = (time) => time ? el("time", { datetime: time }, new Date(time).toLocaleString()) : "–";
const badge = (status) => el("span", { class: `badge ${status}` }, status);
const table = (headings, rows, empty) => rows.length === 0 ? el("p", { class: "empty" }, empty) :
	el("div", { class: "scroll" }, el("table", {},
		el("thead", {}, el("tr", {}, headings.map((h) => el("th", { scope: "col" }, h)))),
		el("tbody", {}, rows)));
const row = (...cells) => el("tr", {}, cells.map((c) => el("td", {}, c)));

// A button that does something; what is refused is said beside it.
function action(label, act, attributes = {}) {
	const said = el("span", { class: "refused", role: "alert" });
	const button = el("button", { type: "button", ...attributes, onclick: async () => {
		button.disabled = true;
		said.textContent = "";
		try {
			await act();
		} catch (e) {
			said.textContent = e.message;
		}
		button.disabled = false;
	} }, label);
	return el("span", { class: "action" }, button, said);
}

// --- signing in ----------------------------------------------------------------------------------------------------------

// fields: [name, label, type, autocomplete]
function form(title, fields, label, send, ...after) {
	const said = el("p", { class: "refused", role: "alert" });
	const button = el("button", { class: "main" }, label);
	const inputs = fields.map(([name, text, type, autocomplete, optional]) =>
		el("label", {}, text, el("input", { name, type, autocomplete, required: !optional })));
	bar.hidden = true;
	show(title, el("form", { onsubmit: async (event) => {
		event.preventDefault();
		button.disabled = true;
		said.textContent = "";
		try {
			const given = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value !== ""));
			await send(given);
		} catch (e) {
			said.textContent = e.message;
		}
		button.disabled = false;
	} }, inputs, said, button), ...after);
	page.classList.add("narrow");
	page.querySelector("input")?.focus();
}

const done = (title, text) => {
	show(title, el("p", {}, text), el("p", {}, el("a", { href: "#/" }, "Sign in")));
};

function signIn() {
	form("Sign in", [["email", "Email", "email", "username"], ["password", "Password", "password", "current-password"]], "Sign in",
		async (given) => {
			await post("/api/v1/auth/sign-in", "sessions", { ...given, cookie: true });
			if (location.hash === "#/dags") await go();
			else location.hash = "#/dags";
		}, el("p", {}, el("a", { href: "#/forgot" }, "I forgot my password")));
}

const newPassword = ["password", "New password (12 characters or more)", "password", "new-password"];
const signedOutPages = {
	forgot: () => form("Forgotten password", [["email", "Email", "email", "username"]], "Send me a link", async (given) => {
		await post("/api/v1/auth/password-reset", "password-resets", given);
		done("Look into your mail", "If there is an account with this address, a mail with a link is on its way. It works for an hour.");
	}, el("p", {}, el("a", { href: "#/" }, "Back"))),
	reset: (token) => form("Set a new password", [newPassword], "Set password", async (given) => {
		await post("/api/v1/auth/password-reset/confirm", "password-resets", { token, ...given });
		done("Your password is set", "You are signed out everywhere; sign in with it.");
	}),
	confirm: (token) => form("Confirm your address", [newPassword, ["organization_slug", "A new organization's short name (optional)", "text", "off", true]], "Confirm", async (given) => {
		await post("/api/v1/auth/confirm", "users", { token, ...given });
		done("Your address is confirmed", "You may sign in now.");
	}),
	invitation: (token) => form("Accept an invitation", [["name", "Your name (new accounts)", "text", "name", true],
		["password", "A password for a new account (12 characters or more)", "password", "new-password", true]], "Accept", async (given) => {
		await post("/api/v1/invitations/accept", "invitations", { token, ...given });
		done("You are a member now", "Sign in to see the organization.");
	}, el("p", {}, "With an account of this address already, leave both empty.")),
};

// --- DAGs ----------------------------------------------------------------------------------------------------------------

async function dags() {
	const { data } = await load("/api/v1/dags?sort=name&page[size]=100");
	show("DAGs", table(["Name", "Status", "Description", ""], data.map(({ id, attributes: a }) => row(
		el("a", { href: `#/executions/of/${id}` }, a.name), badge(a.status), a.description ?? "",
		a.status === "active" ? action("Start", async () => {
			const started = await post("/api/v1/executions", "executions", {}, { dag: { data: { type: "dags", id } } });
			location.hash = `#/executions/${started.data.id}`;
		}, { "aria-label": `Start ${a.name}` }) : "")), "There is no DAG yet. Import one with openctl dag import."));
}

// --- executions ----------------------------------------------------------------------------------------------------------

async function executions(of, dag) {
	const target = of === "of" ? `/api/v1/dags/${encodeURIComponent(dag)}/executions` : "/api/v1/executions";
	const { data, included = [] } = await load(`${target}?include=dag&page[size]=50`);
	const names = new Map(included.map((i) => [i.id, i.attributes.name]));
	show("Executions", table(["DAG", "Status", "Nodes", "Started", "Ended"], data.map(({ id, attributes: a, relationships: r }) => row(
		el("a", { href: `#/executions/${id}` }, names.get(r.dag.data.id) ?? id), badge(a.status),
		`${a.succeeded_nodes ?? 0} of ${a.total_nodes}`, when(a.started_at), when(a.completed_at))), "Nothing was run yet."));
}

const NODES = "subscription ($id: ID!, $since: DateTime) { node: nodeExecutionUpdated(executionId: $id, since: $since) { nodeName status error } }";
const STATUS = "subscription ($id: ID!, $since: DateTime) { execution: executionUpdated(executionId: $id, since: $since) { status completedAt } }";
const ended = (status) => ["success", "failed", "cancelled"].includes(status);

async function execution(id) {
	const { data, included = [] } = await load(`/api/v1/executions/${encodeURIComponent(id)}?include=dag`);
	const nodes = await load(`/api/v1/executions/${encodeURIComponent(id)}/node-executions?page[size]=200`);
	const name = included.find((i) => i.type === "dags")?.attributes.name ?? "Execution";
	const status = el("p", { class: "status", "aria-live": "polite" }, badge(data.attributes.status));
	const error = el("p", { class: "refused" }, data.attributes.error_message ?? "");
	const rows = new Map();
	const put = (node, state, why) => {
		const cells = [el("td", {}, node), el("td", {}, badge(state)), el("td", { class: "refused" }, why ?? "")];
		rows.get(node)?.replaceChildren(...cells);
		if (!rows.has(node)) rows.set(node, el("tr", {}, cells));
	};
	for (const { attributes: a } of nodes.data) put(a.node_name, a.status, a.error);
	const controls = el("p", { class: "controls" }, ["cancel", "pause", "resume"].map((verb) =>
		action(verb[0].toUpperCase() + verb.slice(1), () => ask("POST", `/api/v1/executions/${id}/${verb}`))));
	controls.hidden = ended(data.attributes.status);
	show(name, status, error, controls, table(["Node", "State", "Error"], [...rows.values()], "It has no nodes."),
		nodes.links?.next ? el("p", { class: "empty" }, "The first 200 nodes are shown.") : "");
	if (ended(data.attributes.status)) return;
	const variables = { id, since: data.attributes.inserted_at }; // what happened before this page was there is told, too
	leave = subscribe([{ query: NODES, variables }, { query: STATUS, variables }], ({ node, execution: now }) => {
		if (node && rows.has(node.nodeName)) put(node.nodeName, node.status.toLowerCase(), node.error);
		if (now) status.replaceChildren(badge(now.status.toLowerCase()));
		if (now?.completedAt) go();
	}, () => error.replaceChildren("The live connection ended. Load the page again to go on watching."));
}

// --- which page ----------------------------------------------------------------------------------------------------------

async function go() {
	turn++;
	leave();
	leave = () => {};
	page.classList.remove("narrow");
	const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
	if (Object.hasOwn(signedOutPages, name)) return signedOutPages[name](...rest);
	try {
		const me = await load("/api/v1/users/me");
		document.querySelector("#who").textContent = me.data.attributes.email ?? "";
		bar.hidden = false;
		for (const link of bar.querySelectorAll("nav a")) link.toggleAttribute("aria-current", link.hash === `#/${name || "dags"}`);
		if (name === "executions" && rest.length === 1) await execution(rest[0]);
		else if (name === "executions") await executions(...rest);
		else await dags();
	} catch (e) {
		if (e instanceof Left) return;
		if (e instanceof Refused && e.status === 401) return signIn();
		show("That did not work", el("p", { class: "refused", role: "alert" }, e.message));
	}
	page.focus();
}

document.querySelector("#sign-out").addEventListener("click", async () => {
	await post("/api/v1/auth/sign-out").catch(() => {});
	history.replaceState(null, "", "#/");
	go();
});
addEventListener("hashchange", go);
addEventListener("pageshow", (event) => event.persisted && go()); // what was signed out stays so, also going back
go();
