package dev.tidestream.server.adapters.file;

import java.util.List;

import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.adapter.StoredMatrix;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.adapters.file.BaseModules.Module;

/**
 * Copies of base matrices that files of adapters have beside a change. One that is equal to the base is passed over: the adapter was
 * made for this base. One that differs is refused. Beside a quantised base, or one that updates have changed, none need be equal; there
 * it must have the base's direction.
 */
final class BaseCopies {
    /** Of quantised matrices and their originals it is above 0.98, at two bits above 0.9; of unrelated ones about 0. */
    private static final double LEAST_COSINE = 0.85;

    private final LoadedModel base;
    private final BaseModules modules;
    private final List<String> warnings;
    private final boolean updated;

    /**
     * @param updated whether updates may have changed the base since its files were read
     * @param warnings receives what could not be compared to the bit
     */
    BaseCopies(LoadedModel base, boolean updated, BaseModules modules, List<String> warnings) {
        this.base = base;
        this.updated = updated;
        this.modules = modules;
        this.warnings = warnings;
    }

    /** Refuses a copy that is another matrix than the base's. */
    void require(Module module, StoredMatrix stored) {
        boolean transposed = modules.conv1d() && !module.isEnd();
        StoredMatrix copy = transposed ? stored.transposed() : stored;
        Shapes.require(copy, module.rows(), module.columns(), Shapes.ofModel(module.path(), module.rows(), module.columns()));
        String tensor = modules.tensorOf(module);
        if (!(base.tensor(tensor).orElseThrow() instanceof WeightTensor.Matrix(PanelMatrix matrix))) {
            throw new AdapterException("'%s' is no matrix of the model".formatted(tensor));
        }
        if (matrix.format().quantised()) {
            requireDirection(module, copy, matrix, "which is in " + matrix.format());
        } else if (equal(module, copy, matrix)) {
            return;
        } else if (updated) {
            requireDirection(module, copy, matrix, "which updates have changed");
        } else {
            throw new AdapterException("'%s' differs from the model's %s: the adapter was made for another base"
                    .formatted(stored.name(), tensor));
        }
    }

    /** In every element; of a base in a format of fewer bits, in what it holds of the element. */
    private boolean equal(Module module, StoredMatrix copy, PanelMatrix matrix) {
        float[] row = new float[matrix.columns()];
        TensorFormat held = matrix.format();
        for (int i = 0; i < matrix.rows(); i++) {
            matrix.copyRow(i, row, 0);
            int from = BaseModules.storedRow(i, modules.interleaved(module));
            for (int k = 0; k < row.length; k++) {
                float element = copy.element(from, k);
                if (element != row[k] && held.plain().round(element) != row[k]) {
                    return false;
                }
            }
        }
        return true;
    }

    private void requireDirection(Module module, StoredMatrix copy, PanelMatrix matrix, String why) {
        float[] row = new float[matrix.columns()];
        double product = 0;
        double ours = 0;
        double theirs = 0;
        for (int i = 0; i < matrix.rows(); i++) {
            matrix.copyRow(i, row, 0);
            int from = BaseModules.storedRow(i, modules.interleaved(module));
            for (int k = 0; k < row.length; k++) {
                double element = copy.element(from, k);
                product += element * row[k];
                ours += (double) row[k] * row[k];
                theirs += element * element;
            }
        }
        double cosine = product / Math.sqrt(ours * theirs);
        if (!(cosine >= LEAST_COSINE)) {
            throw new AdapterException("'%s' differs from the model's %s: the adapter was made for another base (cosine %.3f)"
                    .formatted(copy.name(), modules.tensorOf(module), cosine));
        }
        warnings.add("'%s' cannot be compared with the base to the bit, %s: passed over".formatted(copy.name(), why));
    }
}
