// Validation, building of schemas and introspection, compared with the reference implementation: the same documents are
// accepted, and each fault has the same places. Messages are our own.
//
// Deliberate differences, so not among the documents: fragments more than 100 deep within each other and documents
// that repeat too much are refused as too complex at other sizes; a schema's document with operations is refused;
// where two fragments have one name (refused), the other rules look at the last of them and no further; @stream, @defer and arguments of fragments are not of the September 2025 edition.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { Engine, ROOT, Reference, generator } from "./engines.mjs";

const ZOO = fs.readFileSync(path.join(ROOT, "tests/graphql/schemas/zoo.graphql"), "utf8");
let engine, reference;

before(() => {
	engine = new Engine();
	reference = new Reference();
});
after(async () => {
	assert.equal(await engine.end(), 0);
	await reference.end();
});

const places = (answer) => (answer.ok ? "accepted" : answer.errors
	.map(({ locations }) => [...new Set(locations.map(({ line, column }) => `${line}:${column}`))].sort().join("+"))
	.sort().join(" "));

// Two fragments of one name, or a fault that the reference throws: only that both refuse is compared.
function doubled(text) {
	const names = [...text.matchAll(/^fragment (\w+)/gm)].map((match) => match[1]);
	return new Set(names).size < names.length;
}

// Both told the same, for each text; what the reference said, by its first words.
async function compare(command, texts) {
	const told = [], kinds = new Map();
	let refused = 0;
	await Promise.all(texts.map(async (text) => {
		const [ours, theirs] = await Promise.all([engine.ask(command, text), reference.ask(command, text)]);
		for (const { message } of theirs.errors ?? []) {
			const kind = message.replace(/"[^"]*"|'[^']*'/g, "_").split(" ").slice(0, 5).join(" ");
			kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
		}
		if (!theirs.ok) refused++;
		if (theirs.thrown || doubled(text) ? ours.ok !== theirs.ok : places(ours) !== places(theirs)) {
			told.push(`${text}\n  ours:   ${places(ours)} ${ours.errors?.map((e) => e.message)}\n` +
				`  theirs: ${places(theirs)} ${theirs.errors?.map((e) => e.message)}`);
		}
	}));
	assert.deepEqual(told.slice(0, 5).join("\n"), "", `${told.length} of ${texts.length} differ`);
	return { kinds, refused };
}

// --- documents

// What a schema offers, as the engine's own introspection tells it.
async function model(text) {
	await engine.ask("schema", text);
	const { schema } = await engine.ask("introspect", (await reference.ask("question")).text);
	return new Map(schema.types.map((type) => [type.name, type]));
}

// Documents from a schema. Each choice is taken badly once in `noise` times, which aims at one rule or another.
class Writer {
	constructor(types, seed, noise) {
		this.types = types;
		this.below = generator(seed);
		this.noise = noise;
	}

	bad() { return this.noise > 0 && this.below(this.noise) === 0; }
	one(list) { return list[this.below(list.length)]; }
	named(type) { return type.ofType ? this.named(type.ofType) : this.types.get(type.name); }
	show(type) { return type.kind === "NON_NULL" ? `${this.show(type.ofType)}!` : type.kind === "LIST" ? `[${this.show(type.ofType)}]` : type.name; }

	variable(type) {
		if (this.bad()) return this.one(["$nowhere", "$v0", "$v1"]);
		const name = `$v${this.variables.length}`;
		const bare = type.kind === "NON_NULL" ? type.ofType : type;
		let shown = this.show(this.below(2) ? type : bare);
		if (this.bad()) shown = this.one(["Int", "String!", "[ID]", "Dog", "Nope", "Choice", `[${shown}]`]);
		const fallback = this.below(3) ? "" : ` = ${this.value(bare, 3, true)}`;
		this.variables.push(`${name}: ${shown}${fallback}${this.bad() ? " @once @once" : ""}`);
		return name;
	}

	value(type, depth, constant = false) {
		if (this.bad()) return this.one(["1", "1.5", "\"s\"", "true", "null", "RED", "NOPE", "[]", "[1, null]", "{}", "{a: 1, a: 2}",
			"99999999999", "\"\"\"b\"\"\"", "{n: 1, x: {y: [2]}}", "{need: RED, need: BLUE}", "-2147483648"]);
		if (!constant && this.below(6) === 0) return this.variable(type);
		if (type.kind === "NON_NULL") return this.value(type.ofType, depth, constant);
		if (this.below(12) === 0) return constant || this.below(2) ? "null" : this.variable(type);
		if (type.kind === "LIST") {
			if (this.below(4) === 0) return this.value(type.ofType, depth, constant);
			return `[${Array.from({ length: this.below(3) }, () => this.value(type.ofType, depth, constant)).join(", ")}]`;
		}
		const named = this.types.get(type.name);
		if (named.kind === "ENUM") return this.one(named.enumValues).name;
		if (named.kind === "INPUT_OBJECT") {
			let fields = named.inputFields;
			if (named.isOneOf) fields = [this.one(fields)];
			else fields = fields.filter((f) => (f.type.kind === "NON_NULL" && !f.defaultValue) || (depth < 3 && this.below(3) === 0));
			if (this.bad()) fields = [...fields, this.one(named.inputFields)];
			if (this.bad()) fields = fields.slice(1);
			return `{${fields.map((f) => `${this.bad() ? "zz" : f.name}: ${this.value(f.type, depth + 1, constant)}`).join(", ")}}`;
		}
		return { Int: "7", Float: this.one(["1.5", "2"]), String: this.one(["\"s\"", "\"\"\"b\"\"\""]), Boolean: "true",
			ID: this.one(["3", "\"id\""]), Any: this.one(["{a: [1, RED]}", "1"]) }[type.name];
	}

