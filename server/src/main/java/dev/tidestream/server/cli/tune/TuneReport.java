package dev.tidestream.server.cli.tune;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;
import dev.tidestream.model.tuning.Parameter;
import dev.tidestream.model.tuning.TokenBlocks;
import dev.tidestream.model.tuning.Trainer;
import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.server.cli.terminal.JsonText;

/**
 * What {@code tune} prints, line by line: for people, or checkpoints as JSON.
 *
 * @param steps of the whole run
 */
record TuneReport(PrintWriter out, boolean json, int steps) {
    private static final int LINES = 20; // of steps in a run

    /** How large the run is. */
    void begin(TuningModel model, TokenBlocks blocks, RunSettings settings, int done) {
        long trained = model.parameters().stream().mapToLong((Parameter parameter) -> parameter.values().length).sum();
        say("training %,d numbers of '%s': adapters on %d matrices, %d rows of the embedding".formatted(
                trained, Printable.line(model.blueprint().name()), model.adapted().size(), settings.trained().rows().size()));
        say("%d blocks of %d tokens, and %d held out; %d blocks a step".formatted(
                blocks.training().size(), settings.context(), blocks.heldOut().size(), settings.batch()));
        if (done > 0) {
            say("going on behind step %d".formatted(done));
        }
    }

    /** A step, if it is one of those that get a line. */
    void step(int step, Trainer.Step figures, double tokensPerSecond) {
        if (step == 1 || step % Math.max(1, steps / LINES) == 0) {
            say(String.format(Locale.ROOT, "step %d/%d  loss %.4f  gradient %.3f  learning rate %.2e  %.0f tokens/s",
                    step, steps, figures.loss(), figures.gradientNorm(), figures.learningRate(), tokensPerSecond));
        }
    }

    /**
     * What was computed for a checkpoint.
     *
     * @param heldOutLoss mean over all tokens that are held out
     * @param checkpoint null before the first step
     * @param version that a server made of it; 0 for none
     */
    void checkpoint(int step, double heldOutLoss, @Nullable Path checkpoint, long version) {
        if (json) {
            out.println(JsonText.object(object -> {
                object.writeNumberField("step", step);
                object.writeNumberField("held_out_loss", heldOutLoss);
                object.writeNumberField("held_out_perplexity", Math.exp(heldOutLoss));
                if (checkpoint != null) {
                    object.writeStringField("checkpoint", checkpoint.toString());
                }
                if (version > 0) {
                    object.writeNumberField("weights_version", version);
                }
            }));
            out.flush();
        } else {
            say(String.format(Locale.ROOT, "step %d/%d  held out: loss %.4f, perplexity %.2f%s%s", step, steps, heldOutLoss,
                    Math.exp(heldOutLoss), checkpoint == null ? "" : "  -> " + Printable.line(checkpoint.toString()),
                    version > 0 ? "  -> version " + version : ""));
        }
    }

    private void say(String line) {
        if (!json) {
            out.println(line);
            out.flush();
        }
    }
}
