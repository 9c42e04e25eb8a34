package dev.tidestream.server.cli;

import java.time.InstantSource;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.AdminService;
import dev.tidestream.server.admin.DataDirException;
import dev.tidestream.server.admin.MemoryBudget;
import dev.tidestream.server.admin.UpdateLog;

/** The data directory of a server, if it has one: with it, the newest committed version is served first. */
final class VersionStore implements RunningModel.FirstVersion, AutoCloseable {
    private final LiveUpdateOptions options;
    private final MemoryBudget budget;
    private final LowRankProduct product;
    private @Nullable UpdateLog log;

    VersionStore(LiveUpdateOptions options, MemoryBudget budget, LowRankProduct product) {
        this.options = options;
        this.budget = budget;
        this.product = product;
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
        if (options.dataDir == null) {
            return RunningModel.FirstVersion.BASE.of(file, loader, base, team);
        }
        try {
            UpdateLog opened = UpdateLog.open(options.dataDir, file.sha256(), options.logLimits(), InstantSource.system());
            log = opened;
            return new RunningModel.Versioned(
                    opened.currentVersion(), AdminService.restore(base, loader, opened, team, budget, product));
        } catch (DataDirException e) {
            base.close();
            throw new CliException("cannot serve from the data directory: " + e.getMessage());
        } catch (AdminException e) {
            throw new CliException("cannot serve the newest version: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        if (log != null) {
            log.close();
        }
    }
}
