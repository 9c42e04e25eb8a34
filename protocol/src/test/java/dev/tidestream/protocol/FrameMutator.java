package dev.tidestream.protocol;

import java.util.List;
import java.util.random.RandomGenerator;

/** Frames to break a server with: valid ones, mutated ones, and plain noise. The same generator gives the same frames. */
public final class FrameMutator {
    private static final List<String> SEEDS = List.of(
            "{\"type\":\"generate\",\"id\":\"f1\",\"prompt\":\"Once upon\",\"max_tokens\":3}",
            "{\"type\":\"generate\",\"id\":\"f4\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":3}",
            "{\"type\":\"generate\",\"id\":\"f2\",\"tokens\":[1,2,3],\"credit\":2,\"logprobs\":3,\"weights\":\"follow\"}",
            "{\"type\":\"generate\",\"id\":\"f3\",\"prompt\":\"\\u00e9\\ud83c\\udf0a\",\"parse_special\":true,\"max_tokens\":2,"
                    + "\"stop\":[\"x\",\"yz\"],"
                    + "\"sampling\":{\"temperature\":0.7,\"top_k\":40,\"top_p\":0.9,\"min_p\":0.05,\"repetition_penalty\":1.1,"
                    + "\"presence_penalty\":-0.5,\"frequency_penalty\":0.5,\"logit_bias\":{\"5\":-100,\"17\":2.5},"
                    + "\"seed\":\"-9223372036854775808\"}}",
            "{\"type\":\"credit\",\"id\":\"f2\",\"n\":5}",
            "{\"type\":\"cancel\",\"id\":\"f1\"}",
            "{\"type\":\"accepted\",\"id\":\"a\",\"stream\":1,\"seed\":2,\"weights_version\":3,\"prompt_tokens\":4}",
            "{\"type\":\"progress\",\"id\":\"a\",\"prefilled\":10,\"of\":20}",
            "{\"type\":\"token\",\"id\":\"a\",\"seq\":0,\"token\":7,\"text\":\" hi\",\"weights_version\":1,\"logprob\":-0.5,"
                    + "\"top_logprobs\":[{\"token\":7,\"logprob\":-0.5}]}",
            "{\"type\":\"finished\",\"id\":\"a\",\"reason\":\"stop\",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},"
                    + "\"timing\":{\"queue_ms\":0.1,\"first_token_ms\":2,\"total_ms\":3,\"tokens_per_s\":4.5}}",
            "{\"type\":\"failed\",\"code\":\"busy\",\"message\":\"m\"}");
    private static final List<String> SPLICES = List.of(
            "null", "true", "-1", "1.5", "1e999", "-0", "99999999999999999999", "\"\"", "\"\\ud800\"", "[]", "{}", "[[[[[[[[[[",
            "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}", "\"type\":\"cancel\",", "\"id\":\"f1\",", "NaN",
            "\u0000", "\uFEFF", "\uD83C", ",", ":", "}", "]", "\"", "\\u12", "/**/", "\u2028", "0x10", "\"n\":2147483648,");

    private final RandomGenerator random;
    private final NameMutator names;

    public FrameMutator(RandomGenerator random) {
        this.random = random;
        this.names = new NameMutator(random);
    }

    /** The next frame; about one in ten is valid, one in ten is noise, one in twenty has fields that it should not have. */
    public String next() {
        int kind = random.nextInt(10);
        String seed = SEEDS.get(random.nextInt(SEEDS.size()));
        if (kind == 0) {
            return seed;
        }
        if (kind == 1) {
            return noise(random.nextInt(64));
        }
        StringBuilder frame = new StringBuilder(seed);
        if (kind == 2 && random.nextBoolean()) {
            insertNames(frame);
            return frame.toString();
        }
        for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
            edit(frame);
        }
        return frame.toString();
    }

    private void edit(StringBuilder frame) {
        int at = random.nextInt(frame.length() + 1);
        int end = Math.min(frame.length(), at + 1 + random.nextInt(8));
        switch (random.nextInt(6)) {
            case 0 -> frame.delete(at, end);
            case 1 -> frame.insert(at, SPLICES.get(random.nextInt(SPLICES.size())));
            case 2 -> frame.replace(at, end, SPLICES.get(random.nextInt(SPLICES.size())));
            case 3 -> frame.insert(at, frame.substring(at, end));
            case 4 -> frame.replace(at, end, noise(1 + random.nextInt(4)));
            default -> replaceValue(frame);
        }
    }

    /** More fields, where an object begins, be it the frame or one inside it. */
    private void insertNames(StringBuilder frame) {
        int brace = frame.indexOf("{", random.nextInt(frame.length()));
        frame.insert(Math.max(brace, 0) + 1, names.next() + ",");
    }

    /** Puts something else where a value stands, so that the frame stays JSON and the decoder has to judge it. */
    private void replaceValue(StringBuilder frame) {
        int colon = frame.indexOf(":", random.nextInt(frame.length() + 1));
        if (colon < 0) {
            return;
        }
        int end = colon + 1;
        while (end < frame.length() && frame.charAt(end) != ',' && frame.charAt(end) != '}') {
            end++;
        }
        frame.replace(colon + 1, end, SPLICES.get(random.nextInt(11)));
    }

    private String noise(int chars) {
        StringBuilder out = new StringBuilder(chars);
        for (int i = 0; i < chars; i++) {
            out.append((char) (random.nextBoolean() ? random.nextInt(32, 127) : random.nextInt(0x10000)));
        }
        return out.toString();
    }
}
