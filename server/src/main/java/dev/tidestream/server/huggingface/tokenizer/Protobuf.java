package dev.tidestream.server.huggingface.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

import dev.tidestream.model.tokenizer.TokenizerException;

/** Reads a message of protobuf's wire format, field by field. One thread. */
final class Protobuf {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH = 2;
    private static final int FIXED32 = 5;
    private static final int MOST_VARINT_BITS = 63;

    private final String file;
    private final ByteBuffer bytes;
    private int field;
    private int type;
    private long number; // of a varint or a fixed field
    private ByteBuffer content = ByteBuffer.allocate(0); // of a field with a length

    Protobuf(String file, ByteBuffer bytes) {
        this.file = file;
        this.bytes = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Reads the next field; false at the end. */
    boolean next() {
        if (!bytes.hasRemaining()) {
            return false;
        }
        long key = varint();
        field = (int) (key >>> 3);
        type = (int) (key & 7);
        switch (type) {
            case VARINT -> number = varint();
            case FIXED64 -> number = need(Long.BYTES).getLong();
            case FIXED32 -> number = need(Integer.BYTES).getInt();
            case LENGTH -> {
                long length = varint();
                if (length < 0 || length > bytes.remaining()) {
                    throw fault("a field is longer than the file: length=%d, remaining=%d".formatted(length, bytes.remaining()));
                }
                content = bytes.slice(bytes.position(), (int) length);
                bytes.position(bytes.position() + (int) length);
            }
            default -> throw fault("not SentencePiece: wire type=%d".formatted(type));
        }
        return true;
    }

    int field() {
        return field;
    }

    long number() {
        return require(type != LENGTH, number);
    }

    float float32() {
        return require(type == FIXED32, Float.intBitsToFloat((int) number));
    }

    String text() {
        return StandardCharsets.UTF_8.decode(require(type == LENGTH, content).duplicate()).toString();
    }

    byte[] bytes() {
        ByteBuffer source = require(type == LENGTH, content).duplicate();
        byte[] copy = new byte[source.remaining()];
        source.get(copy);
        return copy;
    }

    Protobuf message() {
        return new Protobuf(file, require(type == LENGTH, content));
    }

    private <T> T require(boolean holds, T value) {
        if (!holds) {
            throw fault("field %d has wire type %d".formatted(field, type));
        }
        return value;
    }

    private ByteBuffer need(int count) {
        if (bytes.remaining() < count) {
            throw fault("the file ends within a field");
        }
        return bytes;
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift <= MOST_VARINT_BITS; shift += 7) {
            byte b = need(1).get();
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw fault("a number is too long");
    }

    private TokenizerException fault(String message) {
        return new TokenizerException("%s: %s, at=%d".formatted(file, message, bytes.position()));
    }
}
