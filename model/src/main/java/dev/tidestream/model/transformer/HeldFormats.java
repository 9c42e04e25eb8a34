package dev.tidestream.model.transformer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.quantisation.ChangedMatrix;
import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.model.tensor.panel.QuantisationError;

/** In which formats the tensors of one file are held, and what was lost by that. Any thread. */
final class HeldFormats {
    private final ModelSource file;
    private final TensorPlan plan;
    private final TensorReader reader;
    private final WeightFormats formats;
    private final Map<String, QuantisationError> errors = new ConcurrentHashMap<>(); // of matrices that were brought into another format

    HeldFormats(ModelSource file, TensorPlan plan, TensorReader reader, WeightFormats formats) {
        this.file = file;
        this.plan = plan;
        this.reader = reader;
        this.formats = formats;
    }

    /** The format that a tensor is held in. */
    TensorFormat of(GgufTensor tensor) {
        TensorPlan.Planned planned = plan.tensors().get(tensor.name());
        TensorFormat format = reader.format(tensor);
        return planned == null ? format : formats.of(planned, plan.blueprint().tied(), format);
    }

    /** Whether that is another one than the file's. */
    boolean changes(GgufTensor tensor) {
        return of(tensor) != reader.format(tensor);
    }

    /** Takes down what a tensor loses. */
    Consumer<QuantisationError> lost(GgufTensor tensor) {
        return error -> errors.put(tensor.name(), error);
    }

    /** What a tensor lost when it was last brought into another format. */
    Optional<QuantisationError> error(String name) {
        return Optional.ofNullable(errors.get(name));
    }

    /**
     * Has all matrices brought into their formats, and keeps none.
     *
     * @param read makes a tensor of a name
     * @return of each that is brought into another format, in the order of use
     */
    List<ChangedMatrix> measure(Function<String, OwnedTensor> read, ModelLoader.ProgressListener progress) {
        List<GgufTensor> matrices = plan.tensors().keySet().stream().map(file::tensor).filter(this::changes).toList();
        long totalBytes = matrices.stream().mapToLong(GgufTensor::bytes).sum();
        long doneBytes = 0;
        List<ChangedMatrix> measured = new ArrayList<>();
        for (GgufTensor tensor : matrices) {
            read.apply(tensor.name()).close();
            measured.add(new ChangedMatrix(tensor.name(), reader.format(tensor), of(tensor), error(tensor.name()).orElseThrow()));
            doneBytes += tensor.bytes();
            progress.loaded(ModelLoader.Stage.PACKING, doneBytes, totalBytes);
        }
        return List.copyOf(measured);
    }

    /** The formats that were asked for, in words; empty for those of the file. */
    String variant() {
        return formats.words();
    }

    /** By what weights of this file in these formats are known again: 64 lower-case hexadecimal digits. */
    String identity() {
        if (formats.asTheyAre()) {
            return file.sha256();
        }
        try {
            byte[] text = (file.sha256() + "\n" + formats.words()).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** What is not obvious about matrices: which are held as others, and which take activations with a scale per token. */
    Optional<String> words() {
        Set<TensorFormat> held = EnumSet.noneOf(TensorFormat.class);
        Map<String, Integer> changed = new TreeMap<>();
        plan.tensors().keySet().stream().flatMap(name -> file.findTensor(name).stream()).forEach(tensor -> {
            held.add(of(tensor));
            if (changes(tensor)) {
                changed.merge("%s brought into %s".formatted(reader.format(tensor), of(tensor)), 1, Integer::sum);
            }
        });
        List<String> said = new ArrayList<>();
        changed.forEach((what, count) -> said.add("%d %s of %s".formatted(count, count == 1 ? "matrix" : "matrices", what)));
        for (TensorFormat format : held) {
            if (format.quantised() && !format.quants().panelsOf().isEmpty()) {
                said.add("%s is held as %s".formatted(format, format.quants().panelsOf()));
            }
            if (format.activations() == ActivationScaling.ROW) {
                said.add("%s takes int8 activations with one scale per token".formatted(format));
            }
        }
        return said.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", said));
    }
}
