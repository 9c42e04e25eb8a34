package dev.tidestream.server.admin.service;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.admin.store.directory.Sha256;

/**
 * One update of the embedding in both its forms: tensors of a safetensors file, and a payload for frames.
 *
 * @param parts of the file, in the order of the payload
 */
record FileUpdate(UpdateKind kind, PayloadType type, List<Long> shape, int rank, List<Part> parts, byte[] payload) {
    private static final String T = DeskFixture.EMBEDDING;
    private static final long V = DeskFixture.VOCABULARY;
    private static final long H = DeskFixture.HIDDEN;

    /** A tensor of a file. */
    record Part(String name, String dtype, List<Long> shape, byte[] data) {
        private String header(int begin) {
            return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(name, dtype, shape, begin, begin + data.length);
        }
    }

    static FileUpdate whole(UpdateKind kind, PayloadType type) {
        return of(kind, type, List.of(V, H), 0, List.of(matrix(T, type, V, H)));
    }

    /** @param numbersType of the row numbers in the file, {@code I32} or {@code I64} */
    static FileUpdate rows(PayloadType type, String numbersType, long... numbers) {
        long n = numbers.length;
        Part values = matrix(T, type, n, H);
        Part wanted = numbers("I32", numbers);
        return new FileUpdate(UpdateKind.ROWS, type, List.of(n, H), 0, List.of(numbers(numbersType, numbers), values),
                joined(List.of(wanted, values)));
    }

    static FileUpdate lowRank(PayloadType type, int rank) {
        return of(UpdateKind.LOW_RANK, type, List.of(V, H), rank,
                List.of(matrix(T + ".A", type, V, rank), matrix(T + ".B", type, rank, H)));
    }

    private static FileUpdate of(UpdateKind kind, PayloadType type, List<Long> shape, int rank, List<Part> parts) {
        return new FileUpdate(kind, type, shape, rank, parts, joined(parts));
    }

    /** The same request with one tensor of the file replaced by other ones, or left out. */
    FileUpdate withPart(String name, Part... instead) {
        List<Part> changed = new ArrayList<>();
        for (Part part : parts) {
            changed.addAll(part.name().equals(name) ? List.of(instead) : List.of(part));
        }
        if (changed.equals(parts)) {
            throw new AssertionError("nothing is replaced: " + name);
        }
        return new FileUpdate(kind, type, shape, rank, changed, payload);
    }

    static Part matrix(String name, PayloadType type, long... shape) {
        int n = Math.toIntExact(shape[0] * shape[1]);
        ByteBuffer data = ByteBuffer.allocate(n * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(n);
        while (data.hasRemaining()) {
            float value = (float) random.nextGaussian() * 0.1f;
            switch (type) {
                case F32 -> data.putFloat(value);
                case F16 -> data.putShort(Float.floatToFloat16(value));
                case BF16 -> data.putShort((short) (Float.floatToIntBits(value) >>> 16));
            }
        }
        return new Part(name, type.name(), List.of(shape[0], shape[1]), data.array());
    }

    static Part numbers(String dtype, long... numbers) {
        int width = dtype.equals("I64") ? Long.BYTES : Integer.BYTES;
        ByteBuffer data = ByteBuffer.allocate(numbers.length * width).order(ByteOrder.LITTLE_ENDIAN);
        for (long number : numbers) {
            if (width == Long.BYTES) {
                data.putLong(number);
            } else {
                data.putInt((int) number);
            }
        }
        return new Part(T + ".rows", dtype, List.of((long) numbers.length), data.array());
    }

    private static byte[] joined(List<Part> parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        parts.forEach(part -> all.writeBytes(part.data()));
        return all.toByteArray();
    }

    /** Writes the file: the last part first, so that not the file's order is what counts, and one tensor that nobody asks for. */
    Path write(Path file) throws IOException {
        List<Part> all = new ArrayList<>(parts.reversed());
        all.add(new Part("another.weight", "F32", List.of(1L), new byte[Float.BYTES]));
        int[] end = {0};
        String header = all.stream().map(part -> {
            String line = part.header(end[0]);
            end[0] += part.data().length;
            return line;
        }).collect(Collectors.joining(",", "{\"__metadata__\":{\"format\":\"pt\"},", "}"));
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer image = ByteBuffer.allocate(Long.BYTES + json.length + end[0]).order(ByteOrder.LITTLE_ENDIAN);
        return Files.write(file, image.putLong(json.length).put(json).put(joined(all)).array());
    }

    /** @param path null if frames follow */
    AdminRequest.WeightsUpdate request(@Nullable String path) {
        return new AdminRequest.WeightsUpdate("r", "u", UpdateLog.BASE_VERSION, T, kind, shape, type, Sha256.of(payload), payload.length,
                rank == 0 ? OptionalInt.empty() : OptionalInt.of(rank), path);
    }

    UpdateSpec spec() {
        return new UpdateSpec("u", UpdateLog.BASE_VERSION, T, kind, shape, type, rank, Sha256.of(payload), payload.length);
    }

    @Override
    public String toString() {
        return kind.wireName() + " " + type.wireName() + " " + parts.stream().map(part -> part.name() + " " + part.dtype()).toList();
    }
}
