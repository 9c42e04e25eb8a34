package dev.tidestream.protocol.admin;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * What a request has led to: the fields of an {@link AdminReply.Ack} beside its ref and version. {@link ResultFields} alone has
 * their names on the wire.
 */
public sealed interface AdminResult permits AdminResult.ModeSet, AdminResult.UpdateRepeated, AdminResult.UpdateApplied,
        AdminResult.RolledBack, AdminResult.Optimization, AdminResult.Weights, AdminResult.History, AdminResult.Stats, AdminResult.Streams, AdminResult.OneAdapter,
        AdminResult.Adapters, AdminResult.Received, UpdateResult {

    /** Of {@code optimization.set}. */
    sealed interface ModeSet extends AdminResult {
        /** The mode now. */
        OptimizationMode mode();

        /** The mode before. */
        OptimizationMode previous();
    }

    /**
     * The head had that mode already.
     *
     * @param bytes of weights and derived layouts
     */
    record ModeUnchanged(OptimizationMode mode, long bytes) implements ModeSet {
        @Override
        public OptimizationMode previous() {
            return mode;
        }
    }

    /**
     * The head computes in another mode.
     *
     * @param bytesBefore of weights and derived layouts
     * @param bytesAfter the same, now
     * @param verification empty if none was wanted
     */
    record ModeChanged(
            OptimizationMode mode,
            OptimizationMode previous,
            long bytesBefore,
            long bytesAfter,
            Optional<Verification> verification,
            BuildCost cost)
            implements ModeSet {}

    /**
     * How the new head's logits differ from the old one's.
     *
     * @param rows hidden states that were compared on
     * @param recorded they are of streams that ran, not made up
     * @param activations that both computed with, e.g. {@code f32}
     * @param maxDelta largest difference
     * @param maxDeltaOverBound largest difference as a part of what is allowed; at most 1
     * @param oldMicrosPerRow time of the old head
     * @param newMicrosPerRow time of the new head
     */
    record Verification(
            int rows,
            boolean recorded,
            String activations,
            double maxDelta,
            double maxDeltaOverBound,
            double oldMicrosPerRow,
            double newMicrosPerRow) {
        public Verification {
            requireFinite(maxDelta, maxDeltaOverBound, oldMicrosPerRow, newMicrosPerRow);
        }
    }

    /**
     * What it took to build a version.
     *
     * @param millis from the beginning to the end
     * @param cpuShare of one core that the builder used, 0 to 1
     */
    record BuildCost(double millis, double cpuShare) {
        public BuildCost {
            requireFinite(millis, cpuShare);
        }
    }

    /**
     * The update was applied before, and not again.
     *
     * @param version that it made then
     */
    record UpdateRepeated(long version) implements AdminResult {}

    /**
     * The update is a version now.
     *
     * @param version that it has made
     * @param changedRows with at least one other bit
     * @param changedBlocks storage units with other bits
     */
    record UpdateApplied(long version, long changedRows, long changedBlocks, StorageError error, BuildCost cost)
            implements AdminResult {}

    /**
     * What storing the update in the tensor's own format has lost.
     *
     * @param format of the tensor, e.g. {@code q4_0}
     * @param maxAbs largest magnitude of stored minus wanted
     * @param rms root of the mean square
     * @param elements that the update touched
     */
    record StorageError(String format, double maxAbs, double rms, long elements) {
        public StorageError {
            requireFinite(maxAbs, rms);
        }
    }

    /** The weights of an older version are a version anew. */
    record RolledBack(long toVersion, BuildCost cost) implements AdminResult {}

    /**
     * Of {@code optimization.status}: the head, and what it could be.
     *
     * @param tied whether the head is made of the embedding
     * @param headActivations that it computes with, e.g. {@code int8}
     * @param bytes of both ends of the model
     * @param modes that could be set
     */
    record Optimization(
            boolean tied,
            OptimizationMode mode,
            String headActivations,
            int vocabularySize,
            int hiddenSize,
            TiedBytes bytes,
            List<ModeChoice> modes)
            implements AdminResult {
        public Optimization {
            modes = List.copyOf(modes);
        }
    }

    /**
     * Bytes of embedding and head.
     *
     * @param embedding held row by row or in panels
     * @param transposed held in the other order
     * @param total of both
     * @param overhead beyond one copy
     */
    record TiedBytes(long embedding, long transposed, long total, long overhead) {}

    /**
     * A mode, and whether it could be set.
     *
     * @param peakBytes that its head takes beside the tensors
     * @param fits the memory budget now
     */
    record ModeChoice(OptimizationMode mode, String headActivations, long peakBytes, boolean fits) {}

    /**
     * Of {@code weights.status}.
     *
     * @param durable empty if no versions are kept
     * @param maxLive versions in memory at once
     * @param live oldest first
     */
    record Weights(Optional<Durable> durable, int maxLive, List<LiveVersion> live, Memory memory) implements AdminResult {
        public Weights {
            live = List.copyOf(live);
        }
    }

    /**
     * What is kept on disk.
     *
     * @param baseSha256 of the model file
     * @param checkpoints versions, rising
     */
    record Durable(String baseSha256, int committedVersions, List<Long> checkpoints) {
        public Durable {
            checkpoints = List.copyOf(checkpoints);
        }
    }

    /**
     * A version in memory.
     *
     * @param leases streams that hold it
     * @param bytes that it uses
     * @param ownBytes those of them that no other version uses
     */
    record LiveVersion(long version, OptimizationMode mode, boolean current, int leases, long bytes, long ownBytes) {}

    /**
     * Memory, in bytes.
     *
     * @param weights of all versions
     * @param kv set aside for the KV cache
     * @param budget of all of it
     */
    record Memory(long weights, long kv, long budget) {}

    /**
     * Of {@code weights.history}.
     *
     * @param baseVersion the model file
     * @param committedVersions in all
     * @param versions the newest, oldest first
     */
    record History(long baseVersion, int committedVersions, List<Version> versions) implements AdminResult {
        public History {
            versions = List.copyOf(versions);
        }
    }

    /** A committed version. */
    sealed interface Version {
        long version();

        /** The one it was made of. */
        long baseVersion();

        Instant committedAt();
    }

    /** A version that an update has made; see {@link AdminRequest.WeightsUpdate}. */
    record UpdatedVersion(
            long version,
            long baseVersion,
            Instant committedAt,
            String updateId,
            String tensor,
            UpdateKind kind,
            List<Long> shape,
            PayloadType dtype,
            long byteLength,
            String sha256)
            implements Version {
        public UpdatedVersion {
            shape = List.copyOf(shape);
        }
    }

    /**
     * A version that a transaction has made.
     *
     * @param label the sender's words for it
     * @param tensors that it has changed
     */
    record TransactionVersion(
            long version,
            long baseVersion,
            Instant committedAt,
            String updateId,
            String label,
            List<String> tensors,
            long byteLength,
            String sha256)
            implements Version {
        public TransactionVersion {
            tensors = List.copyOf(tensors);
        }
    }

    /** A version with the weights of an older one. */
    record RolledBackVersion(long version, long baseVersion, Instant committedAt, long toVersion) implements Version {}

    /**
     * An adapter that is served, or was until now.
     *
     * @param name that clients ask for it by
     * @param format what kind of file it was read from, for people
     * @param sha256 of all that it was read from
     * @param bytes of memory
     * @param highestRank of its low-rank changes; 0 if it has none
     * @param tied whether lookups and logits use one matrix while it is active
     * @param streams that compute with it
     * @param warnings of when it was loaded
     */
    record Adapter(
            String name, String path, String format, String sha256, long bytes, long highestRank, boolean tied, long streams,
            List<String> warnings) {
        public Adapter {
            warnings = List.copyOf(warnings);
        }
    }

    /** Of {@code adapters.load} and {@code adapters.unload}. */
    record OneAdapter(Adapter adapter) implements AdminResult {}

    /**
     * Of {@code adapters.status}.
     *
     * @param served in the order in which they were loaded
     * @param bytes of memory, of unloaded ones that streams still use, too
     * @param maxAdapters served at a time
     * @param maxBytes of memory
     */
    record Adapters(List<Adapter> served, long bytes, long maxAdapters, long maxBytes) implements AdminResult {
        public Adapters {
            served = List.copyOf(served);
        }
    }

    /** Of {@code stats}. */
    record Stats(StreamFigures streams, Optimization optimization, Weights weights) implements AdminResult {}

    /**
     * Of {@code streams}.
     *
     * @param total streams that there are
     * @param streams the oldest of them, oldest first
     */
    record Streams(int total, List<StreamRow> streams) implements AdminResult {
        public Streams {
            streams = List.copyOf(streams);
        }
    }

    /**
     * A stream, at the end of a step.
     *
     * @param stream the server's number of it, as {@code accepted} says it
     * @param state {@code running} (it has a slot), {@code queued} (it waits for one) or {@code parked} (it has no demand)
     * @param demand events that its client can take now
     * @param generated tokens so far
     * @param positions that prompt and answer may take in all
     * @param adapter name of the one it is computed with; empty for the base alone
     * @param ageMillis since it was asked for
     */
    record StreamRow(
            long stream, String state, long demand, int promptTokens, int generated, int positions, long weightsVersion, String adapter,
            double ageMillis) {
        public StreamRow {
            requireFinite(ageMillis);
        }
    }

    /**
     * What streams see of the server.
     *
     * @param heads times of the modes that were used
     */
    record StreamFigures(Engine engine, SequencedMap<OptimizationMode, HeadTimes> heads) {}

    /** Streams, by what they do, memory for them, and counts since the start. */
    record Engine(
            long running, long queued, long parked, long kvUsedBytes, long kvBudgetBytes, long steps, long rows, long tokensGenerated,
            long adapters, long adapterBytes) {

        /** Of a server without adapters. */
        public Engine(
                long running, long queued, long parked, long kvUsedBytes, long kvBudgetBytes, long steps, long rows, long tokensGenerated) {
            this(running, queued, parked, kvUsedBytes, kvBudgetBytes, steps, rows, tokensGenerated, 0, 0);
        }
    }

    /**
     * How long computing logits takes.
     *
     * @param allCalls of any number of rows
     * @param singleRow those of one row
     * @param rows in all
     * @param gigabytesPerSecond of weights read
     */
    record HeadTimes(Latency allCalls, Latency singleRow, long rows, double gigabytesPerSecond) {
        public HeadTimes {
            requireFinite(gigabytesPerSecond);
        }
    }

    /** Percentiles of times. */
    record Latency(long calls, double microsP50, double microsP99) {
        public Latency {
            requireFinite(microsP50, microsP99);
        }
    }

    /**
     * As a client has read it, with the fields of whatever server it was: strings, booleans, integers, finite numbers, lists and
     * maps of these, at most eight levels, the frame included. Kept as String, Boolean, Long, Double, List and Map, unmodifiable.
     */
    record Received(Map<String, Object> fields) implements AdminResult {
        public Received {
            fields = ResultFields.checked(fields);
        }
    }

    private static void requireFinite(double... values) {
        for (double value : values) {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("not a value of a frame: " + value);
            }
        }
    }
}
