# settings.awk PAGE SAMPLE: the page with ".\" SETTINGS" replaced by every setting of the sample configuration.
function roff(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	sub(/^[.']/, "\\\\\\&&", s)
	return s
}
FNR == NR {
	page[++lines] = $0
	next
}
/^# / { doc = substr($0, 3) }
/^#[a-z]/ {
	name = $0
	sub(/^#/, "", name)
	value = name
	sub(/ = .*/, "", name)
	sub(/^[^=]* = /, "", value)
	settings = settings sprintf(".TP\n.BI %s \" = \" %s\n%s\n", name, "\"" roffq(value) "\"", roff(doc))
}
function roffq(s) {
	s = roff(s)
	gsub(/"/, "\\(dq", s)
	return s
}
END {
	for (i = 1; i <= lines; i++)
		if (page[i] ~ /SETTINGS$/ && page[i] ~ /^\.\\"/)
			printf "%s", settings
		else
			print page[i]
}
