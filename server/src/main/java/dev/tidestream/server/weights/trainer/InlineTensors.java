package dev.tidestream.server.weights.trainer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.safetensors.SafetensorsWriter;
import dev.tidestream.server.transport.http.JsonAnswer;

/** Tensors that stand in a request, as a safetensors file. */
final class InlineTensors {

    /** Types as PyTorch names them. */
    private enum Type {
        FLOAT32("F32", 4),
        FLOAT16("F16", 2),
        BFLOAT16("BF16", 2);

        private final String name;
        private final int bytes;

        Type(String name, int bytes) {
            this.name = name;
            this.bytes = bytes;
        }

        static Type of(String name) throws AdminException {
            String bare = name.startsWith("torch.") ? name.substring("torch.".length()) : name;
            for (Type type : values()) {
                if (type.name().toLowerCase(Locale.ROOT).equals(bare)) {
                    return type;
                }
            }
            throw new AdminException(AdminErrorCode.INVALID_DTYPE,
                    "dtype_names must be of float32, float16, bfloat16: " + JsonAnswer.shown(name));
        }
    }

    private InlineTensors() {}

    /**
     * Makes a file of them.
     *
     * @param data of all of them, one behind the other, little-endian
     */
    static byte[] file(List<String> names, List<String> types, List<List<Long>> shapes, byte[] data) throws AdminException {
        if (names.isEmpty() || types.size() != names.size() || shapes.size() != names.size()) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE,
                    "names, dtype_names and shapes must be as many: names=%d, dtype_names=%d, shapes=%d".formatted(names.size(), types.size(), shapes.size()));
        }
        SafetensorsWriter file = new SafetensorsWriter();
        int at = 0;
        for (int i = 0; i < names.size(); i++) {
            Type type = Type.of(types.get(i));
            long bytes = bytes(names.get(i), shapes.get(i), type, data.length - at);
            byte[] own = Arrays.copyOfRange(data, at, at + (int) bytes);
            try {
                file.add(names.get(i), type.name, type.bytes, shapes.get(i), own);
            } catch (IllegalArgumentException e) {
                throw new AdminException(AdminErrorCode.INVALID_VALUE, "names has a name twice: " + JsonAnswer.shown(names.get(i)), e);
            }
            at += own.length;
        }
        if (at != data.length) {
            throw new AdminException(AdminErrorCode.INVALID_LENGTH, "data is longer than the shapes make it: bytes=%d, data=%d"
                    .formatted(at, data.length));
        }
        return bytes(file);
    }

    private static long bytes(String name, List<Long> shape, Type type, long left) throws AdminException {
        long bytes = type.bytes;
        for (long dimension : shape) {
            bytes = dimension == 0 || bytes <= left / dimension ? bytes * dimension : Long.MAX_VALUE;
            if (bytes > left) {
                throw new AdminException(AdminErrorCode.INVALID_LENGTH,
                        "data is shorter than the shapes make it: tensor=%s, shape=%s, left=%d".formatted(JsonAnswer.shown(name), shape, left));
            }
        }
        return bytes;
    }

    private static byte[] bytes(SafetensorsWriter file) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            file.write(out);
        } catch (IOException e) {
            throw new AssertionError("memory does no I/O", e);
        }
        return out.toByteArray();
    }
}
