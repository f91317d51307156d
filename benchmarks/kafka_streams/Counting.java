import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * What the engine's `adding` reducer does, on Kafka Streams: decode a lead event, keep a count and the latest moment of the lead in
 * memory with a changelog, tell both as a fact; exactly once v2, one thread. Prints when it began, was half through and was done:
 * events, CPU seconds of the whole JVM, seconds. Arguments: bootstrap, application id, input topic, output topic, schema file, events.
 */
public final class Counting {
    private static final int FRAME = 5;
    private static final AtomicLong SEEN = new AtomicLong();
    private static final CountDownLatch DONE = new CountDownLatch(1);
    private static long count;

    private static final class Count implements Processor<String, byte[], String, byte[]> {
        private final GenericDatumReader<GenericRecord> reader;
        private ProcessorContext<String, byte[]> context;
        private KeyValueStore<String, byte[]> store;
        private BinaryDecoder decoder;
        private GenericRecord event;

        Count(Schema schema) {
            reader = new GenericDatumReader<>(schema);
        }

        @Override
        public void init(ProcessorContext<String, byte[]> context) {
            this.context = context;
            store = context.getStateStore("totals");
        }

        @Override
        public void process(Record<String, byte[]> record) {
            byte[] framed = record.value();
            try {
                decoder = DecoderFactory.get().binaryDecoder(framed, FRAME, framed.length - FRAME, decoder);
                event = reader.read(event, decoder);
            } catch (IOException error) {
                throw new IllegalStateException("not a lead event", error);
            }
            byte[] former = store.get(record.key());
            ByteBuffer kept = former == null ? ByteBuffer.allocate(16) : ByteBuffer.wrap(former);
            byte[] total = ByteBuffer.allocate(16)
                    .putLong(kept.getLong(0) + 1)
                    .putLong(Math.max(kept.getLong(8), (Long) event.get("occurred_at_ms")))
                    .array();
            store.put(record.key(), total);
            context.forward(record.withValue(total));
            long seen = SEEN.incrementAndGet();
            if (seen == count / 2) {
                mark(seen);
            } else if (seen == count) {
                DONE.countDown();
            }
        }
    }

    private static void mark(long events) {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        System.out.printf("mark %d %.6f %.6f%n", events, system.getProcessCpuTime() / 1e9, System.nanoTime() / 1e9);
    }

    public static void main(String[] words) throws Exception {
        Schema schema = new Schema.Parser().parse(new File(words[4]));
        count = Long.parseLong(words[5]);
        Properties settings = new Properties();
        settings.putAll(Map.of(
                StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, words[0],
                StreamsConfig.APPLICATION_ID_CONFIG, words[1],
                StreamsConfig.STATE_DIR_CONFIG, words[6],
                StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2,
                StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1,
                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100,
                StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0,
                StreamsConfig.REPLICATION_FACTOR_CONFIG, 1));
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 4000);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "zstd");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 * 1024);
        Topology topology = new Topology()
                .addSource("events", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), words[2])
                .addProcessor("count", () -> new Count(schema), "events")
                .addStateStore(
                        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("totals"), Serdes.String(), Serdes.ByteArray())
                                .withLoggingEnabled(Map.of())
                                .withCachingDisabled(),
                        "count")
                .addSink("totals-out", words[3], Serdes.String().serializer(), Serdes.ByteArray().serializer(), "count");
        try (KafkaStreams streams = new KafkaStreams(topology, settings)) {
            streams.setUncaughtExceptionHandler(error -> {
                error.printStackTrace();
                Runtime.getRuntime().halt(1);
                return null;
            });
            mark(0);
            streams.start();
            if (!DONE.await(600, TimeUnit.SECONDS)) {
                throw new IllegalStateException("only " + SEEN.get() + " of " + count + " events came");
            }
            Thread.sleep(200); // the last commit is part of the work
            mark(count);
            streams.close(Duration.ofSeconds(20));
        }
        System.exit(0);
    }
}
