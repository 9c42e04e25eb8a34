package dev.tidestream.server.admin.service;

import java.util.LinkedHashMap;
import java.util.Map;
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
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
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
     * @return what the ack says
     * @throws AdminException {@code no_tied_weights}, {@code budget_exceeded}, {@code verification_failed}, {@code too_many_versions}
     */
    Map<String, Object> to(HeadMode mode, boolean verify, ProgressSink progress) throws AdminException {
        LoadedModel was = served.current();
        if (!was.blueprint().tied()) {
            throw new AdminException(AdminErrorCode.NO_TIED_WEIGHTS,
                    "the model's output matrix is not tied to its embedding: mode=" + mode.wireName());
        }
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("mode", mode.wireName());
        details.put("previous_mode", was.headMode().wireName());
        details.put("bytes_before", was.bytes());
        if (was.headMode() == mode) {
            details.put("changed", false);
            details.put("bytes_after", was.bytes());
            return details;
        }
        served.awaitPlace(progress);
        BuildTime time = new BuildTime();
        progress.report("building", 0, 1);
        team.awaitBreak();
        LoadedModel next = build(was, mode, verify, details, progress);
        details.putAll(time.details());
        details.put("changed", true);
        details.put("bytes_after", next.bytes());
        served.publish(next);
        return details;
    }

    private LoadedModel build(
            LoadedModel was, HeadMode mode, boolean verify, Map<String, Object> details, ProgressSink progress)
            throws AdminException {
        EmbeddingLayer head;
        try {
            head = builder.head(was, mode);
        } catch (TiedWeightException e) {
            throw new AdminException(AdminErrorCode.BUDGET_EXCEEDED, String.valueOf(e.getMessage()), e);
        }
        boolean taken = false;
        try {
            if (verify) {
                progress.report("verifying", 0, 1);
                details.put("verification", verify(was.weights().embedding(), head));
            }
            LoadedModel next = builder.withHead(was, head);
            taken = true;
            return next;
        } finally {
            if (!taken) {
                head.close();
            }
        }
    }

    private Map<String, Object> verify(EmbeddingLayer was, EmbeddingLayer next) throws AdminException {
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
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("rows", comparison.rows());
        report.put("recorded", recorded);
        report.put("activations", ActivationPrecision.F32.wireName()); // see HeadVerifier; the times below are those, too
        report.put("max_delta", comparison.maxDelta());
        report.put("max_delta_over_bound", comparison.maxDeltaOverBound());
        report.put("old_us_per_row", comparison.oldNanosPerRow() / NS_PER_US);
        report.put("new_us_per_row", comparison.newNanosPerRow() / NS_PER_US);
        return report;
    }

    private static float[] synthetic(int hiddenSize) {
        SplittableRandom random = new SplittableRandom(1);
        float[] hidden = new float[SYNTHETIC_ROWS * hiddenSize];
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = (float) random.nextGaussian();
        }
        return hidden;
    }
}
