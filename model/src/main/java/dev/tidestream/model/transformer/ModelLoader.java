package dev.tidestream.model.transformer;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.stream.Stream;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.ModelPlan;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.Tie;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedFile;
import dev.tidestream.model.packed.PackedFileException;
import dev.tidestream.model.packed.PackedTensor;
import dev.tidestream.model.quantisation.ChangedMatrix;
import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PanelSlab;
import dev.tidestream.model.tensor.panel.QuantisationError;
import dev.tidestream.model.tied.TiedWeightConfig;
import dev.tidestream.model.tied.TiedWeightException;

/**
 * Builds a model from its files: every tensor is looked up by name, checked against the blueprint and repacked into panels.
 * A tensor that is not used is an error, too: it would mean a model that is computed differently from how it was trained.
 */
public final class ModelLoader {
    private final ModelSource file;
    private final TensorPlan plan;
    private final Tie tie;
    private final TensorReader reader;
    private final HeldFormats held;

    /**
     * A loader of a model as its file has it.
     *
     * @throws ModelException if this is no model that can be run
     */
    public ModelLoader(ModelSource file) {
        this(file, WeightFormats.AS_THEY_ARE);
    }

    /**
     * A loader that brings weights into other formats.
     *
     * @throws ModelException if this is no model that can be run
     */
    public ModelLoader(ModelSource file, WeightFormats formats) {
        this.file = file;
        ModelPlan model = Architectures.plan(file);
        this.plan = model.tensors();
        this.tie = model.tie();
        this.reader = new TensorReader(file);
        this.held = new HeldFormats(file, plan, reader, formats);
    }

    /** What loading is busy with. */
    public enum Stage {
        /** Tensors of the model file become panels. */
        PACKING,
        /** Panels are read that were packed before. */
        READING_PANELS,
        /** Panels are written for the next time. */
        WRITING_PANELS
    }

    /** Told after each piece how far a stage has come. */
    @FunctionalInterface
    public interface ProgressListener {
        void loaded(Stage stage, long doneBytes, long totalBytes);

        /** Tells nobody. */
        ProgressListener NONE = (stage, doneBytes, totalBytes) -> {};
    }

    /**
     * Loads and repacks a model. Its source may be closed afterwards.
     *
     * @throws ModelException if this is no model that can be run; names file, tensor or key, and value
     * @throws dev.tidestream.model.gguf.GgufException if metadata is missing or of the wrong type
     */
    public static LoadedModel load(ModelSource file, Kernels kernels, WorkerTeam team, ProgressListener progress) {
        return new ModelLoader(file).load(kernels, team, progress);
    }

    /** What the model is made of. */
    public Blueprint blueprint() {
        return plan.blueprint();
    }

    /** What the model is in plain words: what each line is about, and the line. */
    public Map<String, String> words() {
        Map<String, String> words = new LinkedHashMap<>(blueprint().words());
        formatsHeldOtherwise().ifPresent(line -> words.put("weights", line));
        words.computeIfPresent("output head", (about, line) -> "%s (%s)".formatted(line, tie.reason()));
        return words;
    }

    /** What is not obvious about the formats of matrices: which are held as others, and which take activations with a scale per token. */
    public Optional<String> formatsHeldOtherwise() {
        return held.words();
    }

    /**
     * What the head lost when it was brought into another format; nothing if it was not, or if its panels were there already: then
     * nobody has looked at the file's.
     */
    public Optional<QuantisationError> headError() {
        return held.error(plan.names().weight(blueprint().tied() ? TensorRole.EMBEDDING : TensorRole.OUTPUT));
    }

    /**
     * Brings all matrices into their formats, and keeps none: for whoever wants to know what that costs.
     *
     * @param progress told how far it has come
     * @return of each that is brought into another format, in the order of use
     */
    public List<ChangedMatrix> measure(WorkerTeam team, ProgressListener progress) {
        check();
        return held.measure(name -> read(name, team), progress);
    }

    /**
     * By what the weights are known again that this loads: the hash of the file, together with the formats that were asked for.
     * 64 lower-case
     * hexadecimal digits.
     */
    public String identity() {
        return held.identity();
    }

    /** The name of an output matrix that is the embedding once more. */
    private Optional<String> copyOfTheEmbedding() {
        return tie.storedTwice() ? plan.names().find(TensorRole.OUTPUT) : Optional.empty();
    }

    /** Whether the output head is the embedding, and why. */
    public Tie tie() {
        return tie;
    }

    /** What is remarkable about the model's files, though they can be used: a line each, for people. */
    public List<String> warnings() {
        return Stream.concat(file.warnings().stream(), tie.warning().stream()).toList();
    }

    /** What is read. */
    public ModelSource source() {
        return file;
    }

