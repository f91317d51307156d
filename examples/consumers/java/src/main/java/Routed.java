import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads routed leads with Kafka's client, Apache Avro, and Baton's schema registry; Confluent's KafkaAvroDeserializer works the same way. */
public final class Routed {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Map<Integer, Schema> SCHEMAS = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        long wanted = arguments.length > 0 ? Long.parseLong(arguments[0]) : Long.MAX_VALUE;
        Properties settings = new Properties();
        settings.put("bootstrap.servers", setting("BATON_BOOTSTRAP", "127.0.0.1:9092"));
        settings.put("group.id", "example-java");
        settings.put("isolation.level", "read_committed"); // without it you would see what was never decided
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        try (var consumer = new KafkaConsumer<byte[], byte[]>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(setting("TOPICS", "leads.routed.sdr.v1,leads.routed.sales.v1").split(",")));
            while (wanted > 0) {
                for (ConsumerRecord<byte[], byte[]> found : consumer.poll(Duration.ofSeconds(1))) {
                    GenericRecord lead = decode(found.value());
                    System.out.printf("%s gets lead %s (%s) in %s%n", lead.get("owner"), lead.get("lead_id"), lead.get("level"), lead.get("pool"));
                    if (--wanted <= 0) {
                        break;
                    }
                }
                consumer.commitSync();
            }
        }
    }

    /** A record in Confluent's framing: 0x00, the schema's id in four bytes, Avro. */
    private static GenericRecord decode(byte[] value) throws Exception {
        int id = ByteBuffer.wrap(value, 1, 4).getInt();
        Schema schema = SCHEMAS.containsKey(id) ? SCHEMAS.get(id) : fetch(id);
        var decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null);
        return new GenericDatumReader<GenericRecord>(schema).read(null, decoder);
    }

    private static Schema fetch(int id) throws IOException, InterruptedException {
        URI address = URI.create(setting("SCHEMA_REGISTRY", "http://127.0.0.1:8081") + "/schemas/ids/" + id);
        String body = HTTP.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString()).body();
        Schema schema = new Schema.Parser().parse(new ObjectMapper().readTree(body).get("schema").asText());
        SCHEMAS.put(id, schema);
        return schema;
    }

    private static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
