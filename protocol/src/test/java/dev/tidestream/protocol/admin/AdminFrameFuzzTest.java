package dev.tidestream.protocol.admin;

import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AdminFrameFuzzTest {
    private static final int SHOWN_CHARS = 500;
    private static final int FRAMES = Integer.getInteger("tidestream.fuzz.inputs", 5_000);

    private final AdminCodec codec = new AdminCodec(64 << 10);

    private interface RoundTrip {
        void run() throws AdminProtocolException;
    }

    @Test
    void shouldDecodeOrRefuseEveryFrame() {
        long seed = Long.getLong("tidestream.seed", 20261123L);
        System.out.println("AdminFrameFuzzTest: -Dtidestream.seed=" + seed + " -Dtidestream.fuzz.inputs=" + FRAMES);
        AdminFrameMutator frames = new AdminFrameMutator(new SplittableRandom(seed));
        int decoded = 0;
        for (int i = 0; i < FRAMES; i++) {
            String frame = frames.next();
            String where = "seed=" + seed + ", frame " + i + ": " + frame.substring(0, Math.min(SHOWN_CHARS, frame.length()));
            decoded += decodes(where, () -> {
                AdminRequest request = codec.decodeRequest(frame);
                assertEquals(request, codec.decodeRequest(codec.encode(request)), where);
            });
            decoded += decodes(where, () -> {
                AdminReply reply = codec.decodeReply(frame);
                assertEquals(reply, codec.decodeReply(codec.encode(reply)), where);
            });
        }
        assertTrue(decoded > FRAMES / 20 && decoded < FRAMES / 2, "decoded=" + decoded);
    }

    private int decodes(String where, RoundTrip roundTrip) {
        try {
            roundTrip.run();
            return 1;
        } catch (AdminProtocolException e) {
            try {
                assertEquals(e.toFailed(), codec.decodeReply(codec.encode(e.toFailed())), where);
            } catch (AdminProtocolException unreadable) {
                throw new AssertionError(where, unreadable);
            }
            return 0;
        } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError(where, e);
        }
    }
}
