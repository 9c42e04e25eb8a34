package dev.tidestream.server.weights;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.server.canary.CanaryReport;
import dev.tidestream.server.canary.RollbackRule;
import dev.tidestream.server.canary.ShadowFigures;
import dev.tidestream.server.canary.ShadowReport;
import dev.tidestream.server.canary.SideFigures;
import dev.tidestream.server.transport.http.JsonAnswer;

/** What is said of versions that are tried, as JSON. What has no number yet is left out. */
final class TrialAnswers {
    private static final double NANOS_PER_MS = TimeUnit.MILLISECONDS.toNanos(1);

    private TrialAnswers() {}

    /** @param report empty if this process has had no canary */
    static JsonAnswer.Body ofCanary(Optional<CanaryReport> report) {
        return json -> {
            if (report.isPresent()) {
                write(report.get(), json);
            } else {
                json.writeStringField("state", "none");
            }
        };
    }

    private static void write(CanaryReport report, JsonGenerator json) throws IOException {
        json.writeStringField("state", report.runs() ? "running" : "ended");
        json.writeNumberField("version", report.spec().weightsVersion());
        json.writeNumberField("baseline_version", report.baselineVersion());
        json.writeNumberField("share", report.spec().share());
        json.writeStringField("by", report.spec().by().wireName());
        write(report.spec().rule(), json);
        json.writeStringField("started", report.started().toString());
        CanaryReport.Ended end = report.end();
        if (end != null) {
            json.writeStringField("ended", end.at().toString());
            json.writeStringField("reason", end.why().wireName());
            json.writeStringField("detail", end.detail());
        }
        write("canary", report.canary(), json);
        write("baseline", report.baseline(), json);
    }

    private static void write(RollbackRule rule, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("rule");
        json.writeNumberField("min_tokens", rule.minTokens());
        json.writeNumberField("min_streams", rule.minStreams());
        write("min_mean_logprob", rule.minMeanLogprob(), json);
        write("max_logprob_drop", rule.maxLogprobDrop(), json);
        write("max_failed_share", rule.maxFailedShare(), json);
        write("max_kl", rule.maxKl(), json);
        json.writeBooleanField("non_finite", rule.nonFinite());
        json.writeEndObject();
    }

    private static void write(String name, OptionalDouble bound, JsonGenerator json) throws IOException {
        if (bound.isPresent()) {
            json.writeNumberField(name, bound.getAsDouble());
        }
    }

    private static void write(String name, SideFigures side, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("streams", side.streams());
        json.writeNumberField("tokens", side.tokens());
        json.writeNumberField("scored_tokens", side.scoredTokens());
        mean("mean_logprob", side.meanLogprob(), json);
        json.writeNumberField("ended_streams", side.endedStreams());
        json.writeNumberField("failed_streams", side.failedStreams());
        json.writeNumberField("non_finite_rows", side.nonFiniteRows());
        json.writeEndObject();
    }

    private static void mean(String name, double value, JsonGenerator json) throws IOException {
        if (Double.isFinite(value)) {
            json.writeNumberField(name, value);
        }
    }

    /** @param report empty if this process has had no shadow */
    static JsonAnswer.Body ofShadow(Optional<ShadowReport> report) {
        return json -> {
            if (report.isPresent()) {
                write(report.get(), json);
            } else {
                json.writeStringField("state", "none");
            }
        };
    }

    private static void write(ShadowReport report, JsonGenerator json) throws IOException {
        json.writeStringField("state", report.runs() ? "running" : report.fault().isEmpty() ? "ended" : "failed");
        json.writeNumberField("version", report.spec().weightsVersion());
        json.writeNumberField("share", report.spec().share());
        json.writeStringField("started", report.started().toString());
        if (report.ended() != null) {
            json.writeStringField("ended", report.ended().toString());
        }
        ShadowFigures figures = report.figures();
        json.writeNumberField("streams", figures.streams());
        json.writeNumberField("left_out", figures.leftOut());
        json.writeNumberField("rows", figures.rows());
        json.writeNumberField("computed_rows", figures.computedRows());
        json.writeNumberField("non_finite_rows", figures.nonFiniteRows());
        json.writeNumberField("max_delta", figures.maxDelta());
        mean("mean_kl", figures.meanKl(), json);
        json.writeNumberField("max_kl", figures.maxKl());
        json.writeNumberField("other_tokens", figures.otherTokens());
        json.writeNumberField("other_streams", figures.otherStreams());
        json.writeNumberField("took_ms", figures.nanos() / NANOS_PER_MS);
        json.writeArrayFieldStart("first_differences");
        for (ShadowFigures.First first : figures.firsts()) {
            json.writeStartObject();
            json.writeNumberField("stream", first.stream());
            json.writeNumberField("position", first.position());
            json.writeNumberField("live_token", first.liveToken());
            json.writeNumberField("shadow_token", first.shadowToken());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
