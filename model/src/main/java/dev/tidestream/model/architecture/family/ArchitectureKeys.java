package dev.tidestream.model.architecture.family;

import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.ModelSource;

/**
 * Refuses metadata that would change how a model computes and that this version does not understand. A file that asks for a
 * sliding window or for capped logits, and is computed without, gives text that looks almost right; so every key under the
 * architecture's prefix is one of these:
 *
 * <ul>
 *   <li><b>understood</b>: the architecture reads it, and checks its value there;
 *   <li><b>an option</b> that is not computed here, with a value that says that it is off (a sliding window of 0, or as long as
 *       the context);
 *   <li><b>harmless</b>: it does not change what is computed ({@code vocab_size} repeats the shape of the embedding);
 *   <li>anything else, which is <b>refused</b> by key and value, also if nobody has heard of it.
 * </ul>
 *
 * Source of the keys, and of the values that mean "off": gguf-py's constants and llama.cpp's {@code llama-hparams}.
 */
final class ArchitectureKeys {
    private static final String QUANTIZATION_VERSION = "general.quantization_version";
    private static final long LAYOUT_OF_BLOCKS = 2; // ggml's; the sizes in GgmlType are of this one
    private static final String TYPE = "general.type";
    private static final String MODEL = "model";

    /** What never changes the tokens of a model whose other keys are understood. */
    private static final Set<String> HARMLESS = Set.of(
            "vocab_size",
            "attention.layer_norm_epsilon", // the architecture reads one of the two, and says which kind of norm it has
            "attention.layer_norm_rms_epsilon",
            "rope.scaling.original_context_length",
            "rope.scaling.finetuned",
            "rope.scaling.yarn_beta_fast", // yarn itself is refused
            "rope.scaling.yarn_beta_slow",
            "expert_feed_forward_length", // experts themselves are refused
            "expert_shared_feed_forward_length",
            "expert_weights_scale",
            "expert_weights_norm",
            "expert_gating_func");

    private static final String EXPERTS = "a mixture of experts";
    private static final String CAPPED = "capping of scores or logits";
    private static final String YARN = "YaRN scaling of positions";

    /** What is not computed here, and the values that do not ask for it. */
    private static final Map<String, Off> OPTIONS = Map.ofEntries(
            Map.entry("expert_count", zero(EXPERTS)),
            Map.entry("expert_used_count", zero(EXPERTS)),
            Map.entry("expert_shared_count", zero(EXPERTS)),
            Map.entry("expert_group_count", zero(EXPERTS)),
            Map.entry("expert_group_used_count", zero(EXPERTS)),
            Map.entry("nextn_predict_layers", zero("prediction of more than one token")),
            Map.entry("attention.clamp_kqv", zero("clamping of queries, keys and values")),
            Map.entry("attention.max_alibi_bias", zero("ALiBi, a bias by distance")),
            Map.entry("attention.temperature_length", zero("attention whose temperature depends on the position")),
            Map.entry("attention.temperature_scale", zero("attention whose temperature depends on the position")),
            Map.entry("attention.shared_kv_layers", zero("keys and values that layers share")),
            Map.entry("attention.output_scale", zeroOrOne("a scale of attention's output")),
            Map.entry("attention.sliding_window", number("attention in a sliding window", ArchitectureKeys::coversTheContext)),
            Map.entry("attention.scale", number("another scale of attention scores", ArchitectureKeys::isTheUsualScale)),
            Map.entry("attention.causal", bool("attention to later tokens", true)),
            Map.entry("use_parallel_residual", bool("attention and feed-forward side by side", false)),
            Map.entry("attn_logit_softcapping", zero(CAPPED)),
            Map.entry("final_logit_softcapping", zero(CAPPED)),
            Map.entry("router_logit_softcapping", zero(CAPPED)),
            Map.entry("logit_scale", zeroOrOne("a scale of logits")),
            Map.entry("residual_scale", zeroOrOne("a scale of residuals")),
            Map.entry("embedding_scale", zeroOrOne("a scale of embeddings")),
            Map.entry("pooling_type", zero("pooling: a model of embeddings, not of text")),
            Map.entry("rope.scaling.attn_factor", number("a scale of turned queries and keys", (value, model) -> value == 1)),
            Map.entry("rope.scaling.yarn_attn_factor", number(YARN, (value, model) -> value == 1)),
            Map.entry("rope.scaling.yarn_ext_factor", number(YARN, (value, model) -> value == 0 || value == -1)), // -1: by type
            Map.entry("rope.scaling.yarn_log_multiplier", zero(YARN)),
            Map.entry("tensor_data_layout", new Off("another order of elements", (value, model) ->
                    value instanceof GgufValue.StringValue(String layout)
                            && (layout.equals("reference") || layout.equals("Meta AI original pth")))));

