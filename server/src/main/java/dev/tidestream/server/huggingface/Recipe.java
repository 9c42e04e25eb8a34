package dev.tidestream.server.huggingface;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.server.huggingface.Shards.Stored;
import dev.tidestream.server.safetensors.SafetensorsFile;

/** How a tensor of a GGUF file is made of what is stored. Shapes are {@code (rows, columns)}, row-major, or {@code (n)}. */
sealed interface Recipe {
    ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    ValueLayout.OfInt BITS_32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    ValueLayout.OfShort BITS_16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What it is made of; nothing if its numbers are in the configuration. */
    List<Stored> parts();

    GgmlType type();

    /** As of GGUF, fastest first. */
    List<Long> dimensions();

    /** Whether the stored bytes are those of a GGUF file, so that they need not be made. */
    default boolean copiesBytes() {
        return false;
    }

    /**
     * Makes the bytes of a GGUF file.
     *
     * @param out of the length that type and dimensions say
     */
    void make(Shards shards, MemorySegment out);

    /** The type of stored floats. */
    static GgmlType floats(Stored stored) {
        return switch (stored.tensor().type()) {
            case F32 -> GgmlType.F32;
            case F16 -> GgmlType.F16;
            case BF16 -> GgmlType.BF16;
            case U8, U16, BOOL, I32, I64 -> throw new GgufException("tensor %s has a dtype that weights do not have: %s"
                    .formatted(GgufException.quote(stored.name()), stored.tensor().type()));
        };
    }

    /** An element of a tensor of floats. */
    static float element(MemorySegment data, SafetensorsFile.Type type, long index) {
        return switch (type) {
            case F32 -> data.get(F32, index * Float.BYTES);
            case F16 -> Float.float16ToFloat(data.get(BITS_16, index * Short.BYTES));
            case BF16 -> Float.intBitsToFloat(data.get(BITS_16, index * Short.BYTES) << Short.SIZE);
            case U8, U16, BOOL, I32, I64 -> throw new IllegalArgumentException("no floats: " + type);
        };
    }

    /** The row of a head's halves one behind the other that is this one where they are interleaved. */
    static long storedRow(long row, int headDim) {
        long inHead = row % headDim;
        return row - inHead + inHead / 2 + inHead % 2 * (headDim / 2);
    }

    /** The stored bytes, as they are. */
    record Copy(Stored stored) implements Recipe {
        @Override
        public List<Stored> parts() {
            return List.of(stored);
        }

        @Override
        public GgmlType type() {
            return floats(stored);
        }

        @Override
        public List<Long> dimensions() {
            return stored.shape().reversed();
        }

        @Override
        public boolean copiesBytes() {
            return true;
        }

        @Override
        public void make(Shards shards, MemorySegment out) {
            out.copyFrom(shards.data(stored));
        }
    }

    /** A vector, as float32, with a number added to each element. */
    record Vector(Stored stored, float added) implements Recipe {
        @Override
        public List<Stored> parts() {
            return List.of(stored);
        }

        @Override
        public GgmlType type() {
            return GgmlType.F32;
        }

        @Override
        public List<Long> dimensions() {
            floats(stored);
            return stored.shape();
        }

        @Override
        public void make(Shards shards, MemorySegment out) {
            MemorySegment data = shards.data(stored);
            for (long i = 0; i < stored.shape().getFirst(); i++) {
                out.set(F32, i * Float.BYTES, element(data, stored.tensor().type(), i) + added);
            }
        }
    }

    /** Numbers of the configuration. */
    record Numbers(float[] elements) implements Recipe {
        @Override
        public List<Stored> parts() {
            return List.of();
        }

        @Override
        public GgmlType type() {
            return GgmlType.F32;
        }

        @Override
        public List<Long> dimensions() {
            return List.of((long) elements.length);
        }

        @Override
        public void make(Shards shards, MemorySegment out) {
            for (int i = 0; i < elements.length; i++) {
                out.set(F32, (long) i * Float.BYTES, elements[i]);
            }
        }
    }

    /** A matrix with the halves of each head interleaved. */
    record Interleaved(Stored stored, int headDim) implements Recipe {
        @Override
        public List<Stored> parts() {
            return List.of(stored);
        }

        @Override
        public GgmlType type() {
            return floats(stored);
        }

        @Override
        public List<Long> dimensions() {
            return stored.shape().reversed();
        }

        @Override
        public void make(Shards shards, MemorySegment out) {
            MemorySegment data = shards.data(stored);
            long rows = stored.shape().getFirst();
            long rowBytes = stored.tensor().bytes() / rows;
            for (long row = 0; row < rows; row++) {
                MemorySegment.copy(data, Recipe.storedRow(row, headDim) * rowBytes, out, row * rowBytes, rowBytes);
            }
        }
    }

