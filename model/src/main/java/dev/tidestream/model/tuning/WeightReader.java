package dev.tidestream.model.tuning;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.panel.PanelUnpacker;
import dev.tidestream.model.transformer.LoadedModel;

/** Reads tensors of a loaded model as float64, exactly. */
final class WeightReader {
    private static final int COLUMNS_AT_ONCE = 256;

    private WeightReader() {}

    /** @throws TuningException if there is no such matrix */
    static Dense matrix(LoadedModel model, String name) {
        if (!(model.tensor(name).orElse(null) instanceof WeightTensor.Matrix(PanelMatrix panels))) {
            throw new TuningException("the model has no matrix " + name);
        }
        Dense out = Dense.zeros(panels.rows(), panels.columns());
        float[] columns = new float[COLUMNS_AT_ONCE * PanelUnpacker.PANEL_ROWS];
        for (int panel = 0; panel < panels.panels(); panel++) {
            for (int from = 0; from < panels.columns(); from += COLUMNS_AT_ONCE) {
                int to = Math.min(from + COLUMNS_AT_ONCE, panels.columns());
                PanelUnpacker.unpack(panels, panel, from, to, columns);
                copy(columns, panel * PanelUnpacker.PANEL_ROWS, from, to, out);
            }
        }
        return out;
    }

    private static void copy(float[] columns, int firstRow, int from, int to, Dense out) {
        int rows = Math.min(PanelUnpacker.PANEL_ROWS, out.rows() - firstRow);
        for (int row = 0; row < rows; row++) {
            for (int column = from; column < to; column++) {
                out.data()[(firstRow + row) * out.columns() + column] = columns[(column - from) * PanelUnpacker.PANEL_ROWS + row];
            }
        }
    }

    /** @throws TuningException if there is no such vector */
    static double[] vector(LoadedModel model, String name) {
        if (!(model.tensor(name).orElse(null) instanceof WeightTensor.Vector vector)) {
            throw new TuningException("the model has no vector " + name);
        }
        double[] out = new double[vector.values().length];
        for (int i = 0; i < out.length; i++) {
            out[i] = vector.values()[i];
        }
        return out;
    }
}
