package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.UpdatesDesk.Tied;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateLogLimits;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.huggingface.HuggingFaceFolder;
import dev.tidestream.server.pacing.StepBreak;

/** A model from files, with a data directory, as a server has it after a start; float activations, float keys and values. */
final class PushedModel implements AutoCloseable {
    private static final Precision PRECISION = Precision.withExactHead(ActivationPrecision.F32, KvType.F32);
    private static final MemoryBudget BUDGET = new MemoryBudget(1L << 30, 0);

    final UpdateLog log;
    final AdminService desk;
    final UpdatesDesk updates;
    private final ModelSource source;
    final CurrentEpoch epochs;
    private int pushed;

    /** @param checkpoints when they are written by {@link #checkpoint} */
    PushedModel(Path model, Path dataDir, CheckpointPolicy checkpoints) throws Exception {
        source = HuggingFaceFolder.isOne(model) ? HuggingFaceFolder.open(model) : GgufFile.open(model);
        ModelLoader loader = new ModelLoader(source);
        LoadedModel base = loader.load(KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        log = UpdateLog.open(dataDir, loader.identity(), UpdateLogLimits.DEFAULT, InstantSource.system());
        Nd4jLowRankProduct product = new Nd4jLowRankProduct();
        LoadedModel first = AdminService.restore(base, loader, log, WorkerTeam.sequential(), BUDGET, product, DeskFixture.SILENT);
        epochs = new CurrentEpoch(ModelEpoch.of(log.currentVersion(), first, PushedModel::forward));
        desk = new AdminSetup(epochs, new StepBreak(), loader, Map::of, PushedModel::forward, PRECISION, DeskFixture.LIMIT, BUDGET, 0.25, log,
                VersionAgreement.ALONE, null, new HiddenStates(4, base.blueprint().hiddenSize()), TiedHeads::build, product, checkpoints, () -> {
                    throw new AssertionError("nobody asks");
                }, () -> new AdminResult.Streams(0, List.of()), new CountedEvents()).service();
        updates = desk.updates().orElseThrow();
    }

    private static LanguageModel forward(LoadedModel model) {
        return model.newTransformer(WorkerTeam.sequential(), PRECISION, 64);
    }

    /** Sends a file as the only part of an update, and commits it. */
    UpdatesDesk.Committed push(Path file, Optional<Tied> tied) throws AdminException, IOException {
        String id = "push-" + ++pushed + "-" + log.currentVersion();
        updates.open(new UpdatesDesk.Opening(id, log.currentVersion(), file.getFileName().toString(), tied));
        send(id, 0, Files.readAllBytes(file));
        boolean committed = false;
        try {
            UpdatesDesk.Committed done = updates.commit(id, OptionalInt.of(1), Optional.empty());
            committed = true;
            return done;
        } finally {
            if (!committed) {
                updates.abort(id);
            }
        }
    }

    void send(String id, int number, byte[] bytes) throws AdminException {
        Optional<UpdatesDesk.PartUpload> upload = updates.receive(id, number, Sha256.of(bytes), bytes.length);
        if (upload.isPresent()) {
            try (UpdatesDesk.PartUpload part = upload.get()) {
                part.accept(ByteBuffer.wrap(bytes));
                part.finish();
            }
        }
    }

    LoadedModel current() {
        return desk.current();
    }

    float[] logits(int[] prompt) {
        return TestModels.logits(forward(current()), prompt, 64);
    }

    int[] greedy(int[] prompt, int count) {
        return TestModels.greedy(forward(current()), prompt, count);
    }

    void checkpoint() {
        desk.maintain(() -> false);
    }

    @Override
    public void close() {
        epochs.close();
        log.close();
        source.close();
    }
}
