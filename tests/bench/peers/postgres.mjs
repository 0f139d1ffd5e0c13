// postgres.mjs - a libpq URL as the settings of the package pg, sockets included.
export function database(url) {
	const parsed = new URL(url.replace(/^postgres(ql)?:\/\/(?=\/)/, 'postgresql://socket'));
	const q = parsed.searchParams;
	return {
		host: q.get('host') ?? parsed.hostname,
		port: Number(q.get('port') ?? (parsed.port || 5432)),
		user: q.get('user') ?? decodeURIComponent(parsed.username),
		password: q.get('password') ?? decodeURIComponent(parsed.password),
		database: parsed.pathname.slice(1),
	};
}
