package dev.tidestream.server.huggingface;

import java.util.Optional;
import java.util.Set;

import dev.tidestream.model.architecture.ModelException;

/**
 * How positions turn queries and keys, in the style of transformers 4 ({@code rope_theta}, {@code rope_scaling}) and of 5
 * ({@code rope_parameters}, with both of it). Source: transformers' {@code modeling_rope_utils}, and llama.cpp's converter for the
 * factors that GGUF files have in their place.
 */
final class RopeConfig {
    private static final String THETA = "rope_theta";
    private static final String PARAMETERS = "rope_parameters";
    private static final String SCALING = "rope_scaling";
    private static final String FACTOR = "factor";
    private static final String ORIGINAL = "original_max_position_embeddings";
    private static final String PARTIAL = "partial_rotary_factor";
    private static final String AMPLITUDE = "attention_factor";
    private static final String PER_LAYER_TYPE = "full_attention";
    private static final double LOCAL_THETA = 10_000;
    private static final int PHI3_ORIGINAL = 4096;
    private static final int EVEN = 2;

    private final ConfigObject config;
    private final GgufKeys keys;
    private final int headDim;
    private final int contextLength;
    private final ConfigDefaults defaults;

    private RopeConfig(ConfigObject config, GgufKeys keys, ConfigDefaults defaults) {
        this.config = config;
        this.keys = keys;
        this.defaults = defaults;
        this.headDim = defaults.headDim(config);
        this.contextLength = defaults.context(config);
    }

    /** Translates what all layers have in common. */
    static void translate(ConfigObject config, GgufKeys keys, ConfigDefaults defaults) {
        new RopeConfig(config, keys, defaults).translate(Optional.empty());
    }

    /** Translates a configuration whose layers that see everything have one rotation, and those with a window another. */
    static void translateLocalAndGlobal(ConfigObject config, GgufKeys keys, ConfigDefaults defaults) {
        Optional<ConfigObject> perType = config.findObject(PARAMETERS).filter(parameters -> parameters.has(PER_LAYER_TYPE));
        Optional<ConfigObject> local = perType.flatMap(parameters -> parameters.findObject("sliding_attention"));
        local.ifPresent(rope -> {
            if (!type(rope).equals("default")) {
                throw rope.refused("rope_type", "is not supported for layers with a window");
            }
        });
        double localTheta = local.flatMap(rope -> rope.findNumber(THETA)).or(() -> config.findNumber("rope_local_base_freq"))
                .orElse(LOCAL_THETA);
        keys.put("rope.freq_base_swa", localTheta);
        local.ifPresent(rope -> rope.requireAllRead(Set.of()));
        new RopeConfig(config, keys, defaults).translate(perType.flatMap(parameters -> parameters.findObject(PER_LAYER_TYPE)));
        perType.ifPresent(parameters -> parameters.requireAllRead(Set.of()));
    }

    private static String type(ConfigObject rope) {
        Optional<String> old = rope.findText("type");
        return rope.findText("rope_type").or(() -> old).orElse("default");
    }

    private void translate(Optional<ConfigObject> given) {
        Optional<ConfigObject> parameters = given.or(() -> config.findObject(PARAMETERS));
        Optional<ConfigObject> scaling = config.findObject(SCALING);
        if (parameters.isPresent() && scaling.isPresent()) {
            throw config.refused(SCALING, "is there beside %s".formatted(PARAMETERS));
        }
        Optional<Double> inside = parameters.or(() -> scaling).flatMap(rope -> rope.findNumber(THETA));
        Optional<Double> outside = config.findNumber(THETA);
        if (inside.isPresent() && outside.isPresent() && !inside.equals(outside)) {
            throw config.refused(THETA, "contradicts the one of %s: %s".formatted(PARAMETERS, inside.get()));
        }
        double theta = inside.or(() -> outside).orElse(defaults.theta());
        keys.put("rope.freq_base", theta);
        int turned = turned(parameters.or(() -> scaling).flatMap(rope -> rope.findNumber(PARTIAL))
                .or(() -> config.findNumber(PARTIAL)));
        keys.put("rope.dimension_count", turned);
        parameters.or(() -> scaling).ifPresent(rope -> {
            scale(rope, theta, turned);
            rope.requireAllRead(Set.of("finetuned"));
        });
    }

