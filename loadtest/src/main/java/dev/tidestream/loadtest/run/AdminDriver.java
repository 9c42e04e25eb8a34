package dev.tidestream.loadtest.run;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Recorder;
import dev.tidestream.loadtest.plan.AdminTraffic;
import dev.tidestream.loadtest.wire.AdminLink;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;

/**
 * An administrator who changes weights and switches the head's mode while the load runs; on the I/O thread. One change at a time:
 * a turn that comes while another change runs is left out.
 */
public final class AdminDriver {
    private static final String TENSOR = "token_embd.weight";
    private static final double DEVIATION = 0.02; // of random rows: about what trained embeddings have

    private final AdminTraffic traffic;
    private final AdminLink link;
    private final Io io;
    private final LongSupplier nanoTime;
    private final SplittableRandom random;
    private final Map<String, Long> errors = new TreeMap<>();
    private final String runName;
    private int vocabularySize;
    private int hiddenSize;
    private long version;
    private long refs;
    private boolean busy;
    private boolean cached;
    private @Nullable Recorder recorder;
    private BooleanSupplier going = () -> false;

    /** @param runName makes the update ids of this run unlike those of others */
    public AdminDriver(AdminTraffic traffic, AdminLink link, Io io, LongSupplier nanoTime, long seed, String runName) {
        this.traffic = traffic;
        this.link = link;
        this.io = io;
        this.nanoTime = nanoTime;
        this.random = new SplittableRandom(seed);
        this.runName = runName;
    }

    /** Asks for the model's shape, then begins. Ends when {@code whileGoing} says so. */
    void begin(Recorder into, BooleanSupplier whileGoing) {
        recorder = into;
        going = whileGoing;
        busy = true;
        link.send(new AdminRequest.OptimizationStatus(ref()), null, reply -> {
            busy = false;
            switch (reply) {
                case AdminReply.Ack ack -> {
                    version = ack.weightsVersion();
                    vocabularySize = ((Number) ack.details().getOrDefault("vocabulary_size", 0)).intValue();
                    hiddenSize = ((Number) ack.details().getOrDefault("hidden_size", 0)).intValue();
                    cached = "cached-transpose".equals(ack.details().get("mode"));
                    if (vocabularySize < 1 || hiddenSize < 1) {
                        error("no_shape");
                        return;
                    }
                    every(traffic.updatesPerS(), this::update);
                    every(traffic.togglesPerS(), this::toggle);
                }
                case AdminReply.Failed failed -> error(failed.code().wireName());
                case AdminReply.Progress _ -> { }
            }
        });
    }

    private void every(double perS, Runnable turn) {
        if (perS > 0) {
            io.after(Math.round(1e9 / perS), () -> {
                if (going.getAsBoolean()) {
                    if (!busy) {
                        turn.run();
                    }
                    every(perS, turn);
                }
            });
        }
    }

    private void update() {
        int rows = Math.min(traffic.rows(), vocabularySize);
        TreeSet<Integer> numbers = new TreeSet<>();
        while (numbers.size() < rows) {
            numbers.add(random.nextInt(vocabularySize));
        }
        ByteBuffer payload = ByteBuffer.allocate(rows * (4 + 4 * hiddenSize)).order(ByteOrder.LITTLE_ENDIAN);
        numbers.forEach(payload::putInt);
        for (int i = 0; i < rows * hiddenSize; i++) {
            payload.putFloat((float) random.nextGaussian(0, DEVIATION));
        }
        String ref = ref();
        AdminRequest request = new AdminRequest.WeightsUpdate(ref, runName + "-" + ref, version, TENSOR, UpdateKind.ROWS,
                List.of((long) rows, (long) hiddenSize), PayloadType.F32, sha256(payload.array()), payload.capacity(),
                OptionalInt.empty(), null);
        send("update", rows + " rows", request, payload.array());
    }

    private void toggle() {
        OptimizationMode mode = cached ? OptimizationMode.PACKED : OptimizationMode.CACHED_TRANSPOSE;
        cached = !cached;
        send("toggle", mode.wireName(), new AdminRequest.OptimizationSet(ref(), mode, true), null);
    }

    private void send(String kind, String what, AdminRequest request, byte @Nullable [] payload) {
        long beganNs = nanoTime.getAsLong();
        busy = true;
        link.send(request, payload, reply -> {
            busy = false;
            long nowNs = nanoTime.getAsLong();
            Recorder into = recorder;
            if (into == null) {
                throw new IllegalStateException("an answer before the beginning");
            }
            switch (reply) {
                case AdminReply.Ack ack -> {
                    version = ack.weightsVersion();
                    into.admin(kind, beganNs, nowNs);
                    into.mark(beganNs, nowNs - beganNs, "admin", kind + ": " + what + ", now version " + version);
                }
                case AdminReply.Failed failed -> {
                    error(failed.code().wireName());
                    into.mark(beganNs, nowNs - beganNs, "admin", kind + " failed: " + failed.code().wireName() + ": "
                            + failed.message());
                }
                case AdminReply.Progress _ -> { }
            }
        });
    }

    private void error(String code) {
        errors.merge("admin:" + code, 1L, Long::sum);
    }

    /** Streams that begin from now on have at least this version. */
    long acknowledgedVersion() {
        return version;
    }

    /** Whether no request is without an answer. */
    boolean isQuiet() {
        return !busy;
    }

    Map<String, Long> errors() {
        return errors;
    }

    private String ref() {
        return "r" + refs++;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
