// reference.mjs - the reference implementation behind the protocol of engines.mjs: on stdin lines of JSON
// [COMMAND, argument...], on stdout one line of JSON for each. Answers look like those of gql_check.c.
import { pathToFileURL } from "node:url";

import { lines } from "./engines.mjs";

const { parse, print, visit } = await import(pathToFileURL(process.argv[2]));
const options = { allowEmptySelectionSets: false };

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

const commands = {
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
