package dev.tidestream.server.transport;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;

import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A desk that keeps the contract and changes nothing but counters. What a request is called is its script, as the ref or the
 * update id begins: {@code hold}: waits at the gate, {@code refuse}: {@code no_tied_weights}, {@code crash}: a fault with a
 * secret, {@code error}: the same as an Error, {@code other}: acknowledges another request, {@code work}: reports three stages;
 * for updates also {@code again}: a repetition, {@code stale}: refused at the start, {@code full}: the disk is full after the
 * first chunk, {@code slow}: chunks wait at the gate. Updates above 1 MiB are refused unless {@code slow}.
 */
final class FakeDesk implements AdminDesk {
    static final String SECRET = "the-secret-of-the-desk";
    private static final long MAX_BYTES = 1 << 20;
    private static final int PATIENCE_S = 60;

    final AtomicLong version = new AtomicLong(1);
    final List<AdminRequest> handled = new CopyOnWriteArrayList<>();
    final AtomicInteger opened = new AtomicInteger();
    final AtomicInteger closed = new AtomicInteger();
    final AtomicInteger waiting = new AtomicInteger();
    final AtomicInteger accepts = new AtomicInteger();
    final AtomicLong acceptedBytes = new AtomicLong();
    final List<String> threads = new CopyOnWriteArrayList<>();
    private final ConcurrentLinkedQueue<CompletableFuture<@Nullable Void>> changes = new ConcurrentLinkedQueue<>();
    private final CountDownLatch gate = new CountDownLatch(1);

    void openGate() {
        gate.countDown();
    }

    @Override
    public AdminReply.Ack handle(AdminRequest request, ProgressSink progress) throws AdminException {
        threads.add(Thread.currentThread().getName());
        handled.add(request);
        play(request.ref(), progress);
        return new AdminReply.Ack(
                request.ref().startsWith("other") ? "another" : request.ref(),
                version.get(),
                Map.of("did", request.getClass().getSimpleName(), "levels", List.of(Map.of("bytes", 5L))));
    }

    private void play(String script, ProgressSink progress) throws AdminException {
        changed();
        if (script.startsWith("hold")) {
            waitAtGate();
        } else if (script.startsWith("refuse")) {
            throw new AdminException(AdminErrorCode.NO_TIED_WEIGHTS, "the head is a matrix of its own: tensor=output.weight");
        } else if (script.startsWith("crash")) {
            throw new IllegalStateException(SECRET);
        } else if (script.startsWith("error")) {
            throw new AssertionError(SECRET);
        } else if (script.startsWith("work")) {
            progress.report("building", 0, 2);
            progress.report("building", 1, 2);
            progress.report("verifying", 0, 1);
            progress.report("publishing", 1, 1);
        }
    }

    @Override
    public UpdateStart begin(AdminRequest.WithFrames frames, ProgressSink progress) throws AdminException {
        AdminRequest.WeightsUpdate update = (AdminRequest.WeightsUpdate) frames;
        threads.add(Thread.currentThread().getName());
        String script = update.updateId();
        if (script.startsWith("again")) {
            return new UpdateStart.Repeated(new AdminReply.Ack(update.ref(), version.get(), Map.of("repeated", true)));
        } else if (script.startsWith("stale")) {
            throw new AdminException(AdminErrorCode.STALE_BASE_VERSION, "the current version is another one: base_version=1");
        } else if (update.byteLength() > MAX_BYTES && !script.startsWith("slow")) {
            throw new AdminException(AdminErrorCode.TOO_MANY_BYTES, "payloads would take too many bytes");
        }
        if (!script.startsWith("slow")) {
            play(script, progress);
        }
        opened.incrementAndGet();
        changed();
        return new UpdateStart.Receiving(new FakeUpload(update));
    }

    /** Waits, change by change, until the condition holds. */
    void await(BooleanSupplier condition) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (true) {
            CompletableFuture<@Nullable Void> change = new CompletableFuture<>();
            changes.add(change);
            if (condition.getAsBoolean()) {
                return;
            }
            try {
                change.get(deadlineNs - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException | ExecutionException e) {
                throw new AssertionError("it never came to that: " + this, e);
            }
        }
    }

    @Override
    public String toString() {
        return "FakeDesk{version=" + version + ", handled=" + handled.size() + ", opened=" + opened + ", closed=" + closed
                + ", waiting=" + waiting + ", acceptedBytes=" + acceptedBytes + "}";
    }

    /** Something that {@link #await} may wait for has changed. */
    void changed() {
        CompletableFuture<@Nullable Void> change;
        while ((change = changes.poll()) != null) {
            change.complete(null);
        }
    }

    private void waitAtGate() {
        waiting.incrementAndGet();
        changed();
        try {
            assertTrue(gate.await(PATIENCE_S, TimeUnit.SECONDS), "nobody opened the gate");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        } finally {
            waiting.decrementAndGet();
            changed();
        }
    }

    private final class FakeUpload implements Upload {
        private final AdminRequest.WeightsUpdate update;
        private final MessageDigest digest;
        private final AtomicInteger inside = new AtomicInteger();
        private long bytes;
        private boolean ended;

        FakeUpload(AdminRequest.WeightsUpdate update) {
            this.update = update;
            try {
                this.digest = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError(e);
            }
        }

        private void enter() {
            assertTrue(inside.incrementAndGet() == 1 && !ended, "calls overlap, or come after the end");
            threads.add(Thread.currentThread().getName());
        }

        @Override
        public void accept(ByteBuffer chunk) throws AdminException {
            enter();
            accepts.incrementAndGet();
            bytes += chunk.remaining();
            acceptedBytes.addAndGet(chunk.remaining());
            assertTrue(bytes <= update.byteLength(), "more than was announced");
            digest.update(chunk);
            changed();
            if (update.updateId().startsWith("slow")) {
                waitAtGate();
            }
            inside.decrementAndGet();
            if (update.updateId().startsWith("full")) {
                throw new AdminException(AdminErrorCode.DISK_FULL, "payload of full: disk full");
            }
        }

        @Override
        public AdminReply.Ack finish(ProgressSink progress) throws AdminException {
            enter();
            try {
                assertTrue(bytes == update.byteLength(), "finished before the end");
                String actual = HexFormat.of().formatHex(digest.digest());
                if (!actual.equals(update.sha256())) {
                    throw new AdminException(AdminErrorCode.CHECKSUM_MISMATCH, "payload has another checksum: sha256=" + actual);
                }
                progress.report("building", 1, 2);
                play(update.ref(), progress);
                return new AdminReply.Ack(update.ref(), version.incrementAndGet(), Map.of("update_id", update.updateId()));
            } finally {
                inside.decrementAndGet();
            }
        }

        @Override
        public void giveUp(AdminErrorCode why) {
            enter();
            inside.decrementAndGet();
        }

        @Override
        public void close() {
            enter();
            ended = true;
            closed.incrementAndGet();
            changed();
            if (update.updateId().startsWith("unclosable")) {
                throw new IllegalStateException("scripted");
            }
        }
    }
}
