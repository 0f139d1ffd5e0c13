// restate.mjs - Restate: one server, its log synced; a service here runs the steps, each of which is in the log before
// the next begins. There is no weaker mode.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { rm, mkdir } from 'node:fs/promises';
import http from 'node:http';

process.env.RESTATE_LOGGING = 'ERROR'; // read when the module is loaded
const restate = await import('@restatedev/restate-sdk');

export const WINDOW = 100;
const PORT = 18190; // and the two after it
const agent = new http.Agent({ keepAlive: true, maxSockets: 1000 });
let server;

const bench = restate.service({
	name: 'bench',
	handlers: {
		execute: async (ctx, steps) => {
			let sum = 0;
			for (let i = 0; i < steps; i++) sum += await ctx.run(`n${i}`, () => i);
			return sum;
		},
	},
});

function ask(method, port, path, body) {
	return new Promise((resolve, reject) => {
		const headers = { 'content-type': 'application/json' };
		const request = http.request({ agent, host: '127.0.0.1', port, method, path, headers }, (response) => {
			let text = '';
			response.on('data', (chunk) => (text += chunk));
			response.on('end', () =>
				response.statusCode < 300 ? resolve(text) : reject(new Error(`${path}: ${response.statusCode} ${text}`)));
		});
		request.on('error', reject);
		request.end(body);
	});
}

async function until_ready(path) {
	for (let tries = 0; ; tries++) {
		try {
			return await ask('GET', PORT + 1, path);
		} catch (error) {
			if (tries > 300) throw error;
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
}

export async function start(settings) {
	await rm(settings.folder, { recursive: true, force: true });
	await mkdir(settings.folder, { recursive: true });
	const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
	const binary = createRequire(import.meta.url).resolve(`@restatedev/restate-server-linux-${arch}/bin/restate-server`);
	server = spawn('setpriv', ['--pdeathsig', 'KILL', binary, '--no-logo', '--bind-ip', '127.0.0.1', '--node-name', 'bench', '--bind-port', String(PORT + 3)], {
		stdio: 'ignore',
		env: {
			...process.env,
			RESTATE_BASE_DIR: settings.folder,
			RESTATE_DISABLE_TELEMETRY: 'true',
			RESTATE_LOG_FILTER: 'error',
			RESTATE_LISTEN_MODE: 'tcp',
			RESTATE_INGRESS__BIND_PORT: String(PORT),
			RESTATE_ADMIN__BIND_PORT: String(PORT + 1),
		},
	});
	await restate.serve({ services: [bench], port: PORT + 2 });
	await until_ready('/health');
	await ask('POST', PORT + 1, '/deployments', JSON.stringify({ uri: `http://127.0.0.1:${PORT + 2}` }));
}

export const execute = async (steps) => JSON.parse(await ask('POST', PORT, '/bench/execute', JSON.stringify(steps)));

export async function stop() {
	server.kill();
}
