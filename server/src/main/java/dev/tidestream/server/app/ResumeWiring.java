package dev.tidestream.server.app;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.engine.WaitingEngine;
import dev.tidestream.server.resume.JournalDirectory;
import dev.tidestream.server.resume.ResumableStreams;
import dev.tidestream.server.resume.ResumeLimits;
import dev.tidestream.server.resume.StreamJournal;

/** The streams that outlive their connections and, with a data directory, the process. */
final class ResumeWiring implements AutoCloseable {
    private static final String DIRECTORY = "streams";

    private final @Nullable JournalDirectory journal;
    private final ResumableStreams streams;

    /**
     * @param receipts completes when receipts can be issued without waiting
     * @param dataDir locked by this process; null for streams that end with it
     */
    ResumeWiring(Served served, Supplier<CompletableFuture<?>> receipts, ResumeLimits limits, @Nullable Path dataDir) {
        try {
            journal = dataDir == null ? null
                    : new JournalDirectory(dataDir.resolve(DIRECTORY), limits.maxJournalBytes(),
                            served.precision() + " " + served.promptSha256());
        } catch (IOException e) {
            throw new ServerException(ServerException.Reason.DATA_DIRECTORY,
                    "cannot keep streams in the data directory: " + e.getMessage(), e);
        }
        streams = new ResumableStreams(
                new WaitingEngine(served.engine(), receipts), limits, System::nanoTime, journal == null ? StreamJournal.NONE : journal);
    }

    ResumableStreams streams() {
        return streams;
    }

    /** When the engine has ended: waits until all is written. */
    @Override
    public void close() {
        if (journal != null) {
            try {
                journal.close();
            } catch (IOException e) {
                throw new ServerException(ServerException.Reason.CLOSE, "streams could not be written: " + e.getMessage(), e);
            }
        }
    }
}
