// What the console asks of the server: REST as JSON:API, and subscriptions of GraphQL over a WebSocket. The session is the
// browser's cookie, which scripts can't read.

const JSONAPI = "application/vnd.api+json";

export class Refused extends Error {
	constructor(status, errors) {
		super(errors.map((e) => e.detail ?? e.title ?? e.code).join(" ") || `The server answered ${status}.`);
		this.status = status;
	}
}

// The answer's document, or null where it has none.
export async function ask(method, target, document) {
	const answer = await fetch(target, {
		method,
		credentials: "same-origin",
		headers: { accept: JSONAPI, ...(document ? { "content-type": JSONAPI } : {}) },
		body: document && JSON.stringify(document),
	}).catch(() => { throw new Refused(0, [{ detail: "The server can't be reached. Try again in a moment." }]); });
	const text = await answer.text();
	let json = null;
	try {
		json = text === "" ? null : JSON.parse(text);
	} catch {
		throw new Refused(answer.status, []);
	}
	if (!answer.ok) throw new Refused(answer.status, json?.errors ?? []);
	return json;
}

export const get = (target) => ask("GET", target);
export const post = (target, type, attributes, relationships) =>
	ask("POST", target, type && { data: { type, attributes, ...(relationships ? { relationships } : {}) } });

// Tells `next` of each event of the subscriptions, [{query, variables}], until what it returns is called; `lost` when the
// connection ends before.
export function subscribe(operations, next, lost) {
	const scheme = location.protocol === "https:" ? "wss:" : "ws:";
	const socket = new WebSocket(`${scheme}//${location.host}/graphql`, "graphql-transport-ws");
	let left = false;
	const send = (message) => socket.send(JSON.stringify(message));
	socket.onopen = () => send({ type: "connection_init" });
	socket.onmessage = ({ data }) => {
		const message = JSON.parse(data);
		if (message.type === "connection_ack") operations.forEach((payload, i) => send({ id: String(i), type: "subscribe", payload }));
		if (message.type === "ping") send({ type: "pong" });
		if (message.type === "next" && message.payload.data) next(message.payload.data);
	};
	socket.onclose = () => left || lost();
	return () => {
		left = true;
		socket.close();
	};
}
