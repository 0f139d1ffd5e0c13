// graphile.mjs - graphile-worker: a node is a job; its end adds the next one. The start of an execution and each new
// job are committed; a job's end is a row deleted, in batches as its guide to performance says. It keeps no history.
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { database } from './postgres.mjs';

export const WINDOW = 200;
const JOBS = 24;

const ended = new Map();
let pool, utils, runner, executions = 0;

async function node({ execution, i, sum, steps }, { addJob }) {
	if (i + 1 < steps) await addJob('node', { execution, i: i + 1, sum: sum + i, steps });
	else {
		ended.get(execution)(sum + i);
		ended.delete(execution);
	}
}

export async function start(settings) {
	pool = new pg.Pool({ ...database(settings.database), max: JOBS + 12 });
	pool.on('error', (error) => { throw error; });
	pool.on('connect', (client) => client.on('error', (error) => { throw error; }));
	await pool.query('drop schema if exists open_bench_graphile cascade');
	const options = { pgPool: pool, schema: 'open_bench_graphile' };
	utils = await makeWorkerUtils(options);
	await utils.migrate();
	runner = await run({
		...options,
		taskList: { node },
		noHandleSignals: true,
		crontab: '',
		logger: new Logger(() => (level, message) => level === 'error' && console.error(message)),
		preset: {
			worker: {
				concurrentJobs: JOBS,
				localQueue: { size: 2 * JOBS },
				completeJobBatchDelay: 0,
				failJobBatchDelay: 0,
			},
		},
	});
}

export async function execute(steps) {
	const execution = executions++;
	const end = new Promise((resolve) => ended.set(execution, resolve));
	await utils.addJob('node', { execution, i: 0, sum: 0, steps });
	return end;
}

export async function stop() {
	await runner.stop();
	await utils.release();
	await pool.end();
}
