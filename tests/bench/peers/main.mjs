// main.mjs PEER - runs one of the peers for ../bench_peers.c, which says on standard input, a line each:
//
//   ten N      N executions of 10 steps, one after the other, WINDOW of them at a time
//   chain N    N executions of 1,000 steps, one at a time
//
// and reads from standard output "ready", then for each line the seconds that it took. A peer is a module with
// start(settings) and stop(); execute(steps) resolves to the sum of the steps' results when the execution has ended
// and is durable as far as the peer makes it; WINDOW is how many at a time are its best.
import { createInterface } from 'node:readline';

const name = process.argv[2];
const peer = await import(`./${name}.mjs`);
const settings = {
	database: process.env.OPEN_BENCH_DATABASE,
	folder: `${process.env.OPEN_BENCH_FOLDER}/${name}`,
};

async function run(executions, steps, window) {
	const expected = (steps * (steps - 1)) / 2;
	let left = executions;
	const client = async () => {
		while (left-- > 0) {
			const sum = await peer.execute(steps);
			if (sum !== expected) throw new Error(`${name}: ${steps} steps gave ${sum}, not ${expected}`);
		}
	};
	const begun = process.hrtime.bigint();
	await Promise.all(Array.from({ length: Math.min(window, executions) }, client));
	return Number(process.hrtime.bigint() - begun) / 1e9;
}

process.on('unhandledRejection', (error) => {
	console.error(error);
	process.exit(1);
});
await peer.start(settings);
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
	const [what, count] = line.split(' ');
	const seconds =
		what === 'ten'
			? await run(Number(count), 10, peer.WINDOW)
			: await run(Number(count), 1000, 1);
	console.log(seconds.toFixed(6));
}
await peer.stop();
process.exit(0);
