"""Asks Apache Spark questions about an archive, by the tables and views of deploy/spark/exchanges.sql.

  ask_spark.py ARCHIVE QUESTIONS ANSWERS [S3-ENDPOINT CREDENTIALS-FILE]

ARCHIVE is a URL that Spark reads: file:/DIR or s3a://BUCKET/PREFIX. QUESTIONS is JSON, statements by
name, whose columns are all text; ANSWERS will be: by name the rows, each a list.
"""

import json
import pathlib
import sys

from pyspark.sql import SparkSession

VIEWS = pathlib.Path(__file__).resolve().parents[3] / "deploy/spark/exchanges.sql"


def session(work, s3):
    builder = (SparkSession.builder.master("local[2]").appName("segue")
               .config("spark.ui.enabled", "false")
               .config("spark.ui.showConsoleProgress", "false")
               .config("spark.sql.shuffle.partitions", "2")
               .config("spark.sql.warehouse.dir", str(work))
               # Times must not depend on where the session is.
               .config("spark.sql.session.timeZone", "America/New_York"))
    if s3:
        endpoint, credentials = s3
        key, secret = pathlib.Path(credentials).read_text().split()[:2]
        for name, value in {"endpoint": endpoint, "endpoint.region": "us-east-1",
                            "path.style.access": "true", "access.key": key, "secret.key": secret,
                            "connection.ssl.enabled": "false"}.items():
            builder = builder.config(f"spark.hadoop.fs.s3a.{name}", value)
    return builder.getOrCreate()


def statements(archive):
    text = VIEWS.read_text().replace("s3a://BUCKET/PREFIX", archive)
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]


def main():
    archive, questions, answers, *s3 = sys.argv[1:]
    spark = session(pathlib.Path(answers).parent / "spark-warehouse", s3)
    for statement in statements(archive):
        spark.sql(statement)
    found = {name: [list(row) for row in spark.sql(statement).collect()]
             for name, statement in json.loads(pathlib.Path(questions).read_text()).items()}
    pathlib.Path(answers).write_text(json.dumps(found))
    spark.stop()


main()
