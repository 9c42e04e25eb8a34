package dev.tidestream.server.app;

import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

import com.sun.management.OperatingSystemMXBean;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.adapters.AdapterLimits;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.build.VersionLimit;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.UpdateLogLimits;
import dev.tidestream.server.canary.ShadowLimits;
import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.log.KeeperConfig;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.openai.lanes.LaneLimits;
import dev.tidestream.server.openai.responses.disk.DiskLimits;
import dev.tidestream.server.resume.ResumeLimits;
import dev.tidestream.server.transport.TokenLimit;
import dev.tidestream.server.transport.TransportConfig;

/**
 * All that a server is started with; {@link #DEFAULT} has every default, and is what {@code tidestream serve} is without options.
 *
 * @param model a GGUF file; null for the embedded starter model
 * @param compute how the model computes
 * @param engine limits of streams and prompts, and the memory of the KV cache
 * @param transport where it listens, who may connect, and what connections may hold
 * @param updates versions of the weights, memory, and how administrators get in
 * @param chats how conversations become prompts, and which answers are kept
 * @param resume what is kept of streams that outlive their connections
 * @param receipts how they are signed and verified
 * @param adapters which are served from the start, and what they may take
 * @param otlpEndpoint the collector that spans are sent to; null for none
 * @param cluster how it takes part in a cluster; null for a server by itself
 */
