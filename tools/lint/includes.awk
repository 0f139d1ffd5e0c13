#!/usr/bin/awk -f
# includes.awk FILE... - which folder may include which: base <- dag <- exec <- web <- modules; modules never one
# another; only web knows Kore and OPEN's database (the driver of op sql knows libpq for those of tenants; of the tools, openctl's db.c knows libpq too).

function fail(text) {
	print FILENAME ":" FNR ": " text > "/dev/stderr"
	failed = 1
}

BEGIN {
	rank["base"] = 1; rank["dag"] = 2; rank["exec"] = 3; rank["web"] = 4
}

FNR == 1 {
	folder = ""
	if (FILENAME ~ /^modules\//) {
		split(FILENAME, part, "/")
		folder = part[2]
	}
	mine = folder == "" ? 9 : (folder in rank ? rank[folder] : 5)
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	name = $0
	sub(/^[^<"]*[<"]/, "", name)
	sub(/[>"].*$/, "", name)
	split(name, part, "/")
	other = part[1]
	if (name ~ /^(kore\/)?(kore|http|pgsql|tasks)\.h$/ && folder != "web" && folder != "")
		fail("includes Kore; only modules/web may")
	if (name ~ /^(libpq-fe|libpq\/.*)\.h$/ && folder != "web" && folder != "" && FILENAME !~ /^modules\/exec\/sql_/)
		fail("includes libpq; only modules/web and the driver of op sql may")
	if (name ~ /^(libpq-fe)\.h$/ && FILENAME ~ /^tools\/openctl\// && FILENAME !~ /\/db\.c$/)
		fail("includes libpq; only db.c may")
	if (folder == "" || name !~ /\//)
		next
	if (other in rank && rank[other] > mine)
		fail(folder " must not include " other)
	else if (mine == 5 && !(other in rank) && other != folder && name ~ /^(auth|catalog|executions|graphql)\//)
		fail("a module must not include another: " other)
	else if (mine < 5 && name ~ /^(auth|catalog|executions|graphql)\//)
		fail(folder " must not include the module " other)
}

END { exit failed }
