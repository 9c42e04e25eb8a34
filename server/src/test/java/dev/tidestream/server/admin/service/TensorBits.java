package dev.tidestream.server.admin.service;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.admin.store.directory.Sha256;

/** What a model has in memory, so that two can be compared. */
final class TensorBits {
    private TensorBits() {}

    /** All tensors to the bit. */
    static Map<String, String> of(LoadedModel model) {
        Map<String, String> bits = new TreeMap<>();
        for (String name : model.tensorNames()) {
            bits.put(name, switch (model.tensor(name).orElseThrow()) {
                case WeightTensor.Matrix(PanelMatrix panels) ->
                    panels.format() + Sha256.of(panels.panelData().toArray(ValueLayout.JAVA_BYTE));
                case WeightTensor.Vector vector -> Arrays.toString(vector.values());
            });
        }
        return bits;
    }
}
