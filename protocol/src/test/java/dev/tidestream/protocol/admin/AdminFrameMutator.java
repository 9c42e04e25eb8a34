package dev.tidestream.protocol.admin;

import java.util.List;
import java.util.random.RandomGenerator;

import dev.tidestream.protocol.NameMutator;

/** Admin frames to break a server with: valid ones, mutated ones, and plain noise. The same generator gives the same frames. */
public final class AdminFrameMutator {
    private static final String SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static final List<String> SEEDS = List.of(
            "{\"type\":\"optimization.set\",\"ref\":\"r1\",\"mode\":\"cached-transpose\",\"verify\":false}",
            "{\"type\":\"optimization.set\",\"ref\":\"r1\",\"optimize_for_inference\":true}",
            "{\"type\":\"optimization.status\",\"ref\":\"r2\"}",
            "{\"type\":\"weights.update\",\"ref\":\"r3\",\"update_id\":\"u\",\"base_version\":1,\"tensor\":\"token_embd.weight\","
                    + "\"kind\":\"rows\",\"shape\":[2,4],\"dtype\":\"f16\",\"sha256\":\"" + SHA + "\",\"byte_length\":24}",
            "{\"type\":\"weights.update\",\"ref\":\"r3\",\"update_id\":\"v\",\"base_version\":2,\"tensor\":\"token_embd.weight\","
                    + "\"kind\":\"low_rank\",\"shape\":[10,4],\"dtype\":\"f32\",\"sha256\":\"" + SHA + "\",\"byte_length\":112,"
                    + "\"rank\":2,\"path\":\"a/b.safetensors\"}",
            "{\"type\":\"weights.open_update\",\"ref\":\"r5\",\"update_id\":\"u\",\"base_version\":1,\"label\":\"l\",\"tied\":\"keep\"}",
            "{\"type\":\"weights.commit_update\",\"ref\":\"r6\",\"update_id\":\"u\",\"parts\":1}",
            "{\"type\":\"weights.rollback\",\"ref\":\"r4\",\"to_version\":1}",
            "{\"type\":\"weights.status\",\"ref\":\"r5\"}",
            "{\"type\":\"weights.history\",\"ref\":\"r6\"}",
            "{\"type\":\"stats\",\"ref\":\"r7\"}",
            "{\"type\":\"ack\",\"ref\":\"r8\",\"weights_version\":3,\"history\":[{\"weights_version\":2,\"max\":0.5}],\"ok\":true}",
            "{\"type\":\"progress\",\"ref\":\"r8\",\"stage\":\"building\",\"done\":1,\"of\":3}",
            "{\"type\":\"failed\",\"ref\":\"r8\",\"code\":\"stale_base_version\",\"message\":\"m\"}");
    private static final List<String> SPLICES = List.of(
            "null", "true", "-1", "1.5", "1e999", "0", "99999999999999999999", "\"\"", "\"\\ud800\"", "[]", "{}", "[0]", "[1,2,3,4,5]",
            "[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}", "\"type\":\"stats\",", "\"ref\":\"r\",", "NaN",
            "\u0000", "\uFEFF", "\uD83C", ",", ":", "}", "]", "\"", "\\u12", "2147483648", "9223372036854775807");
    private static final int VALUES = 15;

    private final RandomGenerator random;
    private final NameMutator names;

    public AdminFrameMutator(RandomGenerator random) {
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
            frame.insert(1, names.next() + ",");
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
            default -> replaceValue(frame);
        }
    }

    /** Puts something else where a value stands, so that the frame stays JSON and the decoder has to judge it. */
    private void replaceValue(StringBuilder frame) {
        int colon = frame.indexOf(":", random.nextInt(frame.length() + 1));
        if (colon >= 0) {
            int end = colon + 1;
            while (end < frame.length() && frame.charAt(end) != ',' && frame.charAt(end) != '}') {
                end++;
            }
            frame.replace(colon + 1, end, SPLICES.get(random.nextInt(VALUES)));
        }
    }

    private String noise(int chars) {
        StringBuilder out = new StringBuilder(chars);
        for (int i = 0; i < chars; i++) {
            out.append((char) (random.nextBoolean() ? random.nextInt(32, 127) : random.nextInt(0x10000)));
        }
        return out.toString();
    }
}
