// The syntax of documents, compared with the reference implementation: the same are accepted, the same refused at the
// same place, and what is read means the same.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { Engine, ROOT, Reference, generator } from "./engines.mjs";

let engine, reference;

before(() => {
	engine = new Engine();
	reference = new Reference();
});
after(async () => {
	assert.equal(await engine.end(), 0);
	await reference.end();
});

const folder = path.join(ROOT, "tests/graphql/documents");
const corpus = fs.readdirSync(folder).sort().map((name) => fs.readFileSync(path.join(folder, name), "utf8"));

// One definition each, and the files whole.
const definitions = corpus.flatMap((text) => [text, ...text.split(/\n(?=[a-z"{])/)]);

async function compare(texts) {
	const told = [];
	await Promise.all(texts.map(async (text) => {
		const [ours, theirs] = await Promise.all([engine.ask("parse", text), reference.ask("parse", text)]);
		const place = (answer) => (answer.ok ? "accepted" : JSON.stringify(answer.errors[0].locations));
		if (place(ours) !== place(theirs)) {
			told.push(`${JSON.stringify(text)}\n  ours:   ${place(ours)} ${ours.errors?.[0].message}\n` +
				`  theirs: ${place(theirs)} ${theirs.errors?.[0].message}`);
		}
	}));
	assert.deepEqual(told.slice(0, 5), [], `${told.length} of ${texts.length} differ`);
}

const EDGES = [
	"", " ", ",", "\ufeff", "#", "# only\r\n", "{", "}", "{}", "{ }", "{ a }", "{a}{b}", "query", "query {", "query {}", "query Q",
	"query Q()", "query Q() { a }", "query ($a) { a }", "query ($a: ) { a }", "query ($a: [A) { a }", "query ($a: A!!) { a }",
	"query ($a: [[A!]!]!) { a }", "query ($a: A = ) { a }", "query ($a: A = $b) { a }", "query ($a: A = [$b]) { a }",
	"query ($a: A = $) { a }", "query ($a: A = {b: $c}) { a }", "query ($a: A @b(c: $d)) { a }", "query (a: A) { a }",
	"query ($: A) { a }", "query Q @a { b }", "query @a Q { b }", "query Q(\"d\" $a: A) { a }", "query Q(\"d\") { a }",
	"{ a( }", "{ a() }", "{ a(b) }", "{ a(b:) }", "{ a(b: 1 }", "{ a(b: 1,) }", "{ a(b: 1 c: 2) }", "{ a(: 1) }", "{ a: }",
	"{ a:: b }", "{ a: b: c }", "{ : a }", "{ a @ }", "{ a @b( }", "{ a @b() }", "{ a {} }", "{ a { b }", "{ ... }", "{ ...on }",
	"{ ... on { a } }", "{ ... on A }", "{ ...A { b } }", "{ ...A(b: 1) }", "{ ...A @b }", "{ ... @b { a } }", "{ .. a }", "{ . a }",
	"{ .... a }", "{ ...... a }", "{ a .5 }", "fragment", "fragment A", "fragment A on", "fragment A on B", "fragment A on B {}",
	"fragment on on B { a }", "fragment A(b: C) on B { a }", "fragment A B { c }", "\"d\" { a }", "\"d\" query { a }", "\"d\"",
	"\"d\" \"e\" query { a }", "\"d\" extend type A @b", "\"d\" a", "\"d\" 1", "\"d\" }", "mutation M { a }", "Query { a }", "a", "1", "$a",
	...["0", "00", "-0", "-", "--1", "+1", "1.", ".1", "1.0", "1.e5", "1e5", "1e", "1e+", "1E-5", "1.5e5.5", "1a", "1_", "0x1", "01.5",
		"1.5a", "1...", "0.0", "-00", "1-1", "9".repeat(400), "1\u00e9", "1\"a\"", "1[", "$a", "$", "$1", "true", "TRUE", "null", "on",
		"[", "[]", "[,]", "[1", "[1 2, 3]", "{}", "{a}", "{a:}", "{a: 1", "{a: 1, a: 2}", "{1: 1}", "{$a: 1}", "{a: $b}", "@a", "!", "&",
		"|", "=", ":", "(", "?", "%", "~", "^", "`", "\\", "/", "//", "/* */", "<", ";", "'a'", "\u00e9", "\u{1F600}", "\u2028", "\u00a0",
		"\u0000", "\u0007", "\u000b", "\u007f", "\"a\u0000b\"", "\"\u0007\"",
		'""', '"a', '"a\n"', '"a\r"', '"\\', '"\\"', '"\\\n"', '"\\q"', '"\\u"', '"\\u1"', '"\\u12"', '"\\u123"', '"\\u123g"', '"\\uD800"',
		'"\\uD800\\u"', '"\\uD800\\uD800"', '"\\uDC00"', '"\\uD800\\uDC00"', '"\\uD800 \\uDC00"', '"\\u{}"', '"\\u{0}"', '"\\u{00000041}"',
		'"\\u{000000041}"', '"\\u{110000}"', '"\\u{D800}"', '"\\u{FFFFFFFF}"', '"\\u{g}"', '"\\u{1', '"\\u{1"', '"\\U0041"', '"\\x41"',
		'"\u2028"', '"\u{1F600}" ?', '"""', '""""', '"""""', '""""""', '"""""""', '"""a""""', '"""a\\"""', '"""a\\""""""', '"""\\u00zz"""',
		'"""\n\r\r\n a"""?', '"""\u{1F600}\n\u{1F600}""" ?', '"""\u{1F600}""" ?', '"a" "b"', '"a""b"', '"""a""""b"'].map((value) => `{ a(b: ${value}) }`),
	"schema", "schema {}", "schema { query }", "schema { query: }", "schema { query: [A] }", "schema { a: A }", "schema @a", "scalar",
	"scalar A", "scalar A @b(c: $d)", "scalar 1", "type", "type A {}", "type A { b }", "type A { b: }", "type A { b(): C }",
	"type A { b(c): D }", "type A { b(c: D): E }", "type A { b(c: D = $e): E }", "type A { \"d\" }", "type A { \"d\" \"e\" b: C }",
	"type A implements", "type A implements { b: C }", "type A implements &", "type A implements & B", "type A implements B C { d: E }",
	"type A implements B, C { d: E }", "type A implements B & { c: D }", "type A implements B && C", "type A @b implements C",
	"interface", "interface A", "interface A {}", "union", "union A", "union A =", "union A = |", "union A = | B |", "union A = B C",
	"union A = B || C", "union A | B", "enum", "enum A", "enum A {}", "enum A { true }", "enum A { false }", "enum A { null }",
	"enum A { on }", "enum A { \"d\" true }", "enum A { B: C }", "enum A { 1 }", "input", "input A", "input A {}", "input A { b }",
	"input A { b: C = }", "input A { b(c: D): E }", "directive", "directive a", "directive @", "directive @a", "directive @a on",
	"directive @a on |", "directive @a on A", "directive @a on FIELD FIELD", "directive @a on FIELD |", "directive @a() on FIELD",
	"directive @a repeatable FIELD", "directive @a repeatable repeatable on FIELD", "directive @a @b on FIELD", "directive @a on FIELD | FIELD",
	"directive @a on field", "directive @a on toString", "directive @a on DIRECTIVE_DEFINITION", "extend", "extend a", "extend {", "extend query { a }",
	"extend fragment A on B { c }", "extend \"d\" type A @b", "extend schema", "extend schema {}", "extend schema @a", "extend scalar A",
	"extend type A", "extend type A {}", "extend type A implements B", "extend interface A", "extend union A", "extend union A =",
	"extend enum A", "extend enum A {}", "extend input A", "extend input A {}", "extend directive", "extend directive @a",
	"extend directive @a @b", "extend directive @a on FIELD", "extend extend type A @b", "{ a }\r\n\n\r}", "\ufeff\ufeff{ a\ufeff ?",
	"# \u{1F600}\n?", "{ a } # \u{1F600} ?\r?", "{\r\ra\n\r\n?", "{ a } \u0000", "#\u0000\n?", "{ a }\u{1F600}", "\u00e9{ a }",
];

test("edges of the grammar are judged as by the reference", async () => {
	assert.ok(EDGES.length > 300);
	await compare(EDGES);
});

test("every prefix of the corpus is judged as by the reference", async () => {
	for (const text of corpus) {
		assert.deepEqual((await engine.ask("parse", text)).ok, true);
		await compare(Array.from({ length: text.length }, (_, n) => text.slice(0, n)).filter((t) => t.isWellFormed?.() ?? true));
	}
});

// Cuts where tokens and strings begin and end, so that a mutation is often nearly right.
const pieces = (text) => text.match(/"""|"|\.\.\.|[\w]+|\s+|[^\w\s]/gu) ?? [];

function mutated(random, text) {
	const parts = pieces(text);
	for (let n = 1 + random(3); n > 0; n--) {
		const at = random(parts.length + 1);
		const other = pieces(definitions[random(definitions.length)]);
		const length = 1 + random(3);
		switch (random(6)) {
		case 0: parts.splice(at, length); break;
		case 1: parts.splice(at, 0, ...parts.slice(at, at + length)); break;
		case 2: parts.splice(at, random(2), ...other.slice(random(other.length)).slice(0, length)); break;
		case 3: parts.splice(at, random(2), ["{", "}", "(", ")", "[", "]", ":", "=", "!", "|", "&", "@", "$", "..."][random(14)]); break;
		case 4: parts.splice(at, 0, ["\"", "\"\"\"", "\\", "\r", "\n", "\r\n", ",", "#", "\ufeff", "\u{1F600}", "\u0000", "-", ".", "0"][random(14)]); break;
		case 5: [parts[at], parts[at + 1]] = [parts[at + 1] ?? "", parts[at] ?? ""]; break;
		}
	}
	return parts.join("");
}

test("4,000 mutated documents are judged as by the reference", async () => {
	const random = generator(20260923);
	for (let round = 0; round < 8; round++) {
		await compare(Array.from({ length: 500 }, () => mutated(random, definitions[random(definitions.length)])));
	}
});

test("what is read means what the reference reads, and printing it again changes nothing", async () => {
	const random = generator(7);
	const texts = [...definitions, ...EDGES, ...Array.from({ length: 500 }, () => mutated(random, definitions[random(definitions.length)]))];
	let accepted = 0;
	for (const text of texts) {
		const printed = await engine.ask("print", text);
		if (!printed.ok) continue;
		accepted++;
		assert.equal((await engine.ask("print", printed.text)).text, printed.text);
		const [ours, theirs] = await Promise.all([reference.ask("level", printed.text), reference.ask("level", text)]);
		assert.equal(ours.text, theirs.text, text);
	}
	assert.ok(accepted > 150, `only ${accepted}`);
});

test("bytes that are not UTF-8 are refused with their place", async () => {
	const refused = await engine.ask("parse", Buffer.from([0x7b, 0x0a, 0x61, 0xff]));
	assert.deepEqual(refused.errors[0].locations, [{ line: 2, column: 2 }]);
	assert.equal(refused.errors[0].code, "invalid_utf8");
});
