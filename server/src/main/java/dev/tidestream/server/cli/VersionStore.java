package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.time.InstantSource;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.service.AdminService;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.DataDirectory;

/** The data directory of a server, if it has one: with it, the newest committed version is served first. */
final class VersionStore implements RunningModel.FirstVersion, AutoCloseable {
    private final LiveUpdateOptions options;
    private final MemoryBudget budget;
    private final LowRankProduct product;
    private final PrintWriter err;
    private final @Nullable DataDirectory directory;
    private @Nullable UpdateLog log;

    /**
     * Locks the data directory, if there is to be one, before the model is loaded.
     *
     * @param err where a bar may be drawn
     * @throws CliException if it cannot be used
     */
    VersionStore(LiveUpdateOptions options, MemoryBudget budget, LowRankProduct product, PrintWriter err) {
        this.options = options;
        this.err = err;
        this.budget = budget;
        this.product = product;
        try {
            directory = options.dataDir == null ? null : DataDirectory.lock(options.dataDir);
        } catch (DataDirException e) {
            throw refused(e);
        }
    }

    private static CliException refused(DataDirException e) {
        return new CliException("cannot serve from the data directory: " + e.getMessage(), e);
    }

    /** The history of versions; null without a data directory, and before the model was loaded. */
    @Nullable UpdateLog log() {
        return log;
    }

    @Override
    public RunningModel.Versioned of(GgufFile file, ModelLoader loader, LoadedModel base, WorkerTeam team) {
        if (base.familyBytes() > budget.freeBytes(0)) {
            base.close();
            throw new CliException("the model does not fit the memory budget: weights_bytes=%d, kv_bytes=%d, memory_budget_bytes=%d"
                    .formatted(base.familyBytes(), budget.kvBytes(), budget.limitBytes()));
        }
        if (directory == null) {
            return RunningModel.FirstVersion.BASE.of(file, loader, base, team);
        }
        try (RestoreProgress progress = new RestoreProgress(err, System::nanoTime)) {
            UpdateLog opened = UpdateLog.open(directory, file.sha256(), options.logLimits(), InstantSource.system(), progress);
            log = opened;
            return new RunningModel.Versioned(
                    opened.currentVersion(), AdminService.restore(base, loader, opened, team, budget, product, progress));
        } catch (DataDirException e) {
            base.close();
            throw refused(e);
        } catch (AdminException e) {
            throw new CliException("cannot serve the newest version: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        try (DataDirectory _ = directory) {
            if (log != null) {
                log.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the data directory could not be released", e);
        }
    }
}