	arguments(args) {
		let given = args.filter((a) => (a.type.kind === "NON_NULL" && !a.defaultValue) || this.below(3) === 0);
		if (this.bad()) given = given.slice(1);
		if (this.bad() && args.length > 0) given = [...given, this.one(args)];
		const texts = given.map((a) => `${a.name}: ${this.value(a.type, 0)}`);
		if (this.bad()) texts.push(`zz: ${this.one(["1", "{a: 1, a: 2}", "$v0"])}`);
		return texts.length > 0 ? `(${texts.join(", ")})` : "";
	}

	directives(top = false) {
		if (this.bad()) return ` ${this.one(["@nope", "@skip", "@once @once", "@tag", "@tag(n: \"x\")", "@skip(if: true, if: false)",
			"@deprecated", "@include(if: 1)", "@tag(n: 1, zz: 2)", "@nope(id: {a: $nowhere})", "@once(color: PINK)", "@skip(if: $v0)"])}`;
		if (top || this.below(8)) return "";
		return ` ${this.one(["@skip(if: false)", "@include(if: true)", "@tag(n: 1) @tag(n: 2)"])}`;
	}

	fragment(type) {
		if (this.bad()) return this.one(["Nope", "F0", "F1", "F2"]);
		if (this.fragments.length > 5 || this.depth > 4) return null;
		const name = this.bad() ? "F0" : `F${this.fragments.length}`;
		const index = this.fragments.push("") - 1;
		this.fragments[index] = `fragment ${name} on ${this.condition(type)}${this.bad() ? " @once" : ""} ${this.set(type)}`;
		return name;
	}

	condition(type) {
		if (this.bad()) return this.one(["Nope", "Int", "Color", "Filter", "Cat", "Human", "Query", "Node"]);
		return type.name;
	}

	field(type) {
		if (type.kind === "UNION" || this.below(10) === 0) return this.bad() ? "lives" : "__typename";
		let field = this.one(type.fields);
		if (type.name === "Query" && this.below(25) === 0) return this.one(["__schema { types { name fields { name type { name } } } }",
			"__type(name: \"Dog\") { kind }", "__schema { types { fields { type { fields { type { interfaces { name } } } } } } }"]);
		const named = this.named(field.type);
		const leaf = named.kind === "SCALAR" || named.kind === "ENUM";
		if (this.depth > 4 && !leaf && !this.bad()) return "__typename";
		const alias = this.bad() ? `${this.one(["id", "name", "barks", "a"])}: ` : this.below(5) ? "" : `a${this.serial++}: `;
		const name = this.bad() ? "zz" : field.name;
		const args = alias || field.args.length === 0 || this.bad() ? this.arguments(field.args) : this.plain(field);
		const set = leaf === !this.bad() ? "" : leaf ? " { id }" : ` ${this.set(named)}`;
		return `${alias}${name}${args}${this.directives()}${set}`;
	}

	// The same arguments every time, so that fields of one name go together.
	plain(field) {
		const given = field.args.filter((a) => a.type.kind === "NON_NULL" && !a.defaultValue);
		return given.length > 0 ? `(${given.map((a) => `${a.name}: ${a.type.ofType.name === "Int" ? 3 : "\"id\""}`).join(", ")})` : "";
	}

	selection(type) {
		const kind = this.below(10);
		if (kind === 0) {
			const name = this.fragment(type);
			if (name) return `...${name}${this.directives()}`;
		}
		if (kind === 1 && this.depth < 5) {
			const inner = type.possibleTypes ? this.types.get(this.one(type.possibleTypes).name) : type;
			return `...${this.below(4) || inner !== type ? ` on ${this.condition(inner)}` : ""}${this.directives()} ${this.set(inner)}`;
		}
		return this.field(type);
	}

	set(type) {
		this.depth++;
		const text = `{\n${Array.from({ length: 1 + this.below(4) }, () => this.selection(type)).join("\n")}\n}`;
		this.depth--;
		return text;
	}

