package dev.tidestream.server.huggingface.names;

import java.util.List;

/**
 * A tensor of a model in GGUF's words, and how its elements stand under the name that somebody has used for it. Under a name of GGUF they
 * stand as they are held. A linear layer's low-rank factors are {@code (rank, inputs)} and {@code (outputs, rank)} under every name.
 *
 * @param tensor GGUF's name
 * @param transposed whether the matrix has inputs as rows, as GPT-2's has
 * @param headDim rows of a head, where the two halves of each head stand one behind the other and GGUF has them interleaved; 0 elsewhere
 * @param added what GGUF adds to each element, as to the weights of Gemma's norms
 */
public record NamedTensor(String tensor, boolean transposed, int headDim, float added) {

    /** A tensor under GGUF's own name. */
    public static NamedTensor own(String tensor) {
        return new NamedTensor(tensor, false, 0, 0);
    }

    /** Whether every element stands where it is held, as the number that is held. */
    public boolean plain() {
        return !transposed && headDim == 0 && added == 0;
    }

    /** The shape under this name of a tensor that is held in that shape, or the other way round. */
    public List<Long> shape(List<Long> held) {
        return transposed ? held.reversed() : held;
    }

    /** The held row of a row, where matrices are not transposed. */
    public long heldRow(long row) {
        if (headDim == 0) {
            return row;
        }
        long inHead = row % headDim;
        int half = headDim / 2;
        return row - inHead + 2 * (inHead % half) + inHead / half;
    }

    /** The row that is held as this one, where matrices are not transposed. */
    public long rowOfHeld(long held) {
        if (headDim == 0) {
            return held;
        }
        long inHead = held % headDim;
        return held - inHead + inHead / 2 + inHead % 2 * (headDim / 2);
    }

    /**
     * The held place of an element; both are counted row by row.
     *
     * @param heldColumns columns of the held matrix, or 1 of a vector
     * @param heldRows rows of it
     */
    public long heldIndex(long index, long heldRows, long heldColumns) {
        if (transposed) {
            return index % heldRows * heldColumns + index / heldRows;
        }
        return heldRow(index / heldColumns) * heldColumns + index % heldColumns;
    }
}
