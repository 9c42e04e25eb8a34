package dev.tidestream.model.packed;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;

/**
 * A matrix in a file of panels.
 *
 * @param name of the tensor in the model file
 */
public record PackedTensor(String name, TensorFormat format, int rows, int columns) {

    /** Bytes of its panels. */
    public long bytes() {
        return PanelMatrix.panelBytes(format, rows, columns);
    }
}
