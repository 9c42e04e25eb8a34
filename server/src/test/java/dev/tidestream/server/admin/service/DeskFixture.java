package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.function.Executable;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.nd4j.Nd4jLowRankProduct;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.build.VersionLimit;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.UpdateDirectory;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateLogLimits;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.admin.store.directory.DirectoryStorage;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.pacing.StepBreak;

import static org.junit.jupiter.api.Assertions.assertThrows;

/** A desk over a small model with random weights, V = 100, H = 64, and a data directory. */
public final class DeskFixture implements AutoCloseable {
    public static final String EMBEDDING = "token_embd.weight";
    public static final int VOCABULARY = 100;
    public static final int HIDDEN = 64;
    static final VersionLimit LIMIT = new VersionLimit(3, Duration.ZERO);
    static final AdminDesk.ProgressSink SILENT = (stage, done, of) -> {};
    private static final Precision PRECISION = Precision.withExactHead(ActivationPrecision.INT8, KvType.F16);
    private static final long BUDGET_BYTES = 64L << 20;

    public final GgufFile file;
    final ModelLoader loader;
    public final @Nullable UpdateLog log;
    final LoadedModel first;
    final StepBreak breaks = new StepBreak();
    final CurrentEpoch epochs;
    final CountedEvents events = new CountedEvents();
    final HiddenStates recent = new HiddenStates(4, HIDDEN);
    public final AdminService desk;

    /** What a fixture is made with. */
    public record Options(
            RandomLlama model,
            VersionLimit limit,
            long budgetBytes,
            LoadedModel.HeadFactory heads,
            @Nullable Path updateDir,
            Precision precision,
            @Nullable Storage storage,
            CheckpointPolicy checkpoints,
            VersionAgreement agreement) {
        public static final Options DEFAULT =
                new Options(new RandomLlama(TensorFormat.Q8_0), LIMIT, BUDGET_BYTES, TiedHeads::build, null, PRECISION, null,
                        CheckpointPolicy.DEFAULT, VersionAgreement.ALONE);

        Options with(RandomLlama other) {
            return new Options(other, limit, budgetBytes, heads, updateDir, precision, storage, checkpoints, agreement);
        }

        Options with(VersionLimit other) {
            return new Options(model, other, budgetBytes, heads, updateDir, precision, storage, checkpoints, agreement);
        }

        Options withBudget(long bytes) {
            return new Options(model, limit, bytes, heads, updateDir, precision, storage, checkpoints, agreement);
        }

        Options with(LoadedModel.HeadFactory other) {
            return new Options(model, limit, budgetBytes, other, updateDir, precision, storage, checkpoints, agreement);
        }

        Options withUpdateDir(Path directory) {
            return new Options(model, limit, budgetBytes, heads, directory, precision, storage, checkpoints, agreement);
        }

        Options with(Precision other) {
            return new Options(model, limit, budgetBytes, heads, updateDir, other, storage, checkpoints, agreement);
        }

        /** Instead of the data directory. */
        Options with(Storage other) {
            return new Options(model, limit, budgetBytes, heads, updateDir, precision, other, checkpoints, agreement);
        }

        /** The same, whose versions are agreed on. */
        public Options with(VersionAgreement other) {
            return new Options(model, limit, budgetBytes, heads, updateDir, precision, storage, checkpoints, other);
        }

        Options with(CheckpointPolicy other) {
            return new Options(model, limit, budgetBytes, heads, updateDir, precision, storage, other, agreement);
        }
    }

    public DeskFixture(@Nullable Path data) throws Exception {
        this(data, Options.DEFAULT);
    }

