// reference.mjs - the reference of GraphQL, in Markdown, from the schema and an example of each operation:
//
//   node tools/reference.mjs > assets/docs/graphql-reference.md
//
// Reads assets/schema.graphql, as graph_sdl.c writes it (one thing a line), and assets/docs/graphql/*.graphql, whose first line is
// a comment that says what the example does and whose second may be the variables, `# {"id": "DAG"}`: words in capitals are
// what tests/integration/graphql_reference.test.mjs makes for them. It runs every example, and fails where an operation has none.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const ROOTS = { Query: "Queries", Mutation: "Mutations", Subscription: "Subscriptions" };

// --- the schema ------------------------------------------------------------------------------------------------

// [{kind, name, description, members: [{name, args: [{text, description}], type, description}]}]
export function readSchema(text = fs.readFileSync(path.join(ROOT, "assets/schema.graphql"), "utf8")) {
	const types = [];
	let type;
	let member;
	let description = "";
	const lines = text.split("\n").map((l) => l.trim());
	for (let i = 0; i < lines.length; i++) {
		const line = lines[i];
		let m;
		if (line === '"""') {
			const end = lines.indexOf('"""', i + 1);
			description = lines.slice(i + 1, end).join(" ");
			i = end;
		} else if ((m = /^"""(.*)"""$/.exec(line))) {
			description = m[1];
		} else if ((m = /^(type|input|enum|scalar) (\w+)(.*?)( \{)?$/.exec(line)) && !member) {
			types.push({ kind: m[1], name: m[2], directives: m[3].trim(), description, members: [] });
			type = m[4] ? types.at(-1) : undefined;
			description = "";
		} else if (line === "}") {
			type = undefined;
		} else if (member && (m = /^\): (.*)$/.exec(line))) {
			member.type = m[1];
			member = undefined;
		} else if (member && line !== "") {
			member.args.push({ text: line, description });
			description = "";
		} else if (type && line !== "") {
			m = /^(\w+)(?:\((.*)\))?(?:: (.*))?$/.exec(line) ?? /^(\w+)(\()$/.exec(line);
			if (!m) throw new Error(`schema.graphql:${i + 1}: ${line}`);
			const args = m[2] === undefined || m[2] === "(" ? [] : m[2].split(/, (?=\w+:)/).map((t) => ({ text: t, description: "" }));
			const one = { name: m[1], args, type: m[3], description };
			type.members.push(one);
			if (m[2] === "(") member = one;
			description = "";
		} else if (line !== "") {
			throw new Error(`schema.graphql:${i + 1}: ${line}`);
		}
	}
	return types;
}

// Every field of Query, Mutation and Subscription, by its name.
export const operations = (types) => Object.keys(ROOTS).flatMap((root) =>
	types.filter((t) => t.name === root).flatMap((t) => t.members.map((m) => ({ ...m, root }))));

// --- examples ----------------------------------------------------------------------------------------------------

// By the name of their operation: {title, variables (as written, or undefined), document}.
export function readExamples(folder = path.join(ROOT, "assets/docs/graphql")) {
	const examples = new Map();
	for (const file of fs.readdirSync(folder).filter((f) => f.endsWith(".graphql")).sort()) {
		const [, title, variables, document] = /^# (.*)\n(?:# (\{.*\})\n)?([^]*)$/.exec(fs.readFileSync(path.join(folder, file), "utf8")) ?? [];
		if (!document) throw new Error(`${file}: it begins with "# what it does", then "# {variables}" if it has any`);
		examples.set(file.slice(0, -".graphql".length), { title, variables, document });
	}
	return examples;
}

// --- Markdown ------------------------------------------------------------------------------------------------------

const anchor = (name) => `[\`${name}\`](#${name.toLowerCase()})`;
const typed = (types, text) => {
	const name = /\w+/.exec(text)[0];
	return types.some((t) => t.name === name) ? `[\`${text}\`](#${name.toLowerCase()})` : `\`${text}\``;
};
const cell = (text) => text.replaceAll("|", "\\|");

function operation(types, op, example) {
	const out = [`### ${op.name}`, ""];
	if (op.description) out.push(op.description, "");
	out.push(`Gives ${typed(types, op.type)}.`, "");
	for (const { text, description } of op.args) {
		const [name, type] = text.split(/: (.*)/);
		out.push(`- \`${name}\`: ${typed(types, type)}${description ? ` – ${description}` : ""}`);
	}
	if (op.args.length > 0) out.push("");
	if (!example) return out;
	out.push(example.title, "", "```graphql", example.document.trim(), "```", "");
	if (example.variables) out.push("```json", example.variables, "```", "");
	return out;
}

function describe(types, t) {
	const out = [`### ${t.name}`, ""];
	if (t.description) out.push(t.description, "");
	const url = /url: "(.*)"/.exec(t.directives);
	if (url) out.push(`Specified by <${url[1]}>.`, "");
	if (/@oneOf/.test(t.directives)) out.push("Exactly one of its fields is given.", "");
	if (t.members.length === 0) return out;
	out.push(t.kind === "enum" ? "| value | |" : "| field | type | |", t.kind === "enum" ? "|---|---|" : "|---|---|---|");
	for (const m of t.members) {
		const args = m.args.length > 0 ? `(${m.args.map((a) => a.text.split(":")[0]).join(", ")})` : "";
		out.push(t.kind === "enum" ? `| \`${m.name}\` | ${cell(m.description)} |` : `| \`${m.name}${args}\` | ${typed(types, m.type)} | ${cell(m.description)} |`);
	}
	return [...out, ""];
}

export function reference(types = readSchema(), examples = readExamples()) {
	const out = ["# Reference of GraphQL", "", "Made by `node tools/reference.mjs` of [the schema](../schema.graphql) and [an example of each operation](graphql), which the tests run.",
		"What is behind it: [GraphQL](graphql.md), [subscriptions](subscriptions.md).", ""];
	const all = operations(types);
	for (const [root, title] of Object.entries(ROOTS)) {
		const mine = all.filter((o) => o.root === root);
		out.push(`## ${title}`, "", mine.map((o) => anchor(o.name)).join(" · "), "");
		for (const op of mine) out.push(...operation(types, op, examples.get(op.name)));
	}
	const kinds = { type: "Types", input: "Inputs", enum: "Enums", scalar: "Scalars" };
	for (const [kind, title] of Object.entries(kinds)) {
		const mine = types.filter((t) => t.kind === kind && !(t.name in ROOTS));
		out.push(`## ${title}`, "", mine.map((t) => anchor(t.name)).join(" · "), "");
		for (const t of mine) out.push(...describe(types, t));
	}
	return `${out.join("\n").trimEnd()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(reference());
