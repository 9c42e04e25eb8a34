package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.patch.PatchException;
import dev.tidestream.model.patch.PatchResult;
import dev.tidestream.model.patch.TensorPatcher;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tensor.panel.PanelEditor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.build.UpdatePayload;
import dev.tidestream.server.admin.store.PayloadSpool;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.pacing.PacedTeam;
import dev.tidestream.server.pacing.StepBreak;

/**
 * JIT warm-up of updates: applies updates of every kind to the first panels of the served matrices, one of each format, while nobody
 * streams, and drops the results. Without it, C2 compiles the code that builds a version during the first updates and takes a core for
 * 20 to 50 ms at a time, which no break can cut: inter-token latency then was 1.6 to 3.6 times the usual one.
 *
 * <p>A payload goes the way of a real one, through a spool of the data directory that is closed, and so removed, in the end, into a
 * matrix that nobody serves. No version comes of it. The spool has one of the places for payloads being received, and ND4J is loaded,
 * which takes a second the first time.
 */
final class UpdateWarmUp {
    private static final Logger log = LoggerFactory.getLogger(UpdateWarmUp.class);

    private static final int ROUNDS = 20;
    /** For rows, which copy panels: C2 compiles what runs once per panel after 10,000 invocations. */
    private static final int PANELS_OF_ROWS = 256;
    private static final long ROOM_BYTES = 16L << 20; // for a moment, beside the memory budget
    /** For the other kinds: C2 compiles after 5,000 invocations, and 13 passes × 20 rounds × 32 panels exceed that. */
    private static final int PANELS = 32;
    private static final int COLUMNS = 256; // so that it takes no longer than it has to; whole blocks of any format
    private static final int BREAKS = 120; // asked for once a kind, beside those that pieces need
    private static final int LISTED_ROWS = 16;
    private static final int RANK = 8;
    private static final float SMALL = 0.01f;
    private static final int ZERO_IN = 64; // values; zeros go a way of their own

    private final UpdateLog updates;
    private final LowRankProduct product;
    private final StepBreak breaks;

    /**
     * @param product of real updates
     * @param breaks whose rests are used
     */
    UpdateWarmUp(UpdateLog updates, LowRankProduct product, StepBreak breaks) {
        this.updates = updates;
        this.product = product;
        this.breaks = breaks;
    }

    /**
     * Runs every kind once. Between two rounds it yields: to a stream by leaving the kind and waiting, to a change by ending.
     *
     * @param current the served model, which stays open while {@code changes} is held
     * @param changes held by whoever changes the model, and fair
     * @param givenUp ends it early
     * @return whether another pass is useful
     */
    boolean pass(Supplier<LoadedModel> current, ReentrantLock changes, BooleanSupplier givenUp) {
        for (String tensor : tensors(current.get())) {
            for (UpdateKind kind : UpdateKind.values()) {
                breaks.awaitRest(givenUp);
                if (givenUp.getAsBoolean() || changes.hasQueuedThreads() || !changes.tryLock()) {
                    return false;
                }
                try (PretendedSteps steps = new PretendedSteps()) {
                    BooleanSupplier mayGoOn = () -> breaks.free() && !changes.hasQueuedThreads() && !givenUp.getAsBoolean();
                    steps.askForBreaks(mayGoOn);
                    apply(current.get(), tensor, kind, steps.team(), mayGoOn);
                    if (changes.hasQueuedThreads()) {
                        return false;
                    }
                } catch (PatchException e) {
                    if (e.reason() != PatchException.Reason.NON_FINITE) {
                        throw new IllegalStateException("an update of the warm-up is wrong: tensor=%s, kind=%s".formatted(tensor, kind), e);
                    }
                    // such weights: with them, real updates are refused, too
                    log.debug("refused in warm-up: tensor={}, kind={}: {}", tensor, kind.wireName(), e.getMessage());
                } catch (AdminException e) {
                    log.warn("warm-up of updates ends early: tensor={}, kind={}: {}", tensor, kind.wireName(), e.getMessage());
                    return false;
                } finally {
                    changes.unlock();
                }
            }
        }
        return true;
    }

    /** A matrix of each format. */
    private static List<String> tensors(LoadedModel model) {
        Map<TensorFormat, String> names = new EnumMap<>(TensorFormat.class);
        for (String name : model.tensorNames()) {
            if (model.tensor(name).orElseThrow() instanceof WeightTensor.Matrix(PanelMatrix panels)) {
                names.putIfAbsent(panels.format(), name);
            }
        }
        return new ArrayList<>(names.values());
    }