    /** Loads and repacks all of it. */
    public LoadedModel load(Kernels kernels, WorkerTeam team, ProgressListener progress) {
        check();
        return assemble(packAll(team, progress), kernels);
    }

    /**
     * Loads all of it, with the panels of a cache if it has them; if not, it has them afterwards.
     *
     * @param cache of packed panels
     */
    public LoadedModel load(Kernels kernels, WorkerTeam team, ProgressListener progress, PackedCache cache) {
        check();
        List<PackedTensor> matrices = matrices();
        Optional<PackedFile> packed = cache.find(file, held.variant(), matrices);
        if (packed.isPresent()) {
            try (PackedFile panels = packed.get()) {
                SequencedMap<String, OwnedTensor> tensors = readAll(panels, matrices, team, progress);
                file.identify(panels.sourceSha256()); // what is served was packed from that
                return assemble(tensors, kernels);
            } catch (PackedFileException e) {
                cache.refused(packed.get().path(), e);
            }
        }
        LoadedModel model = assemble(packAll(team, progress), kernels);
        boolean done = false;
        try {
            long totalBytes = matrices.stream().mapToLong(PackedTensor::bytes).sum();
            cache.store(file, held.variant(), matrices, tensor -> panels(model, tensor.name()), team,
                    doneBytes -> progress.loaded(Stage.WRITING_PANELS, Math.min(doneBytes, totalBytes), totalBytes));
            done = true;
            return model;
        } finally {
            if (!done) {
                model.close();
            }
        }
    }

    /**
     * A small model with all formats of this one, for whoever wants its kernels compiled. Its vocabulary is the beginning of
     * this one's. Any
     * thread, also while this one is loaded.
     */
    public LoadedModel miniature(Kernels kernels) {
        check();
        return new Miniature(file, plan, reader, held::of).load(kernels);
    }

    private static PanelMatrix panels(LoadedModel model, String name) {
        if (model.tensor(name).orElse(null) instanceof WeightTensor.Matrix(PanelMatrix panels)) {
            return panels;
        }
        throw new IllegalArgumentException("not a matrix: " + name);
    }

    /** Takes over the tensors, also if it throws. */
    private LoadedModel assemble(SequencedMap<String, OwnedTensor> tensors, Kernels kernels) {
        boolean done = false;
        try {
            LoadedModel model = LoadedModel.of(plan, tensors, kernels);
            file.releaseAll();
            done = true;
            return model;
        } catch (ModelException e) { // of values, which are known only now
            throw new ModelException("%s: %s".formatted(file.path(), e.getMessage()));
        } finally {
            if (!done) {
                tensors.values().forEach(OwnedTensor::close);
            }
        }
    }

    /** All matrices of the plan as they are held. */
    private List<PackedTensor> matrices() {
        return plan.tensors().keySet().stream().filter(this::isMatrix).map(name -> packed(file.tensor(name))).toList();
    }

    private boolean isMatrix(String name) {
        TensorPlan.Planned planned = plan.tensors().get(name);
        return planned != null && planned.matrix();
    }

    private PackedTensor packed(GgufTensor tensor) {
        return new PackedTensor(tensor.name(), held.of(tensor),
                Math.toIntExact(tensor.rows()), Math.toIntExact(tensor.columns()));
    }

    private SequencedMap<String, OwnedTensor> packAll(WorkerTeam team, ProgressListener progress) {
        long totalBytes = plan.tensors().keySet().stream().mapToLong(name -> file.tensor(name).bytes()).sum();
        Iterator<String> ahead = plan.tensors().keySet().iterator();
        file.willNeed(file.tensor(ahead.next()));
        long[] doneBytes = {0};
        PanelSlab slab = new PanelSlab(matrices().stream().mapToLong(matrix -> PanelSlab.paddedBytes(matrix.bytes())).sum());
        try {
            return collect(tensor -> {
                if (ahead.hasNext()) { // the disk works while we do
                    file.willNeed(file.tensor(ahead.next()));
                }
                OwnedTensor owned;
                if (isMatrix(tensor.name())) {
                    PanelSlab.Part part = slab.take(packed(tensor).bytes());
                    owned = reader.matrix(tensor, held.of(tensor), (bytes, alignment) -> part.memory(), part::close, team, held.lost(tensor));
                    file.release(tensor);
                } else {
                    owned = read(tensor.name(), team);
                }
                doneBytes[0] += tensor.bytes();
                progress.loaded(Stage.PACKING, doneBytes[0], totalBytes);
                return owned;
            });
        } finally {
            slab.seal();
        }
    }

