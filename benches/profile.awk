# Sums the self costs of a callgrind file by stage. A function is named `own'caller'caller…`; the first of these
# that stands in the table decides.

BEGIN {
  rows = split("prefilter|triggers|views|keys|shapes|expressions|claims|search|escape|compress|other", order, "|")
}

# `fn=(12) name` and `cfn=(12) name` define a short form that later lines use alone.
/^c?fn=/ {
  line = $0
  sub(/^c?fn=/, "", line)
  number = line
  sub(/\).*/, ")", number)
  name = substr(line, length(number) + 2)
  if (name != "") stage[number] = stage_of(name)
  if (/^fn=/) now = stage[number]
  next
}
/^calls=/ { getline; next }
/^[0-9+*-]/ { cost[now] += $2; next }

function stage_of(name, parts, count, at, found) {
  count = split(name, parts, "'")
  for (at = 1; at <= count; at++) if ((found = of(parts[at])) != "") return found
  return "other"
}

function of(name) {
  if (name ~ /redact::(prefilter|automaton)/) return "prefilter"
  if (name ~ /redact::(trigger|simd)/) return "triggers"
  if (name ~ /redact::view/) return "views"
  if (name ~ /redact::(key|carrier)/) return "keys"
  if (name ~ /redact::(shape|digit_index|validate)/) return "shapes"
  if (name ~ /^(regex|regex_automata|aho_corasick)::/) return "expressions"
  if (name ~ /redact::(claims|union|keep|json_number|boundary|context)/) return "claims"
  if (name ~ /redact::(search|redactor)/) return "search"
  if (name ~ /ZSTD|HUF_|FSE_|HIST_|zstd/) return "compress"
  if (name ~ /logveil::batch/) return "escape"
  return ""
}

END {
  for (at = 1; at <= rows; at++) total += cost[order[at]]
  printf "%s: %.1f instructions a byte\n", kind, total / size
  for (at = 1; at <= rows; at++)
    printf "  %-12s %8.2f %6.1f %%\n", order[at], cost[order[at]] / size, 100 * cost[order[at]] / total
}
