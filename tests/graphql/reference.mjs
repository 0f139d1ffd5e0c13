// reference.mjs - the reference implementation behind the protocol of engines.mjs: on stdin lines of JSON
// [COMMAND, argument...], on stdout one line of JSON for each. Answers look like those of gql_check.c.
import { pathToFileURL } from "node:url";

import { lines } from "./engines.mjs";

const {
	buildASTSchema, buildClientSchema, buildSchema, getIntrospectionQuery, parse, print, printSchema, validate, validateSchema, visit,
} = await import(pathToFileURL(process.argv[2]));
const { validateSDL } = await import(pathToFileURL(process.argv[2].replace(/index\.mjs$/, "validation/validate.mjs")));
const options = { allowEmptySelectionSets: false };
let schema;

// What both print alike: no block strings but descriptions, directive locations in order and once.
function leveled(document) {
	return visit(document, {
		StringValue: (node) => ({ ...node, block: false }),
		DirectiveDefinition: (node) => ({
			...node,
			locations: [...new Map(node.locations.map((name) => [name.value, name])).values()]
				.sort((a, b) => (a.value < b.value ? -1 : 1)),
		}),
	});
}

const fault = (error) => ({
	ok: false,
	errors: [{ message: error.message, locations: error.locations ?? [] }],
});

const faults = (errors) => errors.length === 0
	? { ok: true }
	: { ok: false, errors: errors.map(({ message, locations }) => ({ message, locations: locations ?? [] })) };

const commands = {
	// The schema of the commands below.
	schema(text) {
		const document = parse(text);
		const errors = validateSDL(document);
		if (errors.length > 0) return faults(errors);
		try {
			schema = buildASTSchema(document, { assumeValidSDL: true });
			return faults(validateSchema(schema));
		} catch (error) {
			// It throws instead of telling of some faults.
			return { ok: false, errors: [{ message: error.message, locations: [] }], thrown: true };
		}
	},
	validate: (text) => faults(validate(schema, parse(text, options), undefined, options)),
	// What to ask for everything there is.
	question: () => ({ ok: true, text: getIntrospectionQuery({
		specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true,
		experimentalDirectiveDeprecation: true, oneOf: true,
	}) }),
	// The introspection of a schema and its text: is it one, and the same?
	client(__schema, text) {
		const client = buildClientSchema({ __schema });
		const sorted = (s) => printSchema(s).split("\n\n").sort().join("\n\n");
		return { ...faults(validateSchema(client)), same: sorted(client) === sorted(buildSchema(text)) };
	},
	// Accepted or not, and where.
	parse(text) {
		parse(text, options);
		return { ok: true };
	},
	// One text for all documents that mean the same.
	level(text) {
		return { ok: true, text: print(leveled(parse(text, options))) };
	},
};

for await (const line of lines(process.stdin)) {
	const [command, ...args] = JSON.parse(line);
	let answer;
	try {
		answer = commands[command](...args);
	} catch (error) {
		if (error.name !== "GraphQLError") throw error;
		answer = fault(error);
	}
	process.stdout.write(JSON.stringify(answer) + "\n");
}
