package dev.tidestream.server.cli.chat;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;

/** How answers are made; the user changes it between them. One thread. */
final class ChatSettings {
    private final Map<Setting, Double> values = new EnumMap<>(Setting.class);
    private final List<String> stop;
    private OptionalLong seed = OptionalLong.empty();
    private WeightsPolicy weights = WeightsPolicy.PIN;

    /** @param stop strings that end an answer, none of them empty */
    ChatSettings(List<String> stop) {
        this.stop = List.copyOf(stop);
    }

    void set(Setting setting, double value) {
        values.put(setting, value);
    }

    /** What the user said; null if nothing. */
    @Nullable Double said(Setting setting) {
        return values.get(setting);
    }

    double value(Setting setting) {
        return values.getOrDefault(setting, setting.usual());
    }

    List<String> stop() {
        return stop;
    }

    OptionalLong seed() {
        return seed;
    }

    /** @param seed of every answer from now on; empty: each has its own */
    void seed(OptionalLong seed) {
        this.seed = seed;
    }

    WeightsPolicy weights() {
        return weights;
    }

    void weights(WeightsPolicy weights) {
        this.weights = weights;
    }

    int maxTokens() {
        return (int) value(Setting.MAX_TOKENS);
    }

    /** For the engine. */
    SamplingOptions sampling() {
        return new SamplingOptions(number(Setting.TEMPERATURE), (int) value(Setting.TOP_K), number(Setting.TOP_P),
                number(Setting.MIN_P), number(Setting.REPETITION_PENALTY), number(Setting.PRESENCE_PENALTY),
                number(Setting.FREQUENCY_PENALTY), Map.of(), seed);
    }

    private float number(Setting setting) {
        return (float) value(setting);
    }
}
