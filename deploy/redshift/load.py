#!/usr/bin/env python3
"""Turns records of the manifest topic into COPY statements for Amazon Redshift.

  kafka-console-consumer --bootstrap-server BROKERS --topic segue.archive.manifest \\
      --group redshift --from-beginning --timeout-ms 10000 \\
      --consumer-property enable.auto.commit=false \\
      --property print.partition=true --property print.offset=true >NAME.records
  deploy/redshift/load.py --role arn:aws:iam::123456789012:role/loader \\
      --manifests s3://my-bucket/loads --name NAME --out load <NAME.records

Reads one JSON value a line, with the place of its record before it, and writes: NAME.manifest, to be
put at MANIFESTS/NAME.manifest; NAME.sql, to be run then; NAME.offsets.csv, where the group is to go on
once that is done (kafka-consumer-groups --reset-offsets --from-file). Not before: what is committed
and not loaded is never loaded. Loading the same records again changes nothing. Exit codes: 0 written;
1 nothing to load, no manifest was written; 2 a record that cannot be loaded.
"""

import argparse
import json
import pathlib
import re
import sys

SCHEMA_VERSION = 1  # of tables.sql
# As the consumer prints it: a partition, an offset, a value.
PLACE = re.compile(r"Partition:(\d+)\tOffset:(\d+)\t(.*)", re.DOTALL)

LOAD = """-- {files} files, {rows} rows, FINISH records among them: the view `exchanges` has fewer. Rows that were
-- loaded before are replaced, so that a load may be repeated.
BEGIN;
CREATE TEMP TABLE incoming (LIKE records);
COPY incoming FROM {manifest}
IAM_ROLE {role}
FORMAT AS PARQUET SERIALIZETOJSON MANIFEST;
DELETE FROM records USING incoming
WHERE records.source = incoming.source AND records."partition" = incoming."partition"
  AND records."offset" = incoming."offset";
INSERT INTO records SELECT * FROM incoming;
DROP TABLE incoming;
COMMIT;
"""


class Unloadable(Exception):
    pass


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def files_of(number, line):
    """The files of one record; none of a range that was lost."""
    try:
        record = json.loads(line)
        version, files = record["schema_version"], record["files"]
        found = [(file["url"], int(file["bytes"]), int(file["rows"])) for file in files]
    except (ValueError, KeyError, TypeError) as error:
        raise Unloadable(f"line {number} is no record of the manifest topic: {error!r}") from None
    if version != SCHEMA_VERSION:
        raise Unloadable(f"line {number}: files of schema version {version}; tables.sql and this "
                         f"script know {SCHEMA_VERSION}: take those of the newer Segue")
    for url, _, _ in found:
        if not url.startswith("s3://"):
            raise Unloadable(f"line {number}: {url} is not in S3: Redshift reads nothing else")
    return found


def gather(lines):
    """Each file once: a record comes again when its archiver was not sure that it had been sent.
    And of each partition the offset behind its last record."""
    files, behind = {}, {}
    for number, line in enumerate(lines, 1):
        place = PLACE.fullmatch(line)
        if place:
            partition, offset, line = int(place[1]), int(place[2]), place[3]
            behind[partition] = max(behind.get(partition, 0), offset + 1)
        if line.strip():
            for url, size, rows in files_of(number, line):
                files[url] = (size, rows)
    return files, behind


def write_offsets(options, behind):
    if not behind:
        return
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{options.name}.offsets.csv").write_text("".join(
        f"{options.topic},{partition},{offset}\n" for partition, offset in sorted(behind.items())))


def write(options, files):
    entries = [{"url": url, "mandatory": True, "meta": {"content_length": size}}
               for url, (size, _) in files.items()]
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{options.name}.manifest").write_text(json.dumps({"entries": entries}, indent=1) + "\n")
    (out / f"{options.name}.sql").write_text(LOAD.format(
        files=len(files), rows=sum(rows for _, rows in files.values()), role=quoted(options.role),
        manifest=quoted(f"{options.manifests.rstrip('/')}/{options.name}.manifest")))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", required=True, help="ARN that may read the bucket")
    parser.add_argument("--manifests", required=True, help="where manifests are put: s3://BUCKET/PREFIX")
    parser.add_argument("--name", required=True, help="of this load")
    parser.add_argument("--out", required=True, help="folder for the files")
    parser.add_argument("--topic", default="segue.archive.manifest", help="that the records are of")
    options = parser.parse_args()
    try:
        files, behind = gather(sys.stdin)
    except Unloadable as error:
        print(f"load.py: {error}", file=sys.stderr)
        return 2
    write_offsets(options, behind)
    if not files:
        print("load.py: no files to load", file=sys.stderr)
        return 1
    write(options, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
