// bullmq.mjs - BullMQ: an execution is a flow, a chain of jobs each of which waits for its child; the whole flow is
// added at once. Redis writes its log with appendfsync always, so whatever it has answered is durable; completed jobs
// and their results are kept.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { FlowProducer, Worker } from 'bullmq';

export const WINDOW = 200;
const QUEUE = 'bench';

const ended = new Map();
let redis, producer, worker, executions = 0;

// Redis comes with redis-tools under the name of a tool that looks at its first word.
async function redis_start(folder) {
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true });
	const socket = `${folder}/redis.sock`;
	const settings = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--appendonly', 'yes',
		'--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction', '--logfile', 'redis.log'];
	redis = spawn('setpriv', ['--pdeathsig', 'KILL', 'bash', '-c', 'exec -a redis-server redis-check-rdb "$@"', '', ...settings], {
		stdio: 'ignore',
	});
	redis.on('error', (error) => { throw error; });
	for (let tries = 0; tries < 100 && !existsSync(socket); tries++) await setTimeout(50);
	return { path: socket, maxRetriesPerRequest: null };
}

export async function start(settings) {
	const connection = await redis_start(settings.folder);
	producer = new FlowProducer({ connection });
	await producer.waitUntilReady();
	worker = new Worker(QUEUE, run, { connection, concurrency: 100 });
	worker.on('completed', completed);
	worker.on('error', (error) => { throw error; });
	await worker.waitUntilReady();
}

async function run(job) {
	let sum = job.data.i;
	if (sum > 0) for (const value of Object.values(await job.getChildrenValues())) sum += value;
	return sum;
}

function completed(job, sum) {
	const { execution } = job.data;
	if (execution === undefined) return;
	ended.get(execution)(sum);
	ended.delete(execution);
}

// The last job is the root of the tree.
function flow(steps, execution) {
	let job;
	for (let i = 0; i < steps; i++)
		job = { name: `n${i}`, queueName: QUEUE, data: i + 1 === steps ? { i, execution } : { i }, children: job ? [job] : [] };
	return job;
}

export async function execute(steps) {
	const execution = executions++;
	const end = new Promise((resolve) => ended.set(execution, resolve));
	await producer.add(flow(steps, execution));
	return end;
}

export async function stop() {
	await worker.close();
	await producer.close();
	redis.kill();
}
