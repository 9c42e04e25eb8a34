package dev.tidestream.server.cli.tune;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;

/** Reads tensors of float32. */
final class Floats {
    private static final ValueLayout.OfFloat LITTLE = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Floats() {}

    /** The values of a tensor, of which there must be as many as expected. */
    static float[] read(SafetensorsFile file, String name, int length) throws SafetensorsException {
        SafetensorsFile.Tensor tensor = file.tensor(name);
        if (tensor.type() != SafetensorsFile.Type.F32 || tensor.bytes() != (long) length * Float.BYTES) {
            throw new CliException("--resume: tensor %s is not what it was: type=%s, bytes=%d, expected=%d"
                    .formatted(name, tensor.type(), tensor.bytes(), (long) length * Float.BYTES));
        }
        return file.data(tensor).toArray(LITTLE);
    }
}
