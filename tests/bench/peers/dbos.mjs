// dbos.mjs - DBOS Transact: a workflow's start, each step and its end are rows that PostgreSQL has committed before the
// next step begins. There is no weaker mode.
import { DBOS } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { database } from './postgres.mjs';

export const WINDOW = 100;

const workflow = DBOS.registerWorkflow(
	async (steps) => {
		let sum = 0;
		for (let i = 0; i < steps; i++) sum += await DBOS.runStep(async () => i, { name: `n${i}` });
		return sum;
	},
	{ name: 'bench' },
);

export async function start(settings) {
	const pool = new pg.Pool({ ...database(settings.database), max: 30 });
	await pool.query('drop schema if exists open_bench_dbos cascade');
	DBOS.setConfig({
		name: 'open-bench',
		systemDatabasePool: pool,
		systemDatabaseUrl: 'postgresql://the-pool-is-used@localhost/instead',
		systemDatabaseSchemaName: 'open_bench_dbos',
		logLevel: 'error',
	});
	await DBOS.launch();
}

export async function execute(steps) {
	const handle = await DBOS.startWorkflow(workflow)(steps);
	return handle.getResult();
}

export const stop = () => DBOS.shutdown();
