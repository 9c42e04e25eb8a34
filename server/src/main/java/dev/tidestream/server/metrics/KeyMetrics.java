package dev.tidestream.server.metrics;

import java.util.List;
import java.util.SortedMap;
import java.util.function.Supplier;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/** What clients' keys were refused, by reason; and, where the operator wants it, what each has used. Read once per page. */
public final class KeyMetrics implements MultiCollector {
    private static final String LABEL = "key";

    private final Supplier<SortedMap<String, Long>> refusals;
    private final Supplier<List<Use>> uses;

    /**
     * What one key has used.
     *
     * @param key its name, of a bounded set
     * @param requests so far
     * @param tokens so far, prompts and answers
     * @param streams that run now
     */
    public record Use(String key, long requests, long tokens, int streams) {}

    /**
     * Asks these for each page, on the thread that wants it.
     *
     * @param refusals counts since the start, by reason; all reasons there are
     * @param uses of the keys in force; empty if they are not to be named
     */
    public KeyMetrics(Supplier<SortedMap<String, Long>> refusals, Supplier<List<Use>> uses) {
        this.refusals = refusals;
        this.uses = uses;
    }

    @Override
    public MetricSnapshots collect() {
        CounterSnapshot.Builder refused = CounterSnapshot.builder().name("tidestream_api_key_refusals")
                .help("Requests that were refused for their API key, or for want of one.");
        refusals.get().forEach((reason, count) -> refused.dataPoint(count(Labels.of("reason", reason), count)));
        CounterSnapshot.Builder requests = CounterSnapshot.builder().name("tidestream_api_key_requests")
                .help("Requests of each API key.");
        CounterSnapshot.Builder tokens = CounterSnapshot.builder().name("tidestream_api_key_tokens")
                .help("Tokens of each API key, those of prompts and answers.");
        GaugeSnapshot.Builder streams = GaugeSnapshot.builder().name("tidestream_api_key_streams")
                .help("Streams of each API key that run now.");
        for (Use use : uses.get()) {
            Labels key = Labels.of(LABEL, use.key());
            requests.dataPoint(count(key, use.requests()));
            tokens.dataPoint(count(key, use.tokens()));
            streams.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder().labels(key).value(use.streams()).build());
        }
        return new MetricSnapshots(refused.build(), requests.build(), tokens.build(), streams.build());
    }

    private static CounterSnapshot.CounterDataPointSnapshot count(Labels labels, long value) {
        return CounterSnapshot.CounterDataPointSnapshot.builder().labels(labels).value((double) value).build();
    }
}
