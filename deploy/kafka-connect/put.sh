#!/usr/bin/env bash
# Creates or changes a connector from a file of properties.
#   put.sh WORKER_URL NAME FILE [KEY=VALUE]...
#   put.sh http://127.0.0.1:8083 segue-s3 s3-camel.properties topics=my.topic
# KEY=VALUE replaces a line of the file.
set -euo pipefail

if [ $# -lt 3 ]; then
  sed -n '2,5s/^# //p' "$0"
  exit 2
fi
url=$1 name=$2 file=$3
shift 3

# A flat JSON object; a later value of a key wins.
as_json() {
  { cat "$file" && printf '%s\n' "$@"; } | awk '
    /^[[:space:]]*(#|$)/ { next }
    {
      at = index($0, "=")
      if (at == 0) { print "put.sh: no key=value: " $0 > "/dev/stderr"; exit 1 }
      key = substr($0, 1, at - 1); value = substr($0, at + 1)
      gsub(/^[[:space:]]+|[[:space:]]+$/, "", key); gsub(/^[[:space:]]+|[[:space:]]+$/, "", value)
      gsub(/\\/, "\\\\", value); gsub(/"/, "\\\"", value)
      if (!(key in values)) order[++count] = key
      values[key] = value
    }
    END {
      printf "{"
      for (i = 1; i <= count; i++)
        printf "%s\"%s\":\"%s\"", (i > 1 ? "," : ""), order[i], values[order[i]]
      print "}"
    }'
}

as_json "$@" | curl -sS --fail-with-body -X PUT -H 'Content-Type: application/json' \
  --data-binary @- "$url/connectors/$name/config"
echo
