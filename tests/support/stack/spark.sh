#!/usr/bin/env bash
# Apache Spark for tests: PySpark in local mode, which needs a Java of 17 or newer and no server.
#   spark.sh fetch                    PySpark
#   spark.sh s3-jars                  what it needs to read s3a://, 700 MB; prints their class path
#   spark.sh run [--s3] SCRIPT ARGUMENT...   a Python script with that PySpark, and with what --s3
#                                     needs; what Spark says goes to standard error
# SEGUE_SPARK_HEAP: memory of its one process (default: 1g).
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
PYSPARK_VERSION=${PYSPARK_VERSION:-4.3.0}
HADOOP_AWS_VERSION=${HADOOP_AWS_VERSION:-3.5.0} # of the Hadoop within this PySpark
AWS_SDK_VERSION=${AWS_SDK_VERSION:-2.35.4}
SPARK_HEAP=${SEGUE_SPARK_HEAP:-1g}

environment() { python_environment "pyspark-$PYSPARK_VERSION" "pyspark==$PYSPARK_VERSION"; }

s3_jars() {
  local folder
  folder=$(maven_libraries "spark-s3a-$HADOOP_AWS_VERSION" \
    "org.apache.hadoop:hadoop-aws:$HADOOP_AWS_VERSION" \
    "software.amazon.awssdk:bundle:$AWS_SDK_VERSION") || exit 1
  echo "$folder/*"
}

cmd_run() {
  local folder java jars=''
  if [ "${1:-}" = --s3 ]; then
    jars="--driver-class-path $(s3_jars)" || exit 1
    shift
  fi
  [ $# -gt 0 ] || die "which script? (try help)"
  java=$(command -v "${JAVA:-java}") || die "Java is needed: apt-get install openjdk-17-jre-headless"
  folder=$(environment) || exit 1
  JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$java")")") SPARK_LOCAL_IP=$HOST \
    PYSPARK_SUBMIT_ARGS="--driver-memory $SPARK_HEAP $jars pyspark-shell" \
    exec "$folder/bin/python3" "$@"
}

case ${1:-help} in
  fetch) environment ;;
  s3-jars) s3_jars ;;
  run) shift && cmd_run "$@" ;;
  help | -h | --help) usage ;;
  *) die "what is $1? (try help)" ;;
esac