    /**
     * An option that is not computed here.
     *
     * @param what it is, in words
     * @param is whether a value says that it is off
     */
    private record Off(String what, BiPredicate<GgufValue, ModelMetadata> is) {}

    private ArchitectureKeys() {}

    /**
     * Looks at all keys of a file.
     *
     * @param architecture {@code general.architecture} of the file
     * @param understood short names of the keys that the architecture reads, e.g. {@code block_count}
     * @throws ModelException if one changes how the model computes, or may do so; names key and value, not the file
     */
    static void check(ModelSource file, String architecture, Set<String> understood) {
        checkGeneral(file);
        ModelMetadata model = new ModelMetadata(file, architecture);
        String prefix = model.key("");
        for (String key : file.metadata().keys()) {
            if (key.startsWith(prefix)) {
                String name = key.substring(prefix.length());
                if (!understood.contains(name) && !HARMLESS.contains(name)) {
                    check(model, name, file.metadata().value(key));
                }
            }
        }
    }

    private static void check(ModelMetadata model, String name, GgufValue value) {
        Off off = OPTIONS.get(name);
        if (off == null) {
            throw model.refused(name, value, "is not known to this version, and may change how the model computes;"
                    + " if it is a remark only, remove the key from the file");
        }
        if (!off.is().test(value, model)) {
            throw model.refused(name, value, "is not supported: " + off.what());
        }
    }

    private static void checkGeneral(ModelSource file) {
        GgufMetadata metadata = file.metadata();
        String type = metadata.findString(TYPE).orElse(MODEL);
        if (!type.equals(MODEL)) {
            throw new ModelException("%s=%s: not a model that makes text (supported: %s)"
                    .formatted(TYPE, GgufException.quote(type), MODEL));
        }
        long layout = metadata.findInt64(QUANTIZATION_VERSION).orElse(LAYOUT_OF_BLOCKS);
        boolean quantised = file.tensors().values().stream().anyMatch(tensor -> tensor.type().blockElements() > 1);
        if (quantised && layout != LAYOUT_OF_BLOCKS) {
            throw new ModelException("%s=%d is not supported: another layout of quantised tensors (supported: %d)"
                    .formatted(QUANTIZATION_VERSION, layout, LAYOUT_OF_BLOCKS));
        }
    }

    private static Off zero(String what) {
        return number(what, (value, model) -> value == 0);
    }

    private static Off zeroOrOne(String what) {
        return number(what, (value, model) -> value == 0 || value == 1);
    }

    private static Off number(String what, BiPredicate<Double, ModelMetadata> off) {
        return new Off(what, (value, model) -> switch (value) {
            case GgufValue.IntegerValue(var _, long number) -> off.test((double) number, model);
            case GgufValue.FloatValue(var _, double number) -> off.test(number, model);
            case GgufValue.BoolValue _, GgufValue.StringValue _, GgufValue.ArrayValue _ -> false;
        });
    }

    private static Off bool(String what, boolean off) {
        return new Off(what, (value, model) -> value instanceof GgufValue.BoolValue(boolean is) && is == off);
    }

    private static boolean coversTheContext(double window, ModelMetadata model) {
        return window == 0 || window >= model.count("context_length", Integer.MAX_VALUE);
    }

    /** 0 stands for it. */
    private static boolean isTheUsualScale(double scale, ModelMetadata model) {
        return scale == 0 || (float) scale == (float) (1 / Math.sqrt(model.headDim()));
    }
}