    private void apply(LoadedModel model, String tensor, UpdateKind kind, WorkerTeam team, BooleanSupplier mayGoOn)
            throws AdminException {
        if (!(Refusals.tensor(model, tensor) instanceof WeightTensor.Matrix(PanelMatrix whole))) {
            throw new IllegalStateException("was a matrix: " + tensor);
        }
        PanelMatrix base = kind == UpdateKind.ROWS ? whole.first(panelsOfRows(whole))
                : whole.narrow(PANELS, Math.min(whole.columns(), COLUMNS));
        ByteBuffer payload = payload(kind, base);
        List<Long> shape = List.of(kind == UpdateKind.ROWS ? listedRows(base) : (long) base.rows(), (long) base.columns());
        UpdateSpec spec = new UpdateSpec("warm-up-" + UUID.randomUUID(), updates.currentVersion(), tensor, kind, shape, PayloadType.F32,
                kind == UpdateKind.LOW_RANK ? RANK : 0, sha256(payload), payload.limit());
        try (PayloadSpool spool = updates.receive(spec)) {
            spool.accept(payload);
            spool.finish();
            for (int round = 0; round < ROUNDS && mayGoOn.getAsBoolean(); round++) {
                try (UpdatePayload mapped = UpdatePayload.map(spec, spool.file()); PageArena arena = new PageArena()) {
                    PatchResult _ = TensorPatcher.apply(
                            tensor, new WeightTensor.Matrix(base), mapped.patch(), arena, team, product);
                }
            }
        }
    }

    /** As many as there is room for. */
    private static int panelsOfRows(PanelMatrix matrix) {
        long panelBytes = PanelMatrix.panelBytes(matrix.format(), PanelEditor.PANEL_ROWS, matrix.columns());
        return Math.clamp(ROOM_BYTES / panelBytes, 1, PANELS_OF_ROWS);
    }

    private static long listedRows(PanelMatrix base) {
        return Math.min(LISTED_ROWS, base.rows());
    }

    private static ByteBuffer payload(UpdateKind kind, PanelMatrix base) {
        long rows = listedRows(base);
        long values = switch (kind) {
            case ROWS -> rows * (1 + base.columns());
            case REPLACE, DELTA -> (long) base.rows() * base.columns();
            case LOW_RANK -> (long) RANK * (base.rows() + base.columns());
        };
        ByteBuffer payload = ByteBuffer.allocate(Math.toIntExact(values * Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        if (kind == UpdateKind.ROWS) {
            int distance = base.rows() / (int) rows;
            for (int i = 0; i < rows; i++) {
                payload.putInt(i * distance + (distance == 1 ? 0 : i % 2)); // the first of a panel, and others
            }
        }
        SplittableRandom random = new SplittableRandom(1);
        while (payload.hasRemaining()) {
            payload.putFloat(random.nextInt(ZERO_IN) == 0 ? 0 : (random.nextFloat() - 0.5f) * SMALL);
        }
        return payload.flip();
    }

    private static String sha256(ByteBuffer payload) {
        MessageDigest digest = Sha256.digest();
        digest.update(payload.duplicate());
        return Sha256.hex(digest);
    }

    /** A decode loop that only gives breaks, so that the code that asks for them is warmed up, too. */
    private static final class PretendedSteps implements AutoCloseable {
        private static final double SHARE = 0.25;
        private static final long STEP_NS = 15_000_000;
        private static final long PAUSE_NS = 50_000;

        private final StepBreak breaks = new StepBreak();
        private final PacedTeam team = new PacedTeam(breaks, SHARE);
        private final Thread thread = Thread.ofPlatform().name("tidestream-background-warm-up-steps").daemon().unstarted(this::run);
        private volatile boolean closed;

        PretendedSteps() {
            breaks.begin();
            thread.start();
        }

        PacedTeam team() {
            return team;
        }

        void askForBreaks(BooleanSupplier mayGoOn) {
            for (int i = 0; i < BREAKS && mayGoOn.getAsBoolean(); i++) {
                team.awaitBreak();
                team.rest();
            }
        }

        private void run() {
            while (!closed) {
                breaks.give(STEP_NS);
                LockSupport.parkNanos(PAUSE_NS);
            }
            breaks.rest();
        }

        /** Its builder is done; the thread ends within a pause. */
        @Override
        public void close() {
            team.rest();
            closed = true;
        }
    }
}