    /** A matrix with inputs as rows, with outputs as rows. */
    record Transposed(Stored stored) implements Recipe {
        private static final long TILE = 64; // elements; rows of both are in the cache

        @Override
        public List<Stored> parts() {
            return List.of(stored);
        }

        @Override
        public GgmlType type() {
            return floats(stored);
        }

        @Override
        public List<Long> dimensions() {
            return stored.shape();
        }

        @Override
        public void make(Shards shards, MemorySegment out) {
            MemorySegment data = shards.data(stored);
            long rows = stored.shape().getFirst();
            long columns = stored.shape().getLast();
            boolean wide = stored.tensor().type() == SafetensorsFile.Type.F32;
            for (long fromRow = 0; fromRow < rows; fromRow += TILE) {
                for (long fromColumn = 0; fromColumn < columns; fromColumn += TILE) {
                    long toRow = Math.min(rows, fromRow + TILE);
                    long toColumn = Math.min(columns, fromColumn + TILE);
                    for (long row = fromRow; row < toRow; row++) {
                        for (long column = fromColumn; column < toColumn; column++) {
                            long from = row * columns + column;
                            long to = column * rows + row;
                            if (wide) {
                                out.set(BITS_32, to * Integer.BYTES, data.get(BITS_32, from * Integer.BYTES));
                            } else {
                                out.set(BITS_16, to * Short.BYTES, data.get(BITS_16, from * Short.BYTES));
                            }
                        }
                    }
                }
            }
        }
    }

    /**
     * Codes of BitNet, four in a byte: the two lowest bits are of a row of the first quarter, the next of the second, and so on.
     *
     * @param scale one number
     * @param inverse whether codes are divided by it
     * @param headDim where halves of heads are interleaved; 0 where they are not
     */
    record Packed(Stored stored, Stored scale, boolean inverse, int headDim) implements Recipe {
        private static final int IN_A_BYTE = 4;

        @Override
        public List<Stored> parts() {
            return List.of(stored, scale);
        }

        @Override
        public GgmlType type() {
            return GgmlType.I2_S;
        }

        @Override
        public List<Long> dimensions() {
            return List.of(stored.shape().getLast(), Math.multiplyExact(stored.shape().getFirst(), IN_A_BYTE));
        }

        @Override
        public void make(Shards shards, MemorySegment out) {
            MemorySegment data = shards.data(stored);
            long quarter = stored.shape().getFirst();
            long columns = stored.shape().getLast();
            float number = element(shards.data(scale), scale.tensor().type(), 0);
            TernaryWriter writer = new TernaryWriter(out, inverse ? 1 / number : number, scale.name());
            for (long row = 0; row < quarter * IN_A_BYTE; row++) {
                long from = headDim == 0 ? row : Recipe.storedRow(row, headDim);
                int shift = (int) (from / quarter) * 2;
                for (long column = 0; column < columns; column++) {
                    int code = data.get(ValueLayout.JAVA_BYTE, from % quarter * columns + column) >> shift & TernaryWriter.MASK;
                    if (code == TernaryWriter.MASK) {
                        throw new GgufException("tensor %s has a code that is none: row=%d, column=%d, code=%d"
                                .formatted(GgufException.quote(stored.name()), from, column, code));
                    }
                    writer.next(code);
                }
            }
        }
    }

    /**
     * Numbers that become ternary: divided by the mean of their absolute values, rounded to -1, 0 or 1.
     *
     * @param headDim where halves of heads are interleaved; 0 where they are not
     */
    record Online(Stored stored, int headDim) implements Recipe {
        private static final double LEAST_SCALE = 1e-5;

        @Override
        public List<Stored> parts() {
            return List.of(stored);
        }

        @Override
        public GgmlType type() {
            floats(stored);
            return GgmlType.I2_S;
        }

        @Override
        public List<Long> dimensions() {
            return stored.shape().reversed();
        }

        @Override
        public void make(Shards shards, MemorySegment out) {
            MemorySegment data = shards.data(stored);
            SafetensorsFile.Type type = stored.tensor().type();
            long rows = stored.shape().getFirst();
            long columns = stored.shape().getLast();
            double sum = 0;
            for (long i = 0; i < rows * columns; i++) {
                sum += Math.abs(element(data, type, i));
            }
            float scale = (float) Math.max(sum / (rows * columns), LEAST_SCALE);
            TernaryWriter writer = new TernaryWriter(out, scale, stored.name());
            for (long row = 0; row < rows; row++) {
                long from = (headDim == 0 ? row : Recipe.storedRow(row, headDim)) * columns;
                for (long column = 0; column < columns; column++) {
                    double code = Math.rint(element(data, type, from + column) / (double) scale);
                    writer.next((int) Math.clamp(code, -1, 1) + 1);
                }
            }
        }
    }
}
