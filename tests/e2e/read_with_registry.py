#!/usr/bin/env python3
"""A reader that knows nothing of Segue: Confluent's consumer and Protobuf deserialiser.

read_with_registry.py BOOTSTRAP TOPIC REGISTRY CA USER:PASSWORD PROTO COUNT

Prints id, method, target and status of COUNT records, one JSON object a line.
"""
import json
import subprocess
import sys
import tempfile
import uuid

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

bootstrap, topic, registry, ca, user, proto, count = sys.argv[1:]


def exchange_class():
    folder, name = proto.rsplit("/", 1)
    with tempfile.NamedTemporaryFile() as descriptors:
        subprocess.run(["protoc", "-I", folder, "--include_imports",
                        "--descriptor_set_out=" + descriptors.name, name], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("segue.v1.Exchange"))


client = SchemaRegistryClient({"url": registry, "ssl.ca.location": ca,
                               "basic.auth.user.info": user})
# Without the client: it would ask for schemas in a form that Apicurio does not know (the query
# format=serialized). What the frame's id stands for is looked up below, as text.
deserialise = ProtobufDeserializer(exchange_class(), {"use.deprecated.format": False})
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": str(uuid.uuid4()),
                     "auto.offset.reset": "earliest"})
consumer.subscribe([topic])
left = int(count)
while left:
    record = consumer.poll(60)
    if record is None:
        sys.exit("no more records")
    if record.error():
        sys.exit(str(record.error()))
    schema = client.get_schema(int.from_bytes(record.value()[1:5], "big"))
    if schema.schema_type != "PROTOBUF" or "message Exchange" not in schema.schema_str:
        sys.exit("not the schema of an exchange: " + schema.schema_str)
    exchange = deserialise(record.value(), SerializationContext(topic, MessageField.VALUE))
    print(json.dumps({"id": str(uuid.UUID(bytes=exchange.id)), "method": exchange.request.method,
                      "target": exchange.request.target.decode(),
                      "status": exchange.response.status}))
    left -= 1
consumer.close()