    private int turned(Optional<Double> part) {
        int turned = (int) (headDim * part.orElse(1.0));
        if (turned < EVEN || turned > headDim || turned % EVEN != 0) {
            throw new ModelException("%s=%s is not supported: of heads of %d elements an even number is turned"
                    .formatted(PARTIAL, part.orElse(1.0), headDim));
        }
        return turned;
    }

    private void scale(ConfigObject rope, double theta, int turned) {
        String type = type(rope);
        switch (type) {
            case "default" -> { }
            case "linear" -> {
                keys.put("rope.scaling.type", type);
                keys.put("rope.scaling.factor", rope.number(FACTOR));
            }
            case "llama3" -> keys.vector("rope_freqs.weight", llama3(rope, theta, turned));
            case "yarn" -> {
                if (rope.has("long_factor")) { // what early files of Phi-3 call it
                    longrope(rope, turned);
                } else {
                    yarn(rope);
                }
            }
            case "longrope", "su" -> longrope(rope, turned);
            default -> throw rope.refused(rope.has("rope_type") ? "rope_type" : "type",
                    "is not supported (supported: default, linear, llama3, yarn, longrope)");
        }
    }

    /** The factors that frequencies are divided by: Llama 3's rule by wavelength. */
    private float[] llama3(ConfigObject rope, double theta, int turned) {
        double factor = rope.number(FACTOR);
        double low = rope.number("low_freq_factor");
        double high = rope.number("high_freq_factor");
        double original = rope.findInteger(ORIGINAL).orElse(contextLength);
        if (!(factor > 0) || !(low > 0) || !(high > low) || !(original > 0)) {
            throw rope.refused(FACTOR, "and low_freq_factor=%s, high_freq_factor=%s, %s=%s are no scaling"
                    .formatted(low, high, ORIGINAL, original));
        }
        float[] factors = new float[turned / EVEN];
        for (int i = 0; i < factors.length; i++) {
            double wavelength = 2 * Math.PI * Math.pow(theta, (double) EVEN * i / turned);
            if (wavelength < original / high) {
                factors[i] = 1;
            } else if (wavelength > original / low) {
                factors[i] = (float) factor;
            } else {
                double smooth = (original / wavelength - low) / (high - low);
                factors[i] = (float) (1 / ((1 - smooth) / factor + smooth));
            }
        }
        return factors;
    }

    private void yarn(ConfigObject rope) {
        double factor = rope.number(FACTOR);
        keys.put("rope.scaling.type", "yarn");
        keys.put("rope.scaling.factor", factor);
        keys.put("rope.scaling.original_context_length", rope.findInteger(ORIGINAL).orElse(contextLength));
        rope.findNumber("beta_fast").ifPresent(beta -> keys.put("rope.scaling.yarn_beta_fast", beta));
        rope.findNumber("beta_slow").ifPresent(beta -> keys.put("rope.scaling.yarn_beta_slow", beta));
        rope.findNumber(AMPLITUDE).ifPresent(amplitude -> // GGUF has what the usual one is multiplied by
                keys.put("rope.scaling.yarn_attn_factor", amplitude / (factor > 1 ? 0.1 * Math.log(factor) + 1 : 1)));
        rope.requireAbsent("mscale", "a scale of turned queries and keys");
        rope.requireAbsent("mscale_all_dim", "a scale of turned queries and keys");
        rope.requireTrue("truncate", "bounds of YaRN that are not whole");
    }

    private void longrope(ConfigObject rope, int turned) {
        Optional<Integer> inside = rope.findInteger(ORIGINAL);
        int original = config.findInteger(ORIGINAL)
                .or(() -> defaults.equals(ConfigDefaults.PHI3) ? Optional.of(PHI3_ORIGINAL) : inside).orElse(contextLength);
        double factor = rope.findNumber(FACTOR).orElse((double) contextLength / original);
        keys.put("rope.scaling.type", "longrope");
        keys.put("rope.scaling.original_context_length", original);
        keys.put("rope.scaling.attn_factor", rope.findNumber(AMPLITUDE)
                .orElse(factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))));
        keys.vector("rope_factors_long.weight", factors(rope, "long_factor", turned));
        keys.vector("rope_factors_short.weight", factors(rope, "short_factor", turned));
    }

    private static float[] factors(ConfigObject rope, String key, int turned) {
        float[] factors = rope.findFloats(key).orElseThrow(() -> rope.missing(key));
        if (factors.length != turned / EVEN) {
            throw rope.refused(key, "has %d elements, not %d".formatted(factors.length, turned / EVEN));
        }
        return factors;
    }
}
