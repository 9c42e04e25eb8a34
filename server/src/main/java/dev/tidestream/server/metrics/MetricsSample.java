package dev.tidestream.server.metrics;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.HeadMode;

/**
 * What a server holds at one moment, read once per page.
 *
 * @param head of the epoch that is current; null if the model's head is not tied
 * @param epochs that are alive; several may have the same version, and even the same mode
 */
public record MetricsSample(Engine engine, @Nullable Head head, List<Epoch> epochs, Transport transport) {

    public MetricsSample {
        epochs = List.copyOf(epochs);
    }

    /**
     * Streams and memory.
     *
     * @param running streams with a slot
     * @param queued streams with demand that wait for a slot
     * @param kvUsedBytes KV memory lent to streams
     * @param kvBudgetBytes KV memory there is
     * @param steps forward passes so far
     * @param rows rows of these passes, prompts and generated tokens together
     * @param tokensGenerated tokens sampled so far
     * @param weightsVersion the newest
     * @param waiting what has no slot
     * @param prefixes KV memory shared by content
     */
    public record Engine(
            int running,
            int queued,
            long kvUsedBytes,
            long kvBudgetBytes,
            long steps,
            long rows,
            long tokensGenerated,
            long weightsVersion,
            Waiting waiting,
            Prefixes prefixes) {}

    /**
     * KV memory shared by content.
     *
     * @param sharedBytes full blocks that any stream may take, lent or kept
     * @param keptBytes those of them that no stream has
     * @param hitTokens positions so far that were taken from there instead of being computed
     * @param evictions how often kept blocks of 32 positions were given up so far
     */
    public record Prefixes(long sharedBytes, long keptBytes, long hitTokens, long evictions) {}

    /**
     * Prompts and streams without a slot.
     *
     * @param tokenizingPrompts prompts that wait for the tokenizer or are with it
     * @param tokenizingBytes what these hold
     * @param queuedBytes what streams hold that wait for a slot, KV memory apart
     * @param parked streams without demand and without a slot
     * @param parkedBytes what these hold, KV memory apart
     * @param recomputedRows rows so far that had been computed before
     * @param slotsGivenBack how often a stream that had not ended gave its slot back so far
     * @param blocksTaken how often a stream lost its KV memory to another so far
     * @param preemptions how often one of these had demand and a slot
     * @param urgency priorities and deadlines
     */
    public record Waiting(
            int tokenizingPrompts,
            long tokenizingBytes,
            long queuedBytes,
            int parked,
            long parkedBytes,
            long recomputedRows,
            long slotsGivenBack,
            long blocksTaken,
            long preemptions,
            Urgency urgency) {}

    /**
     * Priorities and deadlines.
     *
     * @param interactive streams with demand that wait for a slot
     * @param batch the same of priority batch
     * @param queuedTokens of the prompts of both
     * @param met streams so far that were done before their deadline
     * @param missedWaiting that had made no token when theirs passed
     * @param missedRunning that had made some
     */
    public record Urgency(int interactive, int batch, long queuedTokens, long met, long missedWaiting, long missedRunning) {}

    /**
     * The tied head.
     *
     * @param int8Activations whether it multiplies int8 codes now; else float32
     * @param embeddingWeightBytes the matrix that lookups gather from
     * @param transposedWeightBytes the layout that logits stream through; 0 where that is the embedding itself
     * @param totalBytes both, counted once where they are the same
     * @param optimizationOverheadBytes beyond one copy; 0 when packed
     */
    public record Head(
            HeadMode mode,
            boolean int8Activations,
            long embeddingWeightBytes,
            long transposedWeightBytes,
            long totalBytes,
            long optimizationOverheadBytes) {}

    /**
     * Connections.
     *
     * @param streamConnections WebSockets of clients
     * @param adminConnections WebSockets of administrators
     * @param pendingRequests connections whose HTTP request has not come to its end
     * @param idleConnections HTTP connections that are kept alive without a request
     * @param assemblyBytes held of messages that have not come to their end
     * @param assemblyLimitBytes what may be held of them
     * @param inputPauses how often a connection that sent too fast was not read from for a while, since the start
     * @param refusals since the start, by reason; all reasons there are
     */
    public record Transport(
            int streamConnections,
            int adminConnections,
            int pendingRequests,
            int idleConnections,
            long assemblyBytes,
            long assemblyLimitBytes,
            long inputPauses,
            SortedMap<String, Long> refusals) {
        /** No connections at all. */
        public static final Transport NONE = new Transport(0, 0, 0, 0, 0, 0, 0, new TreeMap<>());

        public Transport {
            refusals = Collections.unmodifiableSortedMap(new TreeMap<>(refusals));
        }
    }

    /**
     * A version of the weights in memory, with its head.
     *
     * @param mode of its head
     * @param bytes of all its weights, those that it shares with other epochs included
     */
    public record Epoch(long weightsVersion, HeadMode mode, long bytes) {}
}
