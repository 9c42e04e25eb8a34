package dev.tidestream.server.adapters.file;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tidestream.server.safetensors.SafetensorsException;
import dev.tidestream.server.safetensors.SafetensorsFile;

/** An adapter of the golden data, to be changed and written elsewhere. */
final class EditedAdapter {
    private static final ObjectMapper JSON = new ObjectMapper();

    final ObjectNode config;
    final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** As in the file. */
    record Tensor(SafetensorsFile.Type type, List<Long> shape, byte[] data) {}

    EditedAdapter(Path folder) throws IOException, SafetensorsException {
        config = (ObjectNode) JSON.readTree(folder.resolve(PeftFolder.CONFIG).toFile());
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(PeftFolder.WEIGHTS).toRealPath())) {
            file.tensors().values().forEach(tensor -> tensors.put(tensor.name(),
                    new Tensor(tensor.type(), tensor.shape(), file.data(tensor).toArray(ValueLayout.JAVA_BYTE))));
        }
    }

    EditedAdapter configured(Consumer<ObjectNode> change) {
        change.accept(config);
        return this;
    }

    EditedAdapter without(String key) {
        if (tensors.remove(key) == null) {
            throw new IllegalArgumentException("not there: " + key);
        }
        return this;
    }

    EditedAdapter renamed(String from, String to) {
        Tensor tensor = tensors.get(from);
        without(from);
        tensors.put(to, tensor);
        return this;
    }

    /** One that is known to be there. */
    Tensor tensor(String key) {
        return Objects.requireNonNull(tensors.get(key), key);
    }

    /** With other bits in the last element of a tensor. */
    EditedAdapter changed(String key) {
        byte[] data = tensor(key).data();
        data[data.length - 2] ^= 0x10;
        return this;
    }

    /** With a NaN as the last element of a tensor of F32. */
    EditedAdapter nan(String key) {
        byte[] data = tensor(key).data();
        ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putFloat(data.length - Float.BYTES, Float.NaN);
        return this;
    }

    Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(PeftFolder.CONFIG), config.toString());
        ObjectNode header = JSON.createObjectNode();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        tensors.forEach((name, tensor) -> {
            ObjectNode entry = header.putObject(name).put("dtype", tensor.type().name());
            tensor.shape().forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(data.size()).add(data.size() + tensor.data().length);
            data.writeBytes(tensor.data());
        });
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        try (var out = Files.newOutputStream(folder.resolve(PeftFolder.WEIGHTS))) {
            out.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
            out.write(json);
            data.writeTo(out);
        }
        return folder;
    }
}
