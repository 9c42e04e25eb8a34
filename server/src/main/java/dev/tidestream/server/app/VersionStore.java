package dev.tidestream.server.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.InstantSource;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.ModelSource;
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
import dev.tidestream.server.app.ServerException.Reason;

/** The data directory of a server, if it has one: with it, the newest committed version is served first. */
public final class VersionStore implements ModelRuntime.FirstVersion, AutoCloseable {
    private final ServerConfig.Updates config;
    private final MemoryBudget budget;
    private final LowRankProduct product;
    private final StartListener listener;
    private final @Nullable DataDirectory directory;
    private @Nullable UpdateLog log;

    /**
     * Locks the data directory, if there is to be one, before the model is loaded.
     *
     * @param listener told of what is restored
     * @throws ServerException if it cannot be used
     */
    public VersionStore(ServerConfig.Updates config, MemoryBudget budget, LowRankProduct product, StartListener listener) {
        this.config = config;
        this.listener = listener;
        this.budget = budget;
        this.product = product;
        try {
            directory = config.dataDir() == null ? null : DataDirectory.lock(config.dataDir());
        } catch (DataDirException e) {
            throw refused(e);
        }
    }

    private static ServerException refused(DataDirException e) {
        return new ServerException(Reason.DATA_DIRECTORY, "cannot serve from the data directory: " + e.getMessage(), e);
    }

    /** The history of versions; null without a data directory, and before the model was loaded. */
    public @Nullable UpdateLog log() {
        return log;
    }

    @Override
    public ModelRuntime.Versioned of(ModelSource file, ModelLoader loader, LoadedModel base, WorkerTeam team) {
        if (base.familyBytes() > budget.freeBytes(0)) {
            base.close();
            throw new ServerException(Reason.MEMORY, "the model does not fit the memory budget: weights_bytes=%d, kv_bytes=%d, memory_budget_bytes=%d"
                    .formatted(base.familyBytes(), budget.limits().kvBytes(), budget.limits().limitBytes()));
        }
        if (directory == null) {
            return ModelRuntime.FirstVersion.BASE.of(file, loader, base, team);
        }
        try (StartListener.Restoring progress = listener.restoring()) {
            UpdateLog opened = UpdateLog.open(directory, loader.identity(), config.kept(), InstantSource.system(), progress);
            log = opened;
            return new ModelRuntime.Versioned(
                    opened.currentVersion(), AdminService.restore(base, loader, opened, team, budget, product, progress));
        } catch (DataDirException e) {
            base.close();
            throw refused(e);
        } catch (AdminException e) {
            throw new ServerException(Reason.DATA_DIRECTORY, "cannot serve the newest version: " + e.getMessage(), e);
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
