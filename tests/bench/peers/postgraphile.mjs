// postgraphile.mjs - PostGraphile as its guide to production says, for the same tables. It asks nobody for a
// credential and works as their owner, to whom no policy applies.
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { makePgService } from 'postgraphile/adaptors/pg';
import { pgSmartTags } from 'postgraphile/utils';
import pg from 'pg';

export async function start({ port, database, connections }) {
	const pool = new pg.Pool({ ...database, max: connections });
	const server = createServer();
	const instance = postgraphile({
		extends: [PostGraphileAmberPreset],
		disablePlugins: ['NodePlugin'],
		plugins: [
			// Executions have no foreign keys; this is how it learns of the relation.
			pgSmartTags([{ kind: 'class', match: 'open.executions', tags: { foreignKey: '(dag_id) references open.dags (id)' } }]),
		],
		pgServices: [makePgService({ pool, schemas: ['open'] })],
		grafserv: { watch: false, graphiql: false },
		grafast: { explain: false },
	});
	await instance.createServ(grafserv).addTo(server);
	await instance.getSchema();
	server.listen(port, '127.0.0.1');
}
