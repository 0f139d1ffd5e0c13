// graphql.mjs NAME - runs one of the GraphQL servers beside which ../graphql_peers.h measures: as many processes as
// OPEN_BENCH_WORKERS says, on OPEN_BENCH_PEER_PORT; "ready" when all of them listen. A server is a module with
// start({ port, database, connections }).
import cluster from 'node:cluster';
import { database } from './postgres.mjs';

const count = Number(process.env.OPEN_BENCH_WORKERS);

if (cluster.isPrimary) {
	let listening = 0;
	cluster.on('listening', () => {
		if (++listening === count) console.log('ready');
	});
	cluster.on('exit', () => process.exit(1));
	for (let i = 0; i < count; i++) cluster.fork();
	process.stdin.on('end', () => process.exit(0)).resume();
} else {
	process.on('disconnect', () => process.exit(0));
	const { start } = await import(`./${process.argv[2]}.mjs`);
	await start({ port: Number(process.env.OPEN_BENCH_PEER_PORT), database: database(process.env.OPEN_BENCH_DATABASE), connections: 10 });
}
