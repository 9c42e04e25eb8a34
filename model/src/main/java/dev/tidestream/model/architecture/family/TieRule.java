package dev.tidestream.model.architecture.family;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.Tie;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;

/**
 * Decides whether a model's output head is its embedding. What is stored decides; what a configuration says only makes it a surprise:
 *
 * <ul>
 *   <li>one of the two is stored: tied; with a warning where the configuration says that they are two;
 *   <li>both are, and equal in every element: tied, and one copy is kept;
 *   <li>both are, and differ: each is used as stored; with a warning where the configuration says that they are tied.
 * </ul>
 */
final class TieRule {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BITS_16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private TieRule() {}

    /**
     * What holds for a model.
     *
     * @throws ModelException if both matrices are stored, with different shapes; does not name the file
     */
    static Tie of(ModelSource source, TensorNames names) {
        String embeddingName = names.weight(TensorRole.EMBEDDING);
        String outputName = names.weight(TensorRole.OUTPUT);
        Optional<Boolean> said = source.metadata().findBool(Tie.KEY);
        Optional<GgufTensor> output = source.findTensor(outputName);
        if (output.isEmpty()) {
            String reason = "only one of %s and %s is stored".formatted(embeddingName, outputName);
            return new Tie(true, false, reason, said.filter(tied -> !tied).map(_ ->
                    "%s: the configuration says that the output head is not tied to the embedding, but the files have one matrix for both: tied"
                            .formatted(source.path())));
        }
        GgufTensor embedding = source.tensor(embeddingName);
        if (!output.get().dimensions().equals(embedding.dimensions())) {
            throw new ModelException("%s and %s have different shapes: %s, %s"
                    .formatted(embeddingName, outputName, embedding.shape(), output.get().shape()));
        }
        if (equal(source, embedding, output.get())) {
            return new Tie(true, true, "the file holds the same matrix twice, as %s as well; one copy is kept".formatted(outputName),
                    Optional.empty());
        }
        return new Tie(false, false, "%s and %s differ".formatted(embeddingName, outputName), said.filter(tied -> tied).map(_ ->
                "%s: the configuration says that the output head is tied to the embedding, but the files have two that differ: both are kept"
                        .formatted(source.path())));
    }

    /** Both are read to the first difference. */
    private static boolean equal(ModelSource source, GgufTensor embedding, GgufTensor output) {
        boolean sameType = embedding.type() == output.type();
        if (!sameType && !(isFloat(embedding.type()) && isFloat(output.type()))) {
            return false;
        }
        try (Arena made = Arena.ofConfined()) {
            MemorySegment first = source.data(embedding, made);
            MemorySegment second = source.data(output, made);
            long different = sameType ? first.mismatch(second) : 0;
            boolean equal = different == -1 || (isFloat(embedding.type()) && equal(first, embedding.type(), second, output.type(),
                    different / embedding.type().blockBytes(), embedding.elements()));
            source.release(output);
            return equal;
        }
    }

    /** Other bits may be the same numbers: zeros of two signs, or elements of other types. */
    private static boolean equal(MemorySegment first, GgmlType firstType, MemorySegment second, GgmlType secondType, long from, long elements) {
        for (long i = from; i < elements; i++) {
            if (element(first, firstType, i) != element(second, secondType, i)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isFloat(GgmlType type) {
        return type == GgmlType.F32 || type == GgmlType.F16 || type == GgmlType.BF16;
    }

    private static float element(MemorySegment data, GgmlType type, long index) {
        return switch (type) {
            case F32 -> data.get(F32, index * Float.BYTES);
            case F16 -> Float.float16ToFloat(data.get(BITS_16, index * Short.BYTES));
            default -> Float.intBitsToFloat(data.get(BITS_16, index * Short.BYTES) << Short.SIZE); // BF16
        };
    }
}
