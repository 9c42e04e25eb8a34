package dev.tidestream.server.metrics;

import java.util.List;
import java.util.function.Supplier;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/** What a gateway relays, and the nodes of its cluster. Read once per page. */
public final class ClusterMetrics implements MultiCollector {
    private static final String NODE = "node";

    private final Supplier<Sample> sampler;

    /**
     * What there is at one moment.
     *
     * @param relayed streams that are relayed now
     * @param tokens that were relayed so far
     * @param failovers times that a stream has lost its worker so far
     * @param moved times that a stream has left a worker that drains so far
     * @param givenUp streams so far that no other worker has taken in time
     * @param pausedSeconds that streams have been without a worker so far
     * @param nodes as far as is known
     */
    public record Sample(long relayed, long tokens, long failovers, long moved, long givenUp, double pausedSeconds, List<Node> nodes) {
        public Sample {
            nodes = List.copyOf(nodes);
        }
    }

    /**
     * A node.
     *
     * @param node its name, of a bounded set
     * @param reachable whether this gateway can have streams computed there
     * @param running streams with a slot
     * @param waiting streams without
     * @param kvUse share of its KV memory that is lent, 0 to 1
     * @param appliedVersion the newest version of the weights that it computes with
     */
    public record Node(String node, boolean reachable, int running, int waiting, double kvUse, long appliedVersion) {}

    /** Asks this for each page, on the thread that wants it. */
    public ClusterMetrics(Supplier<Sample> sampler) {
        this.sampler = sampler;
    }

    @Override
    public MetricSnapshots collect() {
        Sample s = sampler.get();
        GaugeSnapshot.Builder reachable = gauge("tidestream_cluster_node_reachable",
                "Whether this gateway can have streams computed on the node: 1 or 0.");
        GaugeSnapshot.Builder running = gauge("tidestream_cluster_node_running_streams", "Streams of the node that have a slot.");
        GaugeSnapshot.Builder waiting = gauge("tidestream_cluster_node_waiting_streams", "Streams of the node that wait for a slot.");
        GaugeSnapshot.Builder kv = gauge("tidestream_cluster_node_kv_use_ratio", "Share of the node's KV memory that is lent.");
        GaugeSnapshot.Builder version = gauge("tidestream_cluster_node_weights_version", "Newest version of the weights on the node.");
        for (Node node : s.nodes()) {
            Labels labels = Labels.of(NODE, node.node());
            reachable.dataPoint(point(labels, node.reachable() ? 1 : 0));
            running.dataPoint(point(labels, node.running()));
            waiting.dataPoint(point(labels, node.waiting()));
            kv.dataPoint(point(labels, node.kvUse()));
            version.dataPoint(point(labels, (double) node.appliedVersion()));
        }
        return new MetricSnapshots(
                gauge("tidestream_cluster_nodes", "Nodes of the cluster that this one knows.").dataPoint(point(Labels.EMPTY, s.nodes().size())).build(),
                gauge("tidestream_cluster_relayed_streams", "Streams of this gateway's clients that workers compute now.")
                        .dataPoint(point(Labels.EMPTY, (double) s.relayed())).build(),
                counter("tidestream_cluster_tokens_relayed", "Tokens that this gateway has relayed.", (double) s.tokens()),
                counter("tidestream_cluster_failovers", "Times that a stream has lost its worker.", (double) s.failovers()),
                counter("tidestream_cluster_streams_moved", "Times that a stream has left a worker that drains.", (double) s.moved()),
                counter("tidestream_cluster_streams_given_up", "Streams that no other worker has taken in time.", (double) s.givenUp()),
                counter("tidestream_cluster_pause_seconds", "Time that streams have been without a worker.", s.pausedSeconds()),
                reachable.build(), running.build(), waiting.build(), kv.build(), version.build());
    }

    private static GaugeSnapshot.Builder gauge(String name, String help) {
        return GaugeSnapshot.builder().name(name).help(help);
    }

    private static GaugeSnapshot.GaugeDataPointSnapshot point(Labels labels, double value) {
        return GaugeSnapshot.GaugeDataPointSnapshot.builder().labels(labels).value(value).build();
    }

    private static CounterSnapshot counter(String name, String help, double value) {
        return CounterSnapshot.builder().name(name).help(help)
                .dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder().value(value).build()).build();
    }
}