    /** Matrices from packed panels; the few vectors from the model file. */
    private SequencedMap<String, OwnedTensor> readAll(
            PackedFile panels, List<PackedTensor> matrices, WorkerTeam team, ProgressListener progress)
            throws PackedFileException {
        long totalBytes = matrices.stream().mapToLong(PackedTensor::bytes).sum();
        long[] doneBytes = {0};
        return collect(tensor -> {
            if (!isMatrix(tensor.name())) {
                return read(tensor.name(), team);
            }
            PackedTensor packed = packed(tensor);
            PanelSlab.Part part = panels.read(packed.name(), team);
            boolean done = false;
            try {
                PanelMatrix matrix = PanelMatrix.ofPanels(packed.format(), packed.rows(), packed.columns(), part.memory());
                doneBytes[0] += matrix.bytes();
                progress.loaded(Stage.READING_PANELS, doneBytes[0], totalBytes);
                done = true;
                return new OwnedTensor(new WeightTensor.Matrix(matrix), part::close);
            } finally {
                if (!done) {
                    part.close();
                }
            }
        });
    }

    /** Makes one tensor of the plan. */
    private interface TensorSource<E extends Exception> {
        OwnedTensor of(GgufTensor tensor) throws E;
    }

    /** Makes all tensors of the plan; or none, if one cannot be made. */
    private <E extends Exception> SequencedMap<String, OwnedTensor> collect(TensorSource<E> source) throws E {
        SequencedMap<String, OwnedTensor> tensors = new LinkedHashMap<>();
        boolean done = false;
        try {
            for (String name : plan.tensors().keySet()) {
                tensors.put(name, source.of(file.tensor(name)));
            }
            done = true;
            return tensors;
        } finally {
            if (!done) {
                tensors.values().forEach(OwnedTensor::close);
            }
        }
    }

    /** Whether the model as its files have it has a tensor of this name. */
    public boolean has(String name) {
        return plan.tensors().containsKey(name);
    }

    /**
     * A tensor of the file, in its format and in memory of its own.
     *
     * @throws IllegalArgumentException if the model has no tensor of this name
     */
    public OwnedTensor read(String name, WorkerTeam team) {
        TensorPlan.Planned planned = plan.tensors().get(name);
        if (planned == null) {
            throw new IllegalArgumentException("no tensor of the model: " + name);
        }
        OwnedTensor tensor = reader.read(name, planned.shape(), held.of(file.tensor(name)), team, held.lost(file.tensor(name)));
        file.release(file.tensor(name));
        return tensor;
    }

    /**
     * Looks at all that can be seen without reading weights.
     *
     * @throws ModelException if this is no model that can be run
     * @throws dev.tidestream.model.gguf.GgufException if a tensor is missing
     */
    public void check() {
        checkTiedWeight();
        plan.tensors().forEach((name, planned) -> reader.check(name, planned.shape()));
        requireAllUsed();
        requireRowsForTokens();
    }

    /** Each token needs a row; rows behind those of the tokens are padding, which no request names and no sampler chooses. */
    private void requireRowsForTokens() {
        OptionalInt tokens = file.tokens();
        if (tokens.isPresent() && tokens.getAsInt() > blueprint().vocabularySize()) {
            throw new ModelException("%s: %s has %d tokens, but %s only %d rows: each token needs one".formatted(file.path(),
                    file.metadata().findValue(ModelSource.TOKENS_KEY).isPresent() ? ModelSource.TOKENS_KEY : "the tokenizer", tokens.getAsInt(), plan.names().weight(TensorRole.EMBEDDING), blueprint().vocabularySize()));
        }
    }

    private void checkTiedWeight() {
        if (blueprint().tied()) {
            GgufTensor tensor = file.tensor(plan.names().weight(TensorRole.EMBEDDING));
            String dtype = held.of(tensor).name();
            try {
                TiedWeightConfig.validate(tensor.dimensions().reversed(), dtype, blueprint().hiddenSize(), true, false);
            } catch (TiedWeightException e) {
                throw new ModelException("%s: tensor %s: %s".formatted(file.path(), tensor.name(), e.getMessage()));
            }
        }
    }

    /** Of the two tensors of LongRoPE, a model uses the one that its context is for. */
    private boolean isOtherFactors(String name) {
        return Stream.of(TensorRole.ROTATION_FACTORS_LONG, TensorRole.ROTATION_FACTORS_SHORT)
                .anyMatch(role -> plan.names().find(role).filter(name::equals).isPresent());
    }

    private void requireAllUsed() {
        Optional<String> copy = copyOfTheEmbedding();
        Optional<String> unused = file.tensors().keySet().stream()
                .filter(name -> !plan.tensors().containsKey(name) && !copy.equals(Optional.of(name)) && !isOtherFactors(name)).findFirst();
        if (unused.isPresent()) {
            throw new ModelException("%s: tensor %s is not part of a %s model as this version knows it"
                    .formatted(file.path(), GgufException.quote(unused.get()), blueprint().architecture()));
        }
    }
}
