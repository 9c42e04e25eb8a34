package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.transport.common.AssemblyBudget;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Frames of chance, cut anywhere: what the decoder and the assembler make of them does not depend on where. */
class FrameDecoderTest {
    private static final int MAX_MESSAGE_BYTES = 8 << 10;
    private static final int MAX_FRAME_BYTES = 32 << 10;
    private static final int INPUTS = Integer.getInteger("tidestream.fuzz.inputs", 5_000);

    private final AssemblyBudget budget = new AssemblyBudget(1 << 20);

    /** How bytes come. */
    private interface Cut {
        int next(int left);
    }

    @Test
    void shouldHearTheSameHoweverTheBytesCome() {
        long seed = Long.getLong("tidestream.seed", 20261130L);
        System.out.println("FrameDecoderTest: -Dtidestream.seed=" + seed + " -Dtidestream.fuzz.inputs=" + INPUTS);
        SplittableRandom random = new SplittableRandom(seed);
        WireInputs inputs = new WireInputs(random.split(), MAX_MESSAGE_BYTES, MAX_FRAME_BYTES, text -> true);
        RandomGenerator cuts = random.split();
        int last = 0;
        for (int i = 0; i < INPUTS; i++) {
            WireInputs.Input input = inputs.next();
            String where = "seed=" + seed + ", input " + i;
            assertEquals(input.events(), decode(input.bytes(), left -> left), where + ", at once");
            Cut pieces = left -> 1 + cuts.nextInt(Math.min(left, 1000));
            assertEquals(input.events(), decode(input.bytes(), pieces), where + ", in pieces");
            if (input.bytes().length < 4000) {
                assertEquals(input.events(), decode(input.bytes(), left -> 1), where + ", byte by byte");
            }
            assertEquals(0, budget.heldBytes(), where);
            last += input.isLast() ? 1 : 0;
        }
        assertTrue(last > INPUTS / 3, "last=" + last);
    }

    private List<WireInputs.Event> decode(byte[] bytes, Cut cut) {
        Hearing hearing = new Hearing();
        for (int at = 0; at < bytes.length; ) {
            int end = at + cut.next(bytes.length - at);
            ByteBuffer piece = ByteBuffer.wrap(Arrays.copyOfRange(bytes, at, end));
            hearing.decoder.decode(piece);
            assertEquals(0, piece.remaining());
            at = end;
        }
        hearing.assembler.release();
        return hearing.heard;
    }

    /** Writes down what it hears. */
    private final class Hearing implements FrameDecoder.Handler {
        private final List<WireInputs.Event> heard = new ArrayList<>();
        private final FrameDecoder decoder = new FrameDecoder(this, MAX_FRAME_BYTES);
        private final MessageAssembler assembler = new MessageAssembler(MAX_MESSAGE_BYTES, budget, refused -> {
            throw new AssertionError("there is room for all");
        });

        @Override
        public void onData(boolean text, boolean first, ByteBuffer piece, long leftInFrame, boolean last) {
            if (!text) {
                if (first) {
                    heard.add(new WireInputs.Event.Binary());
                }
                return;
            }
            switch (assembler.accept(first, piece, leftInFrame, last)) {
                case MessageAssembler.Outcome.Incomplete i -> {}
                case MessageAssembler.Outcome.Text t -> heard.add(new WireInputs.Event.Text(t.text()));
                case MessageAssembler.Outcome.Refused r -> {
                    assertEquals(MessageAssembler.Reason.TOO_LARGE, r.reason());
                    assertTrue(r.bytes() > MAX_MESSAGE_BYTES && r.head().startsWith("xxx"), r.toString());
                    heard.add(new WireInputs.Event.TooLarge());
                }
            }
        }

        @Override
        public void onPing(byte[] payload) {
            heard.add(new WireInputs.Event.Ping(new String(payload, StandardCharsets.US_ASCII)));
        }

        @Override
        public void onPong() {
            // says nothing
        }

        @Override
        public void onClose(int code) {
            heard.add(new WireInputs.Event.Close(code));
        }

        @Override
        public void onViolation(int code, String reason) {
            heard.add(new WireInputs.Event.Violation(code));
        }
    }

    @Test
    void shouldStopWhereItIsPausedAndGoOnThere() {
        WireInputs.Input input =
                new WireInputs(new SplittableRandom(1), MAX_MESSAGE_BYTES, MAX_FRAME_BYTES, text -> true).next();
        byte[] bytes = input.bytes();
        Hearing hearing = new Hearing();
        ByteBuffer all = ByteBuffer.wrap(bytes.clone());
        hearing.decoder.pause(true);
        hearing.decoder.decode(all);
        assertEquals(bytes.length, all.remaining());
        hearing.decoder.pause(false);
        hearing.decoder.decode(all);
        assertEquals(0, all.remaining());
        assertEquals(input.events(), hearing.heard);
    }
}
