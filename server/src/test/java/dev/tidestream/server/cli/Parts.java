package dev.tidestream.server.cli;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A safetensors file in the making: tensors of float32 or int32, and metadata. */
final class Parts {
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final List<String> headers = new ArrayList<>();
    private final List<byte[]> data = new ArrayList<>();
    private long offset;

    Parts with(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    Parts floats(String name, List<Integer> shape, float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return add(name, "F32", shape, bytes.array());
    }

    Parts ints(String name, int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putInt(value);
        }
        return add(name, "I32", List.of(values.length), bytes.array());
    }

    private Parts add(String name, String dtype, List<Integer> shape, byte[] bytes) {
        headers.add("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                .formatted(name, dtype, shape, offset, offset + bytes.length));
        data.add(bytes);
        offset += bytes.length;
        return this;
    }

    byte[] bytes() {
        String said = metadata.entrySet().stream().map(entry -> "\"%s\":\"%s\"".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(",", "\"__metadata__\":{", "}"));
        byte[] header = ("{" + said + "," + String.join(",", headers) + "}").getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + (int) offset).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length).put(header);
        data.forEach(file::put);
        return file.array();
    }
}
