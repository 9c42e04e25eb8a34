package dev.tidestream.server.admin.service;

import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.admin.AdminEvents;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.build.VersionLimit;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.UpdateDirectory;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.pacing.PacedTeam;
import dev.tidestream.server.pacing.StepBreak;

/**
 * All that {@link AdminService} is made of.
 *
 * @param epochs that own their weights
 * @param breaks of the decode loop that is to be made way for
 * @param file the base of all versions; stays open
 * @param otherMetadata what a GGUF file of the model has beside the metadata of {@code file}'s source
 * @param forward a forward pass over a version
 * @param precision that {@code forward} computes with
 * @param limit of versions alive
 * @param budget of memory
 * @param builderShare of the time, while streams run; see {@link PacedTeam}
 * @param updates null if no versions are kept
 * @param agreement with whom versions are agreed on before they are committed
 * @param directory null if no updates come from files
 * @param recent hidden states of streams, for verification
 * @param heads makes heads
 * @param product of low-rank updates
 * @param checkpoints when they are written
 * @param runtime what other packages know for {@code stats}
 * @param streams what they know for {@code streams}
 * @param events told what is done
 */
public record AdminSetup(
        CurrentEpoch epochs,
        StepBreak breaks,
        ModelLoader file,
        Supplier<Map<String, GgufValue>> otherMetadata,
        Function<LoadedModel, LanguageModel> forward,
        Precision precision,
        VersionLimit limit,
        MemoryBudget budget,
        double builderShare,
        @Nullable UpdateLog updates,
        VersionAgreement agreement,
        @Nullable UpdateDirectory directory,
        HiddenStates recent,
        LoadedModel.HeadFactory heads,
        LowRankProduct product,
        CheckpointPolicy checkpoints,
        Supplier<AdminResult.StreamFigures> runtime,
        Supplier<AdminResult.Streams> streams,
        AdminEvents events) {

    /** The service. */
    public AdminService service() {
        PacedTeam team = new PacedTeam(breaks, builderShare);
        ServedModelVersions served = new ServedModelVersions(epochs, forward, limit);
        ReentrantLock changes = new ReentrantLock(true);
        EpochBuilder builder = new EpochBuilder(file, team, budget, heads, product);
        Changes turns = new Changes(changes, team);
        Commits commits = new Commits(agreement, served, team);
        HeldVersions held = new HeldVersions(updates, served, builder, team);
        UpdatesDesk transactions = updates == null ? null : new TransactionService(
                updates, served, team, turns, new TransactionCommit(updates, served, builder, team, held, commits, file), events);
        return new AdminService(
                served,
                team,
                builder,
                new HeadToggle(served, builder, recent, team),
                updates,
                directory,
                new AdminReports(served, precision, budget, updates, runtime, streams),
                events,
                changes,
                updates == null ? null : new CheckpointJob(updates.rebuilds(), served, changes, team, checkpoints, events),
                updates == null ? null : new UpdateWarmUp(updates, product, breaks),
                turns,
                held,
                commits,
                transactions,
                rollback -> new VersionService(updates, served, builder, file, otherMetadata, team, turns, recent, rollback));
    }
}