    /** @param data null for a server without versions */
    public DeskFixture(@Nullable Path data, Options options) throws Exception {
        file = options.model().file();
        loader = new ModelLoader(file);
        LoadedModel base = loader.load(KernelSelection.vector(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        MemoryBudget budget = new MemoryBudget(options.budgetBytes(), 0);
        Storage storage = options.storage() != null ? options.storage() : data != null ? DirectoryStorage.open(data) : null;
        log = storage == null ? null : UpdateLog.open(storage, file.sha256(), UpdateLogLimits.DEFAULT, InstantSource.system());
        first = log == null
                ? base
                : AdminService.restore(base, loader, log, WorkerTeam.sequential(), budget, new Nd4jLowRankProduct(), SILENT);
        long version = log == null ? UpdateLog.BASE_VERSION : log.currentVersion();
        epochs = new CurrentEpoch(ModelEpoch.of(version, first, model -> forward(model, options.precision())));
        desk = new AdminSetup(epochs, breaks, loader, Map::of, model -> forward(model, options.precision()),
                options.precision(), options.limit(), budget, 0.5, log, options.agreement(),
                options.updateDir() == null ? null : UpdateDirectory.of(options.updateDir()),
                recent, options.heads(), new Nd4jLowRankProduct(), options.checkpoints(), DeskFixture::runtime,
                () -> new AdminResult.Streams(0, List.of()), events).service();
    }

    private static AdminResult.StreamFigures runtime() {
        return new AdminResult.StreamFigures(new AdminResult.Engine(0, 0, 0, 0, 0, 0, 0, 0), new LinkedHashMap<>());
    }

    static LanguageModel forward(LoadedModel model) {
        return forward(model, PRECISION);
    }

    private static LanguageModel forward(LoadedModel model, Precision precision) {
        return model.newTransformer(WorkerTeam.sequential(), precision, 16);
    }

    /** Float32 payload of an update, and the request that announces it. */
    public record Update(AdminRequest.WeightsUpdate request, byte[] payload) {
        /** As the store knows it. */
        public UpdateSpec spec() {
            return UpdateRequests.spec(request);
        }
    }

    /** Small random numbers, the same for a seed. */
    public static float[] randomValues(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * 0.1f;
        }
        return values;
    }

    /** With what a call is refused. */
    public static AdminErrorCode code(Executable call) {
        return assertThrows(AdminException.class, call).code();
    }

    public static Update replace(String id, long base, String tensor, List<Long> shape, float... values) {
        return update(id, base, tensor, UpdateKind.REPLACE, shape, 0, floats(values));
    }

    public static Update delta(String id, long base, String tensor, List<Long> shape, float... values) {
        return update(id, base, tensor, UpdateKind.DELTA, shape, 0, floats(values));
    }

    /** @param values (rows, H) */
    public static Update rows(String id, long base, int[] rows, float... values) {
        ByteBuffer payload = ByteBuffer.allocate(4 * (rows.length + values.length)).order(ByteOrder.LITTLE_ENDIAN);
        for (int row : rows) {
            payload.putInt(row);
        }
        payload.put(floats(values));
        return update(id, base, EMBEDDING, UpdateKind.ROWS, List.of((long) rows.length, (long) HIDDEN), 0, payload.array());
    }

    /** @param values A (V, rank), then B (rank, H) */
    static Update lowRank(String id, long base, int rank, float... values) {
        return update(id, base, EMBEDDING, UpdateKind.LOW_RANK, embeddingShape(), rank, floats(values));
    }

    public static List<Long> embeddingShape() {
        return List.of((long) VOCABULARY, (long) HIDDEN);
    }

    static Update update(String id, long base, String tensor, UpdateKind kind, List<Long> shape, int rank, byte[] payload) {
        return new Update(
                new AdminRequest.WeightsUpdate("r-" + id, id, base, tensor, kind, shape, PayloadType.F32, Sha256.of(payload),
                        payload.length, rank == 0 ? OptionalInt.empty() : OptionalInt.of(rank), null),
                payload);
    }

    private static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return bytes.array();
    }

    public AdminReply.Ack send(Update update) throws AdminException {
        return switch (desk.begin(update.request(), SILENT)) {
            case AdminDesk.UpdateStart.Repeated(AdminReply.Ack ack) -> ack;
            case AdminDesk.UpdateStart.Receiving(AdminDesk.Upload upload) -> {
                try (upload) {
                    upload.accept(ByteBuffer.wrap(update.payload()));
                    yield upload.finish(SILENT);
                }
            }
        };
    }

    AdminReply.Ack set(OptimizationMode mode, boolean verify) throws AdminException {
        return desk.handle(new AdminRequest.OptimizationSet("mode", mode, verify), SILENT);
    }

    public AdminReply.Ack rollback(long version) throws AdminException {
        return desk.handle(new AdminRequest.WeightsRollback("back", version), SILENT);
    }

    /** What is served now, to be closed by its epoch. */
    public LoadedModel current() {
        return desk.current();
    }

    /** The embedding that is served, dequantised, (V, H). */
    public float[][] embedding() {
        return matrix(current(), EMBEDDING);
    }

    public static float[][] matrix(LoadedModel model, String tensor) {
        if (!(model.tensor(tensor).orElseThrow() instanceof WeightTensor.Matrix(PanelMatrix panels))) {
            throw new AssertionError(tensor);
        }
        float[][] rows = new float[panels.rows()][panels.columns()];
        for (int row = 0; row < rows.length; row++) {
            panels.copyRow(row, rows[row], 0);
        }
        return rows;
    }

    @Override
    public void close() {
        epochs.close();
        if (log != null) {
            log.close();
        }
        file.close();
    }
}
