package dev.tidestream.model.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes GGUF files for tests: well-formed ones, or with a chosen fault (version, type ids and offsets are not checked).
 * Metadata and tensors appear in the order of the calls.
 */
public final class GgufWriter {
    private final int version;
    private final int alignment;
    private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
    private final List<Tensor> tensors = new ArrayList<>();
    private int metadataCount;

    private record Tensor(String name, int typeId, long[] dimensions, byte[] data, long offset) {}

    /** Version 3, alignment 32, no metadata. */
    public GgufWriter() {
        this(3, 32);
    }

    /** The alignment is written as {@code general.alignment} unless it is 32. */
    public GgufWriter(int version, int alignment) {
        this.version = version;
        this.alignment = alignment;
        if (alignment != 32) {
            u32("general.alignment", alignment);
        }
    }

    public GgufWriter string(String key, String value) {
        return raw(key, GgufValueType.STRING, stringBytes(value.getBytes(StandardCharsets.UTF_8)));
    }

    public GgufWriter u16(String key, int value) {
        return raw(key, GgufValueType.U16, bytes(2).putShort((short) value).array());
    }

    public GgufWriter u32(String key, long value) {
        return raw(key, GgufValueType.U32, bytes(4).putInt((int) value).array());
    }

    public GgufWriter i32(String key, int value) {
        return raw(key, GgufValueType.I32, bytes(4).putInt(value).array());
    }

    public GgufWriter u64(String key, long value) {
        return raw(key, GgufValueType.U64, bytes(8).putLong(value).array());
    }

    public GgufWriter float32(String key, float value) {
        return raw(key, GgufValueType.F32, bytes(4).putFloat(value).array());
    }

    public GgufWriter bool(String key, boolean value) {
        return raw(key, GgufValueType.BOOL, new byte[] {(byte) (value ? 1 : 0)});
    }

    public GgufWriter strings(String key, List<String> values) {
        ByteArrayOutputStream out = arrayHead(GgufValueType.STRING, values.size());
        values.forEach(value -> out.writeBytes(stringBytes(value.getBytes(StandardCharsets.UTF_8))));
        return raw(key, GgufValueType.ARRAY, out.toByteArray());
    }

    public GgufWriter floats(String key, float... values) {
        ByteArrayOutputStream out = arrayHead(GgufValueType.F32, values.length);
        for (float value : values) {
            out.writeBytes(bytes(4).putFloat(value).array());
        }
        return raw(key, GgufValueType.ARRAY, out.toByteArray());
    }

    public GgufWriter ints(String key, int... values) {
        ByteArrayOutputStream out = arrayHead(GgufValueType.I32, values.length);
        for (int value : values) {
            out.writeBytes(bytes(4).putInt(value).array());
        }
        return raw(key, GgufValueType.ARRAY, out.toByteArray());
    }

    /** A value of any type, as its bytes in the file. */
    public GgufWriter raw(String key, GgufValueType type, byte[] value) {
        return raw(key.getBytes(StandardCharsets.UTF_8), type.id(), value);
    }

    /** A key of any bytes with a value of any type. */
    public GgufWriter raw(byte[] key, int typeId, byte[] value) {
        metadata.writeBytes(stringBytes(key));
        metadata.writeBytes(bytes(4).putInt(typeId).array());
        metadata.writeBytes(value);
        metadataCount++;
        return this;
    }

    /**
     * A tensor of any type.
     *
     * @param data its bytes in the file
     * @param dimensions fastest first
     */
    public GgufWriter tensor(String name, GgmlType type, byte[] data, long... dimensions) {
        long offset = 0;
        for (Tensor before : tensors) {
            offset += aligned(before.data.length);
        }
        return tensorAt(offset, name, type.id(), data, dimensions);
    }

    public GgufWriter tensor(String name, GgmlType type, MemorySegment data, long... dimensions) {
        return tensor(name, type, data.toArray(ValueLayout.JAVA_BYTE), dimensions);
    }

    /** An F32 tensor. */
    public GgufWriter tensor(String name, float[] data, long... dimensions) {
        byte[] bytes = new byte[data.length * Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(data);
        return tensor(name, GgmlType.F32, bytes, dimensions);
    }

    /** A tensor that claims this offset and type; its data still follow those of the tensor before. */
    public GgufWriter tensorAt(long offset, String name, int typeId, byte[] data, long... dimensions) {
        tensors.add(new Tensor(name, typeId, dimensions.clone(), data.clone(), offset));
        return this;
    }

    /** The file. */
    public byte[] toByteArray() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(bytes(20).putInt(version).putLong(tensors.size()).putLong(metadataCount).array());
        out.writeBytes(metadata.toByteArray());
        for (Tensor tensor : tensors) {
            out.writeBytes(stringBytes(tensor.name.getBytes(StandardCharsets.UTF_8)));
            out.writeBytes(bytes(4).putInt(tensor.dimensions.length).array());
            for (long dimension : tensor.dimensions) {
                out.writeBytes(bytes(8).putLong(dimension).array());
            }
            out.writeBytes(bytes(12).putInt(tensor.typeId).putLong(tensor.offset).array());
        }
        for (Tensor tensor : tensors) {
            pad(out);
            out.writeBytes(tensor.data);
        }
        if (!tensors.isEmpty()) {
            pad(out);
        }
        return out.toByteArray();
    }

    /** The same in several files, as llama.cpp's gguf-split writes them: metadata in the first, tensors in turn. */
    public List<byte[]> split(int parts) {
        List<byte[]> files = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            GgufWriter part = new GgufWriter(version, 32);
            if (i == 0) {
                part.metadata.writeBytes(metadata.toByteArray());
                part.metadataCount = metadataCount;
            }
            part.u16("split.no", i).u16("split.count", parts).i32("split.tensors.count", tensors.size());
            for (int t = i; t < tensors.size(); t += parts) {
                Tensor tensor = tensors.get(t);
                part.tensor(tensor.name, GgmlType.ofId(tensor.typeId).orElseThrow(), tensor.data, tensor.dimensions);
            }
            files.add(part.toByteArray());
        }
        return files;
    }

    public Path write(Path path) {
        try {
            return Files.write(path, toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void pad(ByteArrayOutputStream out) {
        out.writeBytes(new byte[(int) aligned(out.size()) - out.size()]);
    }

    private long aligned(long size) {
        return alignment < 1 ? size : Math.ceilDiv(size, (long) alignment) * alignment;
    }

    private static ByteArrayOutputStream arrayHead(GgufValueType type, int count) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(bytes(12).putInt(type.id()).putLong(count).array());
        return out;
    }

    private static byte[] stringBytes(byte[] utf8) {
        return bytes(8 + utf8.length).putLong(utf8.length).put(utf8).array();
    }

    private static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
