package dev.tidestream.model.patch;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.patch.PatchException.Reason;
import dev.tidestream.model.tensor.Vectors;
import dev.tidestream.model.tensor.WeightTensor;

/** One patch of a vector: some thousand elements at most, so on the caller's thread. */
final class VectorPatcher {
    private VectorPatcher() {}

    static PatchResult apply(String name, WeightTensor.Vector base, WeightPatch patch, PatchPayload payload) {
        PatchKind kind = patch.kind();
        boolean additive = switch (kind) {
            case REPLACE, SPARSE -> false;
            case DELTA -> true;
            case ROWS, LOW_RANK -> throw new IllegalArgumentException(
                    "kind needs a matrix: tensor=%s, kind=%s".formatted(name, kind)); // refused before, by PatchChecks
        };
        float[] held = base.values();
        float[] out = new float[held.length];
        if (kind == PatchKind.SPARSE) {
            scatter(held, patch.shape().getFirst(), payload, out);
        } else {
            payload.read(0, 0, out.length, out, 0);
        }
        double max = 0;
        double sum = 0;
        long changed = 0;
        for (int i = 0; i < out.length; i++) {
            float wanted = additive ? (out[i] == 0 ? held[i] : held[i] + out[i]) : out[i];
            requireFinite(wanted, "sum is not finite", name, base.format(), i, wanted);
            boolean same = Float.floatToRawIntBits(wanted) == Float.floatToRawIntBits(held[i]);
            float stored = same ? wanted : Vectors.round(base.format(), wanted);
            requireFinite(stored, "value is too large for the tensor's format", name, base.format(), i, wanted);
            double error = (double) stored - wanted;
            max = Math.max(max, Math.abs(error));
            sum += error * error;
            changed += Float.floatToRawIntBits(stored) == Float.floatToRawIntBits(held[i]) ? 0 : 1;
            out[i] = stored;
        }
        var error = new RequantisationError(max, Math.sqrt(sum / out.length), out.length);
        return new PatchResult(new WeightTensor.Vector(base.format(), out), error, Math.min(changed, 1), changed);
    }

    private static void scatter(float[] held, long count, PatchPayload payload, float[] out) {
        payload.requirePlaces(count, out.length);
        System.arraycopy(held, 0, out, 0, out.length);
        for (long i = 0; i < count; i++) {
            payload.read(count * Long.BYTES, i, 1, out, (int) payload.place(i));
        }
    }

    private static void requireFinite(float value, String what, String name, TensorFormat format, int index, float wanted) {
        if (!Float.isFinite(value)) {
            throw new PatchException(Reason.NON_FINITE, "%s: tensor=%s, format=%s, index=%d, wanted=%s"
                    .formatted(what, name, format, index, wanted));
        }
    }
}
