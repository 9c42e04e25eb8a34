package dev.tidestream.loadtest;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import dev.tidestream.console.Reasons;
import dev.tidestream.loadtest.wire.ApiKey;
import dev.tidestream.loadtest.wire.ModelInfo;

/** Another server to compare with, started for one run. It is ready when it answers {@code GET /v1/models}. */
final class BaselineServer {
    private static final Duration START_PATIENCE = Duration.ofMinutes(2);
    private static final long LOOK_MS = 100;

    private BaselineServer() {}

    /** @throws LoadFailedException if it does not get ready, or somebody else answers there already */
    static ServerProcess start(List<String> command, URI url) throws LoadFailedException, InterruptedException {
        if (answers(url)) {
            throw new LoadFailedException("--baseline-command: somebody answers at " + url + " already");
        }
        CountDownLatch ended = new CountDownLatch(1);
        ServerProcess process;
        try {
            process = ServerProcess.start(command, _ -> { }, () -> { });
        } catch (IOException e) {
            throw new LoadFailedException("cannot start the baseline: " + Reasons.of(e), e);
        }
        process.onExit(ended::countDown);
        long deadlineNs = System.nanoTime() + START_PATIENCE.toNanos();
        while (!answers(url)) {
            if (ended.await(LOOK_MS, TimeUnit.MILLISECONDS) || System.nanoTime() > deadlineNs) {
                process.close();
                throw new LoadFailedException("the baseline does not answer at " + url + ":" + process.lastLines());
            }
        }
        return process;
    }

    private static boolean answers(URI url) throws InterruptedException {
        try {
            ModelInfo.of(url, ApiKey.NONE);
            return true;
        } catch (IOException e) {
            return false; // not yet
        }
    }
}
