package dev.tidestream.server.metrics;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class KeyMetricsTest {
    private static List<String> page(List<KeyMetrics.Use> uses) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry.getPrometheusRegistry().register(new KeyMetrics(() -> new TreeMap<>(Map.of("wrong", 3L, "missing", 0L)), () -> uses));
        return registry.scrape(Metrics.CONTENT_TYPE).lines().filter(line -> !line.startsWith("#")).sorted().toList();
    }

    @Test
    void shouldShowRefusalsByReasonAndNameNoKeyUnlessAsked() {
        assertEquals(List.of("tidestream_api_key_refusals_total{reason=\"missing\"} 0.0",
                "tidestream_api_key_refusals_total{reason=\"wrong\"} 3.0"),
                page(List.of()));
    }

    @Test
    void shouldShowWhatEachKeyHasUsed() {
        List<String> page = page(List.of(new KeyMetrics.Use("alice", 5, 1000, 2), new KeyMetrics.Use("bob", 0, 0, 0)));
        assertEquals(List.of("tidestream_api_key_requests_total{key=\"alice\"} 5.0", "tidestream_api_key_requests_total{key=\"bob\"} 0.0",
                "tidestream_api_key_streams{key=\"alice\"} 2.0", "tidestream_api_key_streams{key=\"bob\"} 0.0",
                "tidestream_api_key_tokens_total{key=\"alice\"} 1000.0", "tidestream_api_key_tokens_total{key=\"bob\"} 0.0"),
                page.stream().filter(line -> !line.contains("refusals")).toList());
    }
}
