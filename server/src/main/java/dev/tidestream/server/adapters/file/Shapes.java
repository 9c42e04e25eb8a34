package dev.tidestream.server.adapters.file;

import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.adapter.StoredMatrix;

/** Refuses matrices of another shape than the model's, with both. */
final class Shapes {
    private Shapes() {}

    /**
     * Requires a shape.
     *
     * @param because what the shape follows from
     */
    static void require(StoredMatrix matrix, int rows, int columns, String because) {
        if (matrix.rows() != rows || matrix.columns() != columns) {
            throw new AdapterException("'%s' has shape %s, and must have [%d, %d]: %s".formatted(
                    matrix.name(), matrix.shape(), rows, columns, because));
        }
    }

    /** What a shape follows from, if it is the model's. */
    static String ofModel(String module, int rows, int columns) {
        return "the model's matrix of '%s' is [%d, %d]".formatted(Names.quote(module), rows, columns);
    }
}