	operation(name) {
		const root = this.one(["Query", "Query", "Query", "Mutation", "Subscription"]);
		this.variables = [];
		this.depth = 0;
		const set = root === "Subscription" && this.below(3) ? `{ ${this.field(this.types.get(root))} }` : this.set(this.types.get(root));
		if (this.bad()) this.variables.push(this.one(["$unused: Int", "$v0: Int", "$v0: ID = {a: 1, a: 2}"]));
		const list = this.variables.length > 0 ? `(${this.variables.join(", ")})` : "";
		return `${root.toLowerCase()} ${this.bad() ? "" : name}${list}${this.directives(true)} ${set}`;
	}

	document() {
		this.fragments = [];
		this.serial = 0;
		const parts = [this.operation("A")];
		if (this.below(4) === 0) parts.push(this.operation(this.bad() ? "A" : "B"));
		if (this.bad()) parts.push(`fragment F9 on Node { id ...F9 }`);
		if (this.bad()) parts.push("{ pet { __typename } }");
		if (this.bad()) parts.push(this.one(["scalar X", "fragment F7 on Node { ...F8 id } fragment F8 on Node { ...F7 ...F7 }"]));
		return [...parts, ...this.fragments].join("\n");
	}
}

test("3,000 documents are judged as the reference implementation judges them, fault by fault", async () => {
	const types = await model(ZOO);
	assert.deepEqual(await engine.ask("schema", ZOO), { ok: true });
	assert.deepEqual(await reference.ask("schema", ZOO), { ok: true });
	const documents = Array.from({ length: 3000 }, (_, i) => new Writer(types, 7919 * (i + 1), [0, 150, 40, 15][i % 4]).document());
	const { kinds, refused } = await compare("validate", documents);
	assert.ok(refused > 500 && refused < 2700, `${refused} are refused`);
	assert.ok(kinds.size >= 35, `only ${kinds.size} kinds of faults: ${[...kinds.keys()].join("; ")}`);
});

// --- schemas

// A line or a word of the schema changed.
function changed(text, below) {
	const lines = text.split("\n");
	for (let n = 1 + below(2); n > 0; n--) {
		const i = below(lines.length);
		const words = ["Int", "Dog", "Color", "Filter", "Nope", "Pet", "Node", "Any", "Query", "String"];
		const change = [
			() => lines.splice(i, 1),
			() => lines.splice(i, 0, lines[i]),
			() => { lines[i] = lines[i].replace(/\b[A-Z][A-Za-z]+\b/, words[below(words.length)]); },
			() => { lines[i] = lines[i].replace("!", ""); },
			() => { lines[i] = lines[i].replace(/(: \w+)$/, "$1!"); },
			() => { lines[i] = lines[i].replace(/\w+(?=[(:])/, ["id", "__x", "name"][below(3)]); },
			() => { lines[i] = lines[i].replace(/^(type|interface|input|union|enum)/, ["extend $1", "type", "input", "interface"][below(4)]); },
			() => { lines[i] += [" @deprecated", " @nope", " @oneOf", " = 1", " = {}", " @deprecated @deprecated", " @tag(n: 1)"][below(7)]; },
			() => lines.push(["type Query { a: Int }", "scalar Dog", "extend type Dog { barks: Int }", "directive @once on FIELD", "union E",
				"input L { l: L! }", "input L { l: L = {} }", "type T implements Node & Node { id: ID! }", "interface I implements I { a: Int }",
				"extend union Pet = Dog | Human", "extend schema { query: Dog }", "enum Z { A __B A }", "directive @d(a: Dog!) on FIELD",
				"input O @oneOf { a: Int! b: Int = 1 }", "extend enum Nope { A }", "extend input Choice { d: [Int] }"][below(16)]),
		][below(9)];
		change();
	}
	return lines.join("\n");
}

test("1,500 schemas are judged as the reference implementation judges them, fault by fault", async () => {
	const below = generator(4242);
	const { kinds, refused } = await compare("schema", Array.from({ length: 1500 }, () => changed(ZOO, below)));
	assert.ok(refused > 500 && refused < 1450, `${refused} are refused`);
	assert.ok(kinds.size >= 25, `only ${kinds.size} kinds of faults: ${[...kinds.keys()].join("; ")}`);
});

// --- introspection

test("what introspection tells makes the same schema again for a client", async () => {
	const files = [ZOO];
	const own = path.join(ROOT, "assets/schema.graphql");
	if (fs.existsSync(own)) files.push(fs.readFileSync(own, "utf8"));
	for (const text of files) {
		assert.deepEqual(await engine.ask("schema", text), { ok: true });
		const { schema } = await engine.ask("introspect", (await reference.ask("question")).text);
		assert.deepEqual(await reference.ask("client", schema, text), { ok: true, same: true });
	}
});
