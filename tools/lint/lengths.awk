#!/usr/bin/awk -f
# lengths.awk FILE... - files of at most 600 lines and functions of at most 60, unless a comment "long: WHY" stands in
# the first 15 lines of the file, or in the 5 lines above the function.

function fail(line, text) {
	print FILENAME ":" line ": " text > "/dev/stderr"
	failed = 1
}

function finish() {
	if (file != "" && lines > 600 && !excused)
		print file ":1: " lines " lines; a file has at most 600, or says why (long: ...)" > "/dev/stderr"
	if (file != "" && lines > 600 && !excused)
		failed = 1
}

FNR == 1 {
	finish()
	file = FILENAME
	excused = 0
	start = 0
	reason = -100
}

{ lines = FNR }
/long: / && FNR <= 15 { excused = 1 }
/long: / { reason = FNR }

# In this code a function's braces stand in the first column.
/^\{/ { start = FNR }
/^\}/ && start > 0 {
	if ($0 == "}" && FNR - start - 1 > 60 && start - reason > 8)
		fail(start, (FNR - start - 1) " lines; a function has at most 60, or says why (long: ...)")
	start = 0
}

END {
	finish()
	exit failed
}