public record ServerConfig(
        @Nullable Path model,
        Compute compute,
        EngineConfig engine,
        TransportConfig transport,
        Updates updates,
        Chats chats,
        ResumeLimits resume,
        Receipts receipts,
        Adapters adapters,
        @Nullable URI otlpEndpoint,
        @Nullable ClusterConfig cluster) {

    /** The starter model at 127.0.0.1:8080, one thread a core, 1 GiB of KV cache, no data directory. */
    public static final ServerConfig DEFAULT = new ServerConfig(
            null, Compute.DEFAULT, EngineConfig.DEFAULT.withKvMemoryBytes(1L << 30), TransportConfig.DEFAULT, Updates.DEFAULT, Chats.DEFAULT,
            ResumeLimits.DEFAULT, Receipts.DEFAULT, Adapters.DEFAULT, null, null);

    /** The same with another model. */
    public ServerConfig withModel(@Nullable Path newModel) {
        return new ServerConfig(newModel, compute, engine, transport, updates, chats, resume, receipts, adapters, otlpEndpoint, cluster);
    }

    /** The same, computed in another way. */
    public ServerConfig withCompute(Compute newCompute) {
        return new ServerConfig(model, newCompute, engine, transport, updates, chats, resume, receipts, adapters, otlpEndpoint, cluster);
    }

    /** The same with other limits of streams. */
    public ServerConfig withEngine(EngineConfig newEngine) {
        return new ServerConfig(model, compute, newEngine, transport, updates, chats, resume, receipts, adapters, otlpEndpoint, cluster);
    }

    /** The same with other limits of connections. */
    public ServerConfig withTransport(TransportConfig newTransport) {
        return new ServerConfig(model, compute, engine, newTransport, updates, chats, resume, receipts, adapters, otlpEndpoint, cluster);
    }

    /** The same at another port of the same host; 0 for a free one. */
    public ServerConfig withPort(int port) {
        return withTransport(transport.withAddress(transport.host(), port));
    }

    /** The same with other versions, memory and administrators. */
    public ServerConfig withUpdates(Updates newUpdates) {
        return new ServerConfig(model, compute, engine, transport, newUpdates, chats, resume, receipts, adapters, otlpEndpoint, cluster);
    }

    /** The same with another chat template, or other bounds of what is kept. */
    public ServerConfig withChats(Chats newChats) {
        return new ServerConfig(model, compute, engine, transport, updates, newChats, resume, receipts, adapters, otlpEndpoint, cluster);
    }

    /** The same with other limits of streams that outlive their connections. */
    public ServerConfig withResume(ResumeLimits limits) {
        return new ServerConfig(model, compute, engine, transport, updates, chats, limits, receipts, adapters, otlpEndpoint, cluster);
    }

    /** The same with another key of receipts. */
    public ServerConfig withReceipts(Receipts newReceipts) {
        return new ServerConfig(model, compute, engine, transport, updates, chats, resume, newReceipts, adapters, otlpEndpoint, cluster);
    }

    /** The same with other adapters. */
    public ServerConfig withAdapters(Adapters newAdapters) {
        return new ServerConfig(model, compute, engine, transport, updates, chats, resume, receipts, newAdapters, otlpEndpoint, cluster);
    }

    /** The same, which sends spans to a collector, or to none. */
    public ServerConfig withOtlpEndpoint(@Nullable URI collector) {
        return new ServerConfig(model, compute, engine, transport, updates, chats, resume, receipts, adapters, collector, cluster);
    }

    /** The same as a node of a cluster; null: by itself. */
    public ServerConfig inCluster(@Nullable ClusterConfig part) {
        return new ServerConfig(model, compute, engine, transport, updates, chats, resume, receipts, adapters, otlpEndpoint, part);
    }

    /** The same, which takes weight updates and keeps them there. */
    public ServerConfig withDataDir(@Nullable Path directory) {
        return withUpdates(updates.withDataDir(directory));
    }

    /** Of weights, derived layouts and KV cache. */
    MemoryBudget budget() {
        return updates.budget(engine.kvMemoryBytes());
    }

    /**
     * How a model computes; all but threads and packed weights decides the bits of its tokens.
     *
     * @param threads that compute
     * @param formats that weights are held in
     * @param activations what quantised matrices are multiplied with, but for the head
     * @param headActivations what a quantised head is multiplied with, in head mode packed
     * @param kvType how keys and values are stored
     * @param packed where packed weights are kept; null for nowhere
     */
    public record Compute(
            int threads, WeightFormats formats, ActivationPrecision activations, ActivationPrecision headActivations, KvType kvType,
            @Nullable Packed packed) {
        private static final int MAX_THREADS = 1024;

        /** One thread for each core; weights as the file has them, int8, an exact head, F16. */
        public static final Compute DEFAULT = new Compute(
                Runtime.getRuntime().availableProcessors(), WeightFormats.AS_THEY_ARE,
                ActivationPrecision.INT8, ActivationPrecision.F32, KvType.F16, null);

        public Compute {
            if (threads < 1 || threads > MAX_THREADS) {
                throw new IllegalArgumentException("threads must be 1 to %d: %d".formatted(MAX_THREADS, threads));
            }
        }

        /** The same with other threads. */
        public Compute withThreads(int newThreads) {
            return new Compute(newThreads, formats, activations, headActivations, kvType, packed);
        }

        /** The same with weights held in other formats. */
        public Compute withFormats(WeightFormats newFormats) {
            return new Compute(threads, newFormats, activations, headActivations, kvType, packed);
        }

        /** The same, which keeps packed weights. */
        public Compute withPacked(@Nullable Packed newPacked) {
            return new Compute(threads, formats, activations, headActivations, kvType, newPacked);
        }

        /** Of body, head and KV cache. */
        public Precision precision() {
            return new Precision(activations, headActivations, kvType);
        }

        /** In one line, with the kernels of this process. */
        public String words() {
            return "threads=%d, kernels=%s, activations=%s, head-activations=%s, kv-type=%s%s"
                    .formatted(threads, KernelSelection.fastest().title(), activations.wireName(), headActivations.wireName(),
                            kvType.name().toLowerCase(Locale.ROOT), formats.asTheyAre() ? "" : ", " + formats.words());
        }
    }

    /**
     * Receipts.
     *
     * @param keyFile the key that they are signed with; null: one in the data directory, or else one of this process
     * @param trustFile further keys that they are verified with, a JWK set; null for none
     * @param maxVerifications most that are computed at once, at least 1
     * @param verificationTimeout longest that computing one may take, at least 1 ms
     */
    public record Receipts(@Nullable Path keyFile, @Nullable Path trustFile, int maxVerifications, Duration verificationTimeout) {
        /** A key of the server's own, one verification at a time, ten minutes each. */
        public static final Receipts DEFAULT = new Receipts(null, null, 1, Duration.ofMinutes(10));

        public Receipts {
            if (maxVerifications < 1) {
                throw new IllegalArgumentException("max_verifications must be at least 1: " + maxVerifications);
            }
            if (verificationTimeout.toMillis() < 1) {
                throw new IllegalArgumentException("verification_timeout must be at least 1 ms: " + verificationTimeout);
            }
        }
    }

    /**
     * Adapters.
     *
     * @param atStart by the names that clients ask for them by
     * @param limits of all of them
     */
    public record Adapters(SequencedMap<String, Path> atStart, AdapterLimits limits) {
        /** None at the start, 16 at a time in 1 GiB; none is loaded at run time. */
        public static final Adapters DEFAULT = new Adapters(new LinkedHashMap<>(), new AdapterLimits(16, 1L << 30, null));

        public Adapters {
            atStart = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(atStart));
        }
    }

    /**
     * Conversations.
     *
     * @param template a file with the chat template; null for that of the model
     * @param maxStoredResponses most answers that {@code previous_response_id} can name; 0: none is kept
     * @param storedResponseBytes what they may take together, estimated
     * @param disk bounds of those that are kept in the data directory
     * @param lanes what connections with lanes may hold
     */
    public record Chats(@Nullable Path template, int maxStoredResponses, long storedResponseBytes, DiskLimits disk, LaneLimits lanes) {
        /** The model's template, 1,024 answers, 64 MiB. */
        public static final Chats DEFAULT = new Chats(null, 1024, 64 << 20, DiskLimits.DEFAULT, LaneLimits.DEFAULT);

        public Chats {
            if (maxStoredResponses < 0 || storedResponseBytes < 0) {
                throw new IllegalArgumentException("bounds of stored responses must be at least 0: responses=%d, bytes=%d"
                        .formatted(maxStoredResponses, storedResponseBytes));
            }
        }

        /** The same with another template. */
        public Chats withTemplate(@Nullable Path file) {
            return new Chats(file, maxStoredResponses, storedResponseBytes, disk, lanes);
        }

        /** The same with other bounds in the data directory. */
        public Chats withDisk(DiskLimits limits) {
            return new Chats(template, maxStoredResponses, storedResponseBytes, limits, lanes);
        }
    }

    /**
     * Packed weights on disk, so that the next start need not pack.
     *
     * @param directory where they are
     * @param fullCheck whether all of the model file is hashed to know it again, and not its size, time and some pages
     * @param load how they come into memory
     */
    public record Packed(Path directory, boolean fullCheck, PackedLoad load) {
        /** Known by a sample, and mapped. */
        public static Packed in(Path directory) {
            return new Packed(directory, false, PackedLoad.MAP);
        }
    }

    /**
     * Endpoints of other servers that trainers know.
     *
     * @param enabled whether there are any
     * @param directories that weights may be read from
     * @param patience how long a pause waits for streams to end, at least 1 s
     */
    public record Trainers(boolean enabled, List<Path> directories, Duration patience) {
        /** None. */
        public static final Trainers OFF = new Trainers(false, List.of(), Duration.ofSeconds(60));

        public Trainers {
            directories = List.copyOf(directories);
            if (patience.toSeconds() < 1) {
                throw new IllegalArgumentException("patience must be at least 1 s: " + patience);
            }
        }
    }

    /**
     * Versions of the weights, memory, and how administrators get in.
     *
     * @param dataDir where versions are kept; null: no weight updates
     * @param updateDir where updates may come from as safetensors files; null: over the channel only
     * @param tokenFile the administrators' token, in one line; null: one is made up
     * @param memoryBudgetBytes for weights of all live versions, derived layouts and KV cache; null: 80 % of this machine's
     * @param live how many versions may be in memory, and what happens then
     * @param kept bounds of the data directory
     * @param checkpoints when one is written
     * @param builderShare of the time that a change may take between the steps of running streams, above 0, at most 1
     * @param wrongTokens how many wrong tokens an address may try
     * @param shadow what a shadow may cost
     * @param trainers endpoints of other servers that trainers know
     * @param keepers of the cluster, who agree on versions; null: versions are this server's alone
     */
    public record Updates(
            @Nullable Path dataDir,
            @Nullable Path updateDir,
            @Nullable Path tokenFile,
            @Nullable Long memoryBudgetBytes,
            VersionLimit live,
            UpdateLogLimits kept,
            CheckpointPolicy checkpoints,
            double builderShare,
            TokenLimit wrongTokens,
            ShadowLimits shadow,
            Trainers trainers,
            KeeperConfig.@Nullable Members keepers) {
        private static final double MEMORY_SHARE = 0.8;

        /** No directories, a token that is made up; 4 live versions, a minute of waiting, a quarter of the time. */
        public static final Updates DEFAULT = new Updates(null, null, null, null, new VersionLimit(4, Duration.ofSeconds(60)),
                UpdateLogLimits.DEFAULT, CheckpointPolicy.DEFAULT, 0.25, TokenLimit.DEFAULT);

        public Updates {
            if (!(builderShare > 0 && builderShare <= 1)) {
                throw new IllegalArgumentException("builderShare must be above 0 and at most 1: " + builderShare);
            }
            if (memoryBudgetBytes != null && memoryBudgetBytes < 1) {
                throw new IllegalArgumentException("memoryBudgetBytes must be at least 1: " + memoryBudgetBytes);
            }
        }

        /** The same with the usual limits of a shadow. */
        public Updates(
                @Nullable Path dataDir, @Nullable Path updateDir, @Nullable Path tokenFile, @Nullable Long memoryBudgetBytes,
                VersionLimit live, UpdateLogLimits kept, CheckpointPolicy checkpoints, double builderShare, TokenLimit wrongTokens) {
            this(dataDir, updateDir, tokenFile, memoryBudgetBytes, live, kept, checkpoints, builderShare, wrongTokens,
                    ShadowLimits.DEFAULT, Trainers.OFF, null);
        }

        /** The same, agreed on with keepers of a cluster. */
        public Updates withKeepers(KeeperConfig.@Nullable Members members) {
            return new Updates(
                    dataDir, updateDir, tokenFile, memoryBudgetBytes, live, kept, checkpoints, builderShare, wrongTokens, shadow, trainers, members);
        }

        /** The same with other limits of a shadow. */
        public Updates withShadow(ShadowLimits limits) {
            return new Updates(
                    dataDir, updateDir, tokenFile, memoryBudgetBytes, live, kept, checkpoints, builderShare, wrongTokens, limits, trainers, keepers);
        }

        /** The same with versions kept elsewhere. */
        public Updates withDataDir(@Nullable Path directory) {
            return new Updates(
                    directory, updateDir, tokenFile, memoryBudgetBytes, live, kept, checkpoints, builderShare, wrongTokens, shadow, trainers, keepers);
        }

        /** The same with files of updates elsewhere. */
        public Updates withUpdateDir(@Nullable Path directory) {
            return new Updates(
                    dataDir, directory, tokenFile, memoryBudgetBytes, live, kept, checkpoints, builderShare, wrongTokens, shadow, trainers, keepers);
        }

        /** The same with another token. */
        public Updates withTokenFile(@Nullable Path file) {
            return new Updates(
                    dataDir, updateDir, file, memoryBudgetBytes, live, kept, checkpoints, builderShare, wrongTokens, shadow, trainers, keepers);
        }

        /** The same with another share of the time. */
        public Updates withBuilderShare(double share) {
            return new Updates(
                    dataDir, updateDir, tokenFile, memoryBudgetBytes, live, kept, checkpoints, share, wrongTokens, shadow, trainers, keepers);
        }

        /** The same with other endpoints for trainers. */
        public Updates withTrainers(Trainers other) {
            return new Updates(
                    dataDir, updateDir, tokenFile, memoryBudgetBytes, live, kept, checkpoints, builderShare, wrongTokens, shadow, other, keepers);
        }

        /** @param kvBytes set aside for the KV cache */
        public MemoryBudget budget(long kvBytes) {
            return new MemoryBudget(memoryBudgetBytes == null ? defaultBudgetBytes() : memoryBudgetBytes, kvBytes);
        }

        private static long defaultBudgetBytes() {
            long bytes = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
            return (long) (bytes * MEMORY_SHARE);
        }
    }
}
