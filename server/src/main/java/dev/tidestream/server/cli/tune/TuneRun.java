package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tuning.Adam;
import dev.tidestream.model.tuning.TokenBlocks;
import dev.tidestream.model.tuning.Trainer;
import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.server.cli.admin.AdminFailedException;

/** The steps of a run, with checkpoints and pushes between them. The caller's thread. */
record TuneRun(
        TuningModel model, Trainer trainer, Adam adam, TokenBlocks blocks, RunSettings settings, RunDirectory directory,
        @Nullable VersionSink sink, TuneReport report) {

    /**
     * Goes on to the last step.
     *
     * @param done the step that is done; 0 for none
     * @param every steps between two checkpoints; the last step has one too
     */
    void from(int done, int every) throws IOException, AdminFailedException, InterruptedException {
        report.checkpoint(done, trainer.loss(blocks.heldOut()), null, 0);
        for (int step = done + 1; step <= settings.steps(); step++) {
            long start = System.nanoTime();
            Trainer.Step figures = trainer.step(step, blocks.batch(step, settings.batch()));
            double seconds = (System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1);
            report.step(step, figures, settings.batch() * settings.context() / seconds);
            if (step % every == 0 || step == settings.steps()) {
                checkpoint(step);
            }
        }
    }

    private void checkpoint(int step) throws IOException, AdminFailedException, InterruptedException {
        double loss = trainer.loss(blocks.heldOut());
        Path saved = directory.save(step, model, adam, settings);
        long version = sink == null ? 0 : sink.push(step, model);
        report.checkpoint(step, loss, saved, version);
    }
}
