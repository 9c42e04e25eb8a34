package dev.tidestream.server.admin.service;

import java.util.Optional;
import java.util.SplittableRandom;

import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadComparison;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.HeadVerifier;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.tied.TiedWeightException;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.HeadModes;
import dev.tidestream.server.admin.build.BuildTime;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Exchanges the head under running streams: builds the new layout beside the old one, compares their logits on hidden states of
 * streams that really ran, and publishes. Whatever goes wrong, the old head goes on. Serialised by the caller.
 */
final class HeadToggle {
    /** States to compare on if no stream has run yet. */
    private static final int SYNTHETIC_ROWS = 4;

    private static final double NS_PER_US = 1e3;

    private final ServedModelVersions served;
    private final EpochBuilder builder;
    private final HiddenStates recent;
    private final PacedTeam team;

    HeadToggle(ServedModelVersions served, EpochBuilder builder, HiddenStates recent, PacedTeam team) {
        this.served = served;
        this.builder = builder;
        this.recent = recent;
        this.team = team;
    }

    /**
     * Goes to a mode; if that is the mode now, nothing is done.
     *
     * @throws AdminException {@code no_tied_weights}, {@code budget_exceeded}, {@code verification_failed}, {@code too_many_versions}
     */
    AdminResult.ModeSet to(HeadMode mode, boolean verify, ProgressSink progress) throws AdminException {
        LoadedModel was = served.current();
        if (!was.blueprint().tied()) {
            throw new AdminException(AdminErrorCode.NO_TIED_WEIGHTS,
                    "the model's output matrix is not tied to its embedding: mode=" + mode.wireName());
        }
        long bytesBefore = was.bytes();
        if (was.headMode() == mode) {
            return new AdminResult.ModeUnchanged(HeadModes.of(mode), bytesBefore);
        }
        served.awaitPlace(progress);
        BuildTime time = new BuildTime();
        progress.report("building", 0, 1);
        team.awaitBreak();
        Built built = build(was, mode, verify, progress);
        AdminResult.ModeChanged changed = new AdminResult.ModeChanged(
                HeadModes.of(mode), HeadModes.of(was.headMode()), bytesBefore, built.next.bytes(),
                built.verification, time.cost());
        served.publish(built.next);
        return changed;
    }

    private record Built(LoadedModel next, Optional<AdminResult.Verification> verification) {}

    private Built build(LoadedModel was, HeadMode mode, boolean verify, ProgressSink progress) throws AdminException {
        EmbeddingLayer head;
        try {
            head = builder.head(was, mode);
        } catch (TiedWeightException e) {
            throw new AdminException(AdminErrorCode.BUDGET_EXCEEDED, String.valueOf(e.getMessage()), e);
        }
        boolean taken = false;
        try {
            Optional<AdminResult.Verification> verification = Optional.empty();
            if (verify) {
                progress.report("verifying", 0, 1);
                verification = Optional.of(verify(was.weights().embedding(), head));
            }
            LoadedModel next = builder.withHead(was, head);
            taken = true;
            return new Built(next, verification);
        } finally {
            if (!taken) {
                head.close();
            }
        }
    }

    private AdminResult.Verification verify(EmbeddingLayer was, EmbeddingLayer next) throws AdminException {
        float[] hidden = recent.snapshot(); // (rows, H)
        boolean recorded = hidden.length > 0;
        if (!recorded) {
            hidden = synthetic(was.hiddenSize());
        }
        HeadComparison comparison = HeadVerifier.compare(was, next, hidden, hidden.length / was.hiddenSize(), team);
        if (!comparison.withinBound()) {
            throw new AdminException(AdminErrorCode.VERIFICATION_FAILED,
                    "the new layout gives other logits: max_delta=%s, max_delta_over_bound=%s, rows=%d; mode %s goes on"
                            .formatted(comparison.maxDelta(), comparison.maxDeltaOverBound(), comparison.rows(), was.mode().wireName()));
        }
        String activations = ActivationPrecision.F32.wireName(); // see HeadVerifier; the times below are those, too
        return new AdminResult.Verification(comparison.rows(), recorded, activations,
                comparison.maxDelta(), comparison.maxDeltaOverBound(), comparison.oldNanosPerRow() / NS_PER_US, comparison.newNanosPerRow() / NS_PER_US);
    }

    /** Hidden states that nobody has computed, the same each time. */
    static float[] synthetic(int hiddenSize) {
        SplittableRandom random = new SplittableRandom(1);
        float[] hidden = new float[SYNTHETIC_ROWS * hiddenSize];
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = (float) random.nextGaussian();
        }
        return hidden;
    }
}
