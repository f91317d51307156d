// Reads routed leads with Confluent's own Avro deserializer and Baton's schema registry.
import { AvroDeserializer, SchemaRegistryClient, SerdeType } from "@confluentinc/schemaregistry";
import { Consumer, MessagesStreamModes } from "@platformatic/kafka";

type RoutedLead = { lead_id: string; owner: string; level: string; pool: string };

const registry = new SchemaRegistryClient({ baseURLs: [process.env.SCHEMA_REGISTRY ?? "http://127.0.0.1:8081"] });
const deserializer = new AvroDeserializer(registry, SerdeType.VALUE, {});
const topics = (process.env.TOPICS ?? "leads.routed.sdr.v1,leads.routed.sales.v1").split(",");
let wanted = process.argv[2] ? Number(process.argv[2]) : Infinity; // stop after so many

const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
  clientId: "example-typescript",
  groupId: "example-typescript",
  bootstrapBrokers: (process.env.BATON_BOOTSTRAP ?? "127.0.0.1:9092").split(","),
});
const stream = await consumer.consume({
  topics,
  mode: MessagesStreamModes.COMMITTED,
  fallbackMode: "earliest",
  isolationLevel: 1, // read committed: without it you would see what was never decided
  autocommit: false,
});
for await (const message of stream) {
  if (message.value == null) continue;
  const lead = (await deserializer.deserialize(message.topic, message.value)) as RoutedLead;
  console.log(`${lead.owner} gets lead ${lead.lead_id} (${lead.level}) in ${lead.pool}`);
  await message.commit();
  if (--wanted <= 0) break;
}
await consumer.close(true);
process.exit(0);
