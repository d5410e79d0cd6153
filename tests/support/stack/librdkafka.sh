#!/usr/bin/env bash
# A newer librdkafka than the distribution's, out of the Python wheel confluent-kafka that carries
# it inside. The library is ABI-compatible: a program compiled with the distribution's header runs
# with this one.
#   LD_LIBRARY_PATH=$(librdkafka.sh) segue serve ...
#   librdkafka.sh python      prints the environment's interpreter, which has confluent_kafka with
#                             what its schema registry client and Protobuf deserialiser need
# Before 2.6.1, librdkafka cannot do SCRAM with Kafka 4 (its nonce is refused); this one can.
set -u
# shellcheck source=/dev/null
. "$(dirname "$(readlink -f "$0")")/launcher.sh"
CONFLUENT_KAFKA_VERSION=${CONFLUENT_KAFKA_VERSION:-2.16.1}
# By name instead of by the extras [protobuf,schemaregistry], which ask for the very newest certifi.
folder=$(python_environment "confluent-kafka-$CONFLUENT_KAFKA_VERSION" \
  "confluent-kafka==$CONFLUENT_KAFKA_VERSION" attrs authlib cachetools certifi \
  googleapis-common-protos httpx orjson protobuf typing-extensions) || exit 1
if [ "${1:-}" = python ]; then
  echo "$folder/bin/python"
  exit
fi
library=$(find "$folder"/lib/python*/site-packages/confluent_kafka.libs -name 'librdkafka-*.so.1' |
  head -n 1)
[ -n "$library" ] || die "no librdkafka in the wheel"
mkdir -p "$folder/rdkafka" && ln -sfn "$library" "$folder/rdkafka/librdkafka.so.1" &&
  echo "$folder/rdkafka"
