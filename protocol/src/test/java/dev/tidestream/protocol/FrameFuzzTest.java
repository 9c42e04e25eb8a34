package dev.tidestream.protocol;

import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FrameFuzzTest {
    private static final int SHOWN_CHARS = 500;
    private static final int FRAMES = Integer.getInteger("tidestream.fuzz.inputs", 10_000);

    private final Codec codec = new Codec(new Limits(64 << 10, 1000));

    @Test
    void shouldDecodeOrRefuseEveryFrame() {
        long seed = Long.getLong("tidestream.seed", 20261123L);
        System.out.println("FrameFuzzTest: -Dtidestream.seed=" + seed + " -Dtidestream.fuzz.inputs=" + FRAMES);
        FrameMutator frames = new FrameMutator(new SplittableRandom(seed));
        int decoded = 0;
        for (int i = 0; i < FRAMES; i++) {
            String frame = frames.next();
            String where = "seed=" + seed + ", frame " + i + ": " + frame.substring(0, Math.min(SHOWN_CHARS, frame.length()));
            decoded += decodesAsClient(frame, where) + decodesAsServer(frame, where);
        }
        assertTrue(decoded > FRAMES / 20 && decoded < FRAMES / 2, "decoded=" + decoded);
    }

    private int decodesAsClient(String frame, String where) {
        try {
            ClientMessage message = codec.decodeClient(frame);
            assertEquals(message, codec.decodeClient(codec.encode(message)), where);
            return 1;
        } catch (ProtocolException e) {
            refusalIsAFrame(e, where);
            return 0;
        } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError(where, e);
        }
    }

    private int decodesAsServer(String frame, String where) {
        try {
            assertNotNull(codec.encode(codec.decodeServer(frame)), where);
            return 1;
        } catch (ProtocolException e) {
            refusalIsAFrame(e, where);
            return 0;
        } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError(where, e);
        }
    }

    private void refusalIsAFrame(ProtocolException refusal, String where) {
        try {
            assertEquals(refusal.toFailed(), codec.decodeServer(codec.encode(refusal.toFailed())), where);
        } catch (ProtocolException e) {
            throw new AssertionError(where, e);
        }
    }
}
