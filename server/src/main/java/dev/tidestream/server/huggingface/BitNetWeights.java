package dev.tidestream.server.huggingface;

import java.util.Optional;
import java.util.Set;

/**
 * How weights of BitNet are stored, by {@code quantization_config}. Source: transformers' integration of BitNet.
 *
 * @param packed four codes in a byte, and a scale beside them; else numbers that become ternary when they are loaded
 * @param inverseScale whether weights are codes divided by the scale, not multiplied
 */
record BitNetWeights(boolean packed, boolean inverseScale) {
    private static final String KEY = "quantization_config";
    private static final String AUTO = "autobitlinear";
    private static final String MODE = "quantization_mode";
    private static final String NOT_CONVERTED = "modules_to_not_convert";

    /**
     * What a configuration says; none if weights are as they are.
     *
     * @throws dev.tidestream.model.architecture.ModelException if it asks for another way to quantise
     */
    static Optional<BitNetWeights> of(ConfigObject config) {
        Optional<ConfigObject> found = config.findObject(KEY);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        ConfigObject quantization = found.get();
        if (!quantization.findText("quant_method").orElse("").equals("bitnet")) {
            throw config.refused(KEY, "is not supported (supported: quant_method bitnet)");
        }
        String linear = quantization.findText("linear_class").orElse("bitlinear");
        String mode = quantization.findText(MODE).orElse("offline");
        if (!linear.equals(AUTO) && !linear.equals("bitlinear")) {
            throw quantization.refused("linear_class", "is not supported (supported: bitlinear, autobitlinear)");
        }
        boolean online = mode.equals("online");
        if (online ? !linear.equals(AUTO) : !mode.equals("offline")) {
            throw quantization.refused(MODE, "is not supported (supported: offline, and of autobitlinear online)");
        }
        quantization.requireFalse("use_rms_norm", "a norm before each matrix");
        quantization.findNumber("rms_norm_eps"); // of that norm
        quantization.findArray(NOT_CONVERTED).ifPresent(names -> {
            if (names.stream().anyMatch(name -> !name.asText().equals("lm_head"))) {
                throw quantization.refused(NOT_CONVERTED, "is not supported (supported: lm_head)");
            }
        });
        quantization.requireAllRead(Set.of("_load_in_4bit", "_load_in_8bit"));
        return Optional.of(new BitNetWeights(!online, !linear.equals(AUTO)));
    }
}
