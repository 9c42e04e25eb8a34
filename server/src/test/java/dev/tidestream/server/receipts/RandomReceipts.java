package dev.tidestream.server.receipts;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Evidence;

/** Receipts of any content, also the odd one. */
public final class RandomReceipts {
    private final SplittableRandom random;

    RandomReceipts(long seed) {
        random = new SplittableRandom(seed);
    }

    Receipt next() {
        List<Evidence.Span> spans = new ArrayList<>();
        List<String> updates = new ArrayList<>();
        int tokens = 0;
        for (int i = random.nextInt(4); i > 0; i--) {
            int from = tokens;
            tokens += 1 + random.nextInt(100);
            spans.add(new Evidence.Span(from, tokens, random.nextLong(Long.MAX_VALUE), text()));
            updates.add(text());
        }
        List<String> stop = new ArrayList<>();
        Map<Integer, Float> bias = new HashMap<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            stop.add(text());
            bias.put(random.nextInt(Integer.MAX_VALUE), real());
        }
        long seed = random.nextInt(4) == 0 ? random.nextBoolean() ? Long.MIN_VALUE : Long.MAX_VALUE
                : random.nextLong() >> random.nextInt(64);
        SamplingOptions sampling =
                new SamplingOptions(real(), random.nextInt(Integer.MAX_VALUE), real(), real(), real(), real(), real(), bias,
                OptionalLong.of(seed));
        Evidence evidence = new Evidence(random.nextInt(Integer.MAX_VALUE), text(), random.nextBoolean() ? text() : null,
                random.nextBoolean(),
                random.nextBoolean() ? LocalDateTime.ofEpochSecond(random.nextInt(), random.nextInt(1_000_000_000), ZoneOffset.UTC) : null,
                random.nextInt(Integer.MAX_VALUE), sampling, stop, any(WeightsPolicy.values()),
                random.nextLong(Long.MAX_VALUE), spans, tokens, text());
        return new Receipt(random.nextLong(), text(), random.nextBoolean() ? text() : null, new Receipt.Model(text(), text(), text()),
                Map.of(text() + "a", text(), text() + "b", text()), evidence, updates,
                any(FinishReason.values()));
    }

    private float real() {
        float value = Float.intBitsToFloat(random.nextInt());
        return Float.isFinite(value) ? value : random.nextFloat();
    }

    private String text() {
        String alphabet = "aZ09 \"\\\n\u0000\u2028é🌊";
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            text.appendCodePoint(alphabet.codePoints().toArray()[random.nextInt(alphabet.codePointCount(0, alphabet.length()))]);
        }
        return text.toString();
    }

    private <E> E any(E[] of) {
        return of[random.nextInt(of.length)];
    }
}
